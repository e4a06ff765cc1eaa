"""The parts of docs/reference/http.md, which are read off the table of operations."""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rollbook.api import headers
from rollbook.api.declarations import ANYWHERE, Header, Operation, Parameter
from rollbook.api.openapi import TAGS
from rollbook.api.operations import OPERATIONS
from rollbook.api.parameters import taken_by
from rollbook.api.problems import status_of
from rollbook.api.schemas.security import NEW_TOKEN
from rollbook.api.schemas.webhooks import AT_CHANGE, AT_CREATION, MEMBERS, RETRY_MEMBERS, SECRET
from rollbook.errors import RegistryError
from rollbook.security.roles import BUILT_IN, Role
from tests.docs.markdown import table


def operations_of(tag: str) -> str:
    """The operations of a tag: how each is asked, what it answers, and with which statuses it refuses."""
    rows = (
        (
            f"`{each.method} {each.template}`",
            " ".join(f"`{parameter.name}`" for parameter in each.parameters),
            each.body.meaning if each.body is not None else "",
            "; ".join(f"{answer.status}, {answer.meaning}" for answer in each.answers),
            statuses(each.refuses),
        )
        for each in OPERATIONS
        if each.tag == tag
    )
    return table(("request", "parameters", "body", "success", "refusals"), rows)


def statuses(kinds: Iterable[type[RegistryError]]) -> str:
    """The statuses of some errors."""
    return " ".join(str(status) for status in sorted({status_of(kind()) for kind in kinds}))


def http_everywhere() -> str:
    """What any operation may refuse."""
    rows = sorted((str(status_of(kind())), f"`{kind.code}`", kind().message) for kind in ANYWHERE)
    return table(("status", "code", "meaning"), rows)


def http_parameters() -> str:
    """Every parameter and where it is taken."""
    rows: dict[str, tuple[Parameter[Any], list[Operation]]] = {}
    for operation in OPERATIONS:
        for parameter in taken_by(operation):
            rows.setdefault(parameter.name + parameter.meaning, (parameter, []))[1].append(operation)
    return table(
        ("parameter", "meaning", "taken by"),
        ((f"`{each.name}`", each.meaning, names(taking)) for each, taking in rows.values()),
    )


def http_request_headers() -> str:
    """Every header of requests and where it means something."""
    rows: dict[str, tuple[Header, list[Operation]]] = {}
    for operation in OPERATIONS:
        for header in operation.headers:
            rows.setdefault(header.name + header.example, (header, []))[1].append(operation)
    return table(
        ("header", "meaning", "read by"),
        ((f"`{header.name}`", header.meaning, names(reading)) for header, reading in rows.values()),
    )


def http_answer_headers() -> str:
    """Every header of answers and where it is sent."""
    own: dict[str, tuple[Header, list[Operation]]] = {}
    for operation in OPERATIONS:
        for header in {each.name: each for answer in operation.answers for each in answer.headers}.values():
            own.setdefault(header.name, (header, []))[1].append(operation)
    rows = [(f"`{header.name}`", header.meaning, names(sending)) for header, sending in own.values()]
    rows += [(f"`{header.name}`", header.meaning, "refusals") for header in headers.OF_REFUSALS]
    rows += [
        (f"`{header.name}`", header.meaning, "all") for header in headers.OF_EVERY_ANSWER if header.name not in own
    ]
    return table(("header", "meaning", "sent by"), rows)


def names(operations: Iterable[Operation]) -> str:
    """The names of some operations, as in ``/openapi.json``."""
    return " ".join(f"`{operation.name}`" for operation in operations)


def http_operation_ids() -> str:
    """The name of every operation, and what a caller needs the permission for."""
    rows = (
        (f"`{each.name}`", f"`{each.method} {each.template}`", each.summary, verbs_for(each)) for each in OPERATIONS
    )
    return table(("name", "request", "what for", "verb"), rows)


def verbs_for(operation: Operation) -> str:
    """The verb of an operation, and the one that is as good."""
    return " or ".join(verb for verb in (operation.verb, operation.verb_instead) if verb is not None)


def http_webhook_members() -> str:
    """The members of a webhook."""
    retry = {f"retry.{name}": schema for name, schema in RETRY_MEMBERS.items()}
    members: Mapping[str, Any] = {**MEMBERS, **retry, **SECRET, **AT_CHANGE, **AT_CREATION}
    rows = (
        (f"`{name}`", f"`{json.dumps(schema['default'])}`" if "default" in schema else "", schema["description"])
        for name, schema in members.items()
        if name != "retry"
    )
    return table(("member", "default", "meaning"), rows)


def http_token_members() -> str:
    """The members of a request for a token."""
    return table(("member", "meaning"), ((f"`{name}`", schema["description"]) for name, schema in NEW_TOKEN.items()))


def security_roles() -> str:
    """The built-in roles."""
    rows = (
        (f"`{role.name}`", role.description, " ".join(f"`{verb}`" for verb in verbs_of(role)))
        for role in BUILT_IN.values()
    )
    return table(("role", "meaning", "verbs"), rows)


def verbs_of(role: Role) -> list[str]:
    """The verbs of all rules of a role."""
    return sorted({verb for rule in role.rules for verb in rule.verbs})


def part_of(tag: str) -> Callable[[], str]:
    """The part of a tag."""
    return lambda: operations_of(tag)


HTTP_PARTS: dict[str, Callable[[], str]] = {
    **{"http_" + tag.replace(" ", "_"): part_of(tag) for tag in TAGS},
    **{
        part.__name__: part
        for part in (
            http_everywhere,
            http_parameters,
            http_request_headers,
            http_answer_headers,
            http_operation_ids,
            http_webhook_members,
            http_token_members,
            security_roles,
        )
    },
}
