"""Answers read: a document, or the error of ``rollbook.errors`` that the registry refused with."""

import re
from collections.abc import Iterator
from typing import Any, TypeAlias

import httpx
from msgspec import Struct

from rollbook.errors import DocumentInvalid, Problem, RegistryError, RegistryUnreachable

Json: TypeAlias = dict[str, Any]

WARNING = re.compile(r'299 \S+ "((?:[^"\\]|\\.)*)"')
ESCAPE = re.compile(r"\\(.)")


class Reply(Struct, frozen=True):
    """What a registry answered: the document, its entity tag where it has one, and what there is to warn of."""

    document: Json
    etag: str | None = None
    warnings: tuple[str, ...] = ()


def reply_of(response: httpx.Response, *, shown: str) -> Reply:
    """The reply that a response holds; raises the refusal that it holds instead. ``shown`` names the registry."""
    body = _json_of(response)
    if not isinstance(body, dict) or (not response.is_success and "error" not in body):
        raise RegistryUnreachable(
            f"{shown} answers {response.status_code} {response.reason_phrase}, and not as a registry does: "
            "is this the address of a registry?"
        )
    if not response.is_success:
        raise refusal_of(body)
    warnings = tuple(_warnings(response.headers.get_list("warning")))
    return Reply(body, response.headers.get("etag"), warnings)


def refusal_of(body: Json) -> RegistryError:
    """The error that the body of a refusal tells of; a plain RegistryError when its code is not known here."""
    kind = ERRORS.get(str(body.get("code")), RegistryError)
    problems = [Problem(str(each.get("at", "")), str(each.get("problem", ""))) for each in body.get("errors") or ()]
    message = str(body.get("detail") or body["error"])
    if [problem.problem for problem in problems] == [message] and not issubclass(kind, DocumentInvalid):
        return kind(message, at=problems[0].at, mongo_code=body.get("mongoCode"))
    return kind(message, mongo_code=body.get("mongoCode"), problems=problems)


def _json_of(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None


def _warnings(headers: list[str]) -> Iterator[str]:
    for header in headers:
        for text in WARNING.findall(header):
            yield ESCAPE.sub(r"\1", text)


def _tree(kind: type[RegistryError]) -> Iterator[type[RegistryError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _tree(child)


ERRORS = {kind.code: kind for kind in _tree(RegistryError)}
