"""Answers read: a document, a value, or the error of ``rollbook.errors`` that the registry refused with.

One rule: what is no answer of a registry (another server's page, cut or damaged JSON) is RegistryUnreachable.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from rollbook.client.calls import Answer, Headers, Json
from rollbook.errors import DocumentInvalid, Problem, RegistryError, RegistryUnreachable

WARNING = re.compile(r'299 \S+ "((?:[^"\\]|\\.)*)"')
ESCAPE = re.compile(r"\\(.)")
NOT_JSON = (ValueError, RecursionError)
"""What the decoder raises for what is no JSON, no UTF-8, or nested too deeply."""
NEXT = re.compile(r'<([^>]*)>\s*;\s*rel="next"')


class Reply(Struct, frozen=True):
    """What a registry answered: the document, its entity tag where it has one, and the registry's warnings.

    ``revision`` is the newest revision that the answer can have seen.
    """

    document: Json
    etag: str | None = None
    warnings: tuple[str, ...] = ()
    revision: int | None = None


class Page(Struct, frozen=True):
    """One page of a list, and the path and query string of the next one; None when it is the last."""

    items: list[Json]
    next: str | None = None


class Snapshot(Struct, frozen=True):
    """All documents that matched at one revision."""

    documents: list[Json]
    revision: int


def documents(answer: Answer) -> Snapshot:
    """All documents of an answer, with the revision in its headers."""
    items, revision = value(answer), _revision(answer)
    if not isinstance(items, list) or revision is None:
        raise _odd(answer)
    return Snapshot(items, revision)


def document(answer: Answer) -> Reply:
    """The document of an answer, with what its headers say."""
    body = value(answer)
    if not isinstance(body, dict):
        raise _odd(answer)
    return Reply(body, answer.header("etag"), tuple(warnings_in(answer.headers)), _revision(answer))


def rehearsed(answer: Answer) -> Reply:
    """The document that a dry run says would be, with the warnings of it."""
    body = value(answer)
    if not isinstance(body, dict) or not isinstance(body.get("document"), dict):
        raise _odd(answer)
    return Reply(body["document"], None, tuple(map(str, body.get("warnings") or ())))


def value(answer: Answer) -> Any:
    """The JSON of an answer."""
    check(answer)
    try:
        return msgspec.json.decode(answer.body)
    except NOT_JSON:
        raise _odd(answer) from None


def decoded(body: bytes) -> Any:
    """The JSON of a body. Raises one of NOT_JSON for what is none."""
    return msgspec.json.decode(body)


def page(answer: Answer) -> Page:
    """A page of a list, with the address of the next one."""
    items = value(answer)
    if not isinstance(items, list):
        raise _odd(answer)
    following = NEXT.search(answer.header("link") or "")
    return Page(items, following[1] if following else None)


def text(answer: Answer) -> str:
    """The text of an answer."""
    check(answer)
    return answer.body.decode(errors="replace")


def nothing(answer: Answer) -> None:
    """Nothing: that the registry did it is all there is to know."""
    check(answer)


def check(answer: Answer) -> None:
    """Raises the refusal that an answer holds; RegistryUnreachable when it is none of a registry's."""
    if answer.is_success:
        return
    try:
        body = msgspec.json.decode(answer.body)
    except NOT_JSON:
        body = None
    if not isinstance(body, dict) or not isinstance(body.get("error"), str):
        raise _odd(answer)
    raise refusal_of(body)


def lines_of(answer: Answer) -> list[Json]:
    """The values of an answer that has a line of JSON for each."""
    check(answer)
    return [msgspec.json.decode(line) for line in answer.body.splitlines() if line]


def object_of(line: bytes) -> Json:
    """The object in a line of an answer."""
    try:
        event = msgspec.json.decode(line)
    except NOT_JSON:
        event = None
    if not isinstance(event, dict):
        raise RegistryUnreachable(f"a line of the answer is no JSON object: {line[:40]!r}")
    return event


def refusal_of(body: Json) -> RegistryError:
    """The error that the body of a refusal names; a plain RegistryError when its code is not known here."""
    code, message = body.get("code"), str(body.get("detail") or body.get("error"))
    kind = ERRORS.get(code, RegistryError) if isinstance(code, str) else RegistryError
    mongo_code = body.get("mongoCode")
    mongo_code = mongo_code if isinstance(mongo_code, int) else None
    problems = list(_problems(body.get("errors")))
    if [problem.problem for problem in problems] == [message] and not issubclass(kind, DocumentInvalid):
        return kind(message, at=problems[0].at, mongo_code=mongo_code)
    return kind(message, mongo_code=mongo_code, problems=problems)


def _problems(errors: Any) -> Iterator[Problem]:
    for each in errors if isinstance(errors, Sequence) and not isinstance(errors, str) else ():
        if isinstance(each, dict):
            yield Problem(str(each.get("at", "")), str(each.get("problem", "")))


def _odd(answer: Answer) -> RegistryUnreachable:
    return RegistryUnreachable(
        f"the answer is {answer.status} {answer.reason}, and not as a registry's: is this the address of a registry?"
    )


def warnings_in(headers: Headers) -> Iterator[str]:
    """What the registry warns of in the headers of an answer."""
    for name, header in headers:
        if name == "warning":
            for warning in WARNING.findall(header):
                yield ESCAPE.sub(r"\1", warning)


def _revision(answer: Answer) -> int | None:
    revision = answer.header("x-registry-revision") or ""
    return int(revision) if revision.isdigit() else None


def _tree(kind: type[RegistryError]) -> Iterator[type[RegistryError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _tree(child)


ERRORS = {kind.code: kind for kind in _tree(RegistryError)}
