"""The description of the API in OpenAPI 3.1, made from the table of operations.

One rule: nothing is described here that a row does not declare.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from rollbook import __version__
from rollbook.api import headers
from rollbook.api.declarations import (
    ANYWHERE,
    JSON,
    JSON_SCHEMA,
    PROBLEM_JSON,
    Answer,
    Body,
    Header,
    Operation,
    Parameter,
    Schema,
    reference,
)
from rollbook.api.parameters import taken_by
from rollbook.api.problems import status_of
from rollbook.api.schemas.components import COMPONENTS
from rollbook.errors import RegistryError

DESCRIPTION = (
    "The clusters registry of an AI network: JSON documents with MongoDB's query and update languages. The body of a "
    "success is the bare document or array, never an envelope; a refusal is a problem (RFC 9457)."
)
TAGS = {
    "clusters": "One cluster: create, read, update and delete it.",
    "queries": "The whole fleet: find, count, explain and aggregate, now or as of a moment of the past.",
    "nodes": "The nodes of a cluster, one by one. The totals of the cluster follow.",
    "liveness": "Heartbeats, and how a cluster has spent its time.",
    "watching": "Changes of clusters as they happen.",
    "history": "Who changed what, restoring what was, and protection against deletion.",
    "webhooks": "Targets that changes are delivered to.",
    "dead letters": "What a webhook could not deliver.",
    "parser": "What the network's Parser and search server speak.",
    "access": "Who a caller is, and what it may.",
    "tokens": "The secrets that callers are recognised by.",
    "roles": "What callers may.",
    "sessions": "What a browser has instead of a token.",
    "audit": "Who was refused, and what happened to tokens, roles and webhooks.",
    "operations": "Health, readiness and metrics.",
    "about": "What this server is, and how it is asked.",
}
PATH_EXAMPLES = {
    "/clusters": {"id": "cluster-west-vision-001", "node_id": "node-1"},
    "/webhooks": {"id": "alerts", "number": "1"},
    "/tokens": {"id": "7Gq2LmX0aZ"},
    "/roles": {"name": "live-reader"},
    "/console": {"page": "clusters"},
}
PATH_MEANINGS = {
    "id": "the id",
    "node_id": "the id of the node; a slash in it is percent-encoded (`%2F`)",
    "number": "the number of the dead letter",
    "name": "the name",
    "page": "a screen of the console, or one of its files",
}


def describe(operations: Sequence[Operation]) -> dict[str, Any]:
    """The OpenAPI document."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.template, {})[operation.method.lower()] = described(operation, operations)
    used = {operation.tag for operation in operations}
    return {
        "openapi": "3.1.0",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": {
            "title": "Rollbook",
            "version": __version__,
            "description": DESCRIPTION,
            "license": {"name": "Apache License 2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": text} for name, text in TAGS.items() if name in used],
        "security": [{}, {"bearer": []}, {"basic": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "a token"},
                "basic": {"type": "http", "scheme": "basic", "description": "any user name, a token as the password"},
            },
            "schemas": COMPONENTS,
            "headers": {row.name: {"description": row.meaning, "schema": row.schema} for row in headers_in(operations)},
            "responses": {f"Refused{status}": refusal_of(kinds) for status, kinds in by_status(COMMON).items()},
        },
    }


def described(operation: Operation, operations: Sequence[Operation]) -> dict[str, Any]:
    """One operation."""
    responses = {str(answer.status): answer_of(answer) for answer in answers_by_status(operation)}
    for answer in answers_by_status(operation):
        links = links_of(operation, answer, operations)
        if links:
            responses[str(answer.status)]["links"] = links
    return {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": operation.summary,
        "parameters": [*path_parameters(operation), *map(query_parameter, taken_by(operation))]
        + [header_parameter(header) for header in operation.headers],
        **({} if operation.body is None else {"requestBody": request_body(operation.body)}),
        "responses": {**responses, **refusals_of(operation)},
        **({} if operation.verb is None else {"x-rollbook-verb": operation.verb}),
    }


def answers_by_status(operation: Operation) -> list[Answer]:
    """One answer for each status: what several say of one is said together. Each may be the body."""
    found: dict[int, Answer] = {}
    for answer in operation.answers:
        first = found.get(answer.status)
        found[answer.status] = answer if first is None else _either(first, answer)
    return list(found.values())


def _either(first: Answer, other: Answer) -> Answer:
    schemas = [schema for schema in (first.schema, other.schema) if schema is not None]
    both = {header.name: header for header in (*first.headers, *other.headers)}
    schema: Schema = schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
    return replace(first, meaning=f"{first.meaning}; {other.meaning}", schema=schema, headers=tuple(both.values()))


def answer_of(answer: Answer) -> dict[str, Any]:
    """What an answer holds."""
    content = {
        media_type: {"schema": answer.schema if media_type in (JSON, JSON_SCHEMA) else {"type": "string"}}
        for media_type in (answer.media_types if answer.schema is not None else ())
    }
    described = {"description": answer.meaning, "headers": headers_of((*answer.headers, *headers.OF_EVERY_ANSWER))}
    return {**described, "content": content} if content else described


def refusals_of(operation: Operation) -> dict[str, Any]:
    """What may be refused, by status. What any operation may refuse with a status of its own is described once."""
    common = by_status(COMMON)
    return {
        str(status): (
            {"$ref": f"#/components/responses/Refused{status}"} if kinds == common.get(status) else refusal_of(kinds)
        )
        for status, kinds in by_status((*operation.refuses, *COMMON)).items()
    }


def by_status(kinds: Iterable[type[RegistryError]]) -> dict[int, list[type[RegistryError]]]:
    """Errors by the status that they are answered with."""
    found: dict[int, list[type[RegistryError]]] = {}
    for kind in sorted(set(kinds), key=lambda kind: (status_of(kind()), kind.code)):
        found.setdefault(status_of(kind()), []).append(kind)
    return found


def refusal_of(kinds: Sequence[type[RegistryError]]) -> dict[str, Any]:
    """The answers of one status."""
    codes = {"properties": {"code": {"enum": [kind.code for kind in kinds]}}}
    return {
        "description": " ".join(f"`{kind.code}`: {(kind.__doc__ or '').splitlines()[0]}" for kind in kinds),
        "headers": headers_of((*headers.OF_REFUSALS, *headers.OF_EVERY_ANSWER)),
        "content": {PROBLEM_JSON: {"schema": {"allOf": [reference("Problem"), codes]}}},
    }


def request_body(body: Body[..., Any]) -> dict[str, Any]:
    """The body of a request."""
    return {
        "description": body.meaning,
        "required": not body.optional,
        "content": {
            each: dict(zip(("schema", "example"), body.others.get(each, (body.schema, body.example)), strict=True))
            for each in body.media_types
        },
    }


def path_parameters(operation: Operation) -> list[dict[str, Any]]:
    """The names in a path."""
    examples = PATH_EXAMPLES.get("/" + operation.path.split("/")[1], {})
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": PATH_MEANINGS[name],
            "schema": {"type": "string", "minLength": 1},
            "example": examples[name],
        }
        for name in names_in(operation)
    ]


def names_in(operation: Operation) -> list[str]:
    """The names in the path of an operation."""
    return [part[1:-1] for part in operation.template.split("/") if part.startswith("{")]


def query_parameter(parameter: Parameter[Any]) -> dict[str, Any]:
    """A parameter of the query string."""
    more = {"style": "form", "explode": False} if parameter.lists else {}
    return {
        "name": parameter.name,
        "in": "query",
        "description": parameter.meaning,
        "schema": parameter.schema,
        **more,
    }


def header_parameter(header: Header) -> dict[str, Any]:
    """A header of a request."""
    return {"name": header.name, "in": "header", "description": header.meaning, "schema": header.schema}


def headers_of(rows: Iterable[Header]) -> dict[str, Any]:
    """Headers of an answer."""
    return {row.name: {"$ref": f"#/components/headers/{row.name}"} for row in rows}


def headers_in(operations: Iterable[Operation]) -> Iterable[Header]:
    """The headers of all answers."""
    own = (header for operation in operations for answer in operation.answers for header in answer.headers)
    rows = {header.name: header for header in (*own, *headers.OF_REFUSALS, *headers.OF_EVERY_ANSWER)}
    return rows.values()


def links_of(operation: Operation, answer: Answer, operations: Iterable[Operation]) -> dict[str, Any]:
    """What can be asked next about what was just created: everything at its address."""
    name = CREATED_NAMES.get(operation.path)
    if answer.status != 201 or name is None:
        return {}
    address = f"{operation.path}/{{{name}"
    values = {**{each: f"$request.path.{each}" for each in names_in(operation)}, name: "$response.body#/id"}
    return {
        each.name: {"operationId": each.name, "parameters": values}
        for each in operations
        if each.path.startswith(address) and set(names_in(each)) == set(values) and not each.streams
    }


CREATED_NAMES = {"/clusters": "id", "/webhooks": "id", "/clusters/{id}/nodes": "node_id"}
"""Where something is created, and the name of its id in the paths below."""

COMMON = (*ANYWHERE, RegistryError)
