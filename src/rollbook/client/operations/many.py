"""Writes of many clusters in one request: a line each, or all that match a filter."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from rollbook.client.calls import Answer, Call, Json, Stream, encoded, headers_of
from rollbook.client.operations.clusters import validation
from rollbook.client.operations.watching import Lines
from rollbook.client.replies import lines_of, nothing, value

T = TypeVar("T")


def bulk(
    lines: Iterable[Json], *, strict: bool = False, reason: str | None = None, key: str | None = None
) -> Call[list[Json]]:
    """Write many clusters, a line each: ``{"op": "create", "document": ...}``; the result of each, in their order.

    With a ``key`` the call may be sent again, and goes on where it was broken off.
    """
    return _bulk(lines, lines_of, strict=strict, reason=reason, key=key)


def bulk_results(
    lines: Iterable[Json], *, strict: bool = False, reason: str | None = None, key: str | None = None
) -> Stream[Json]:
    """As ``bulk``; the results one by one as they come. An answer that is broken off ends without an error."""
    return Stream(_bulk(lines, nothing, strict=strict, reason=reason, key=key), Lines, waits=True)


def _bulk(
    lines: Iterable[Json], read: Callable[[Answer], T], *, strict: bool, reason: str | None, key: str | None
) -> Call[T]:
    return Call(
        "POST",
        "/clusters/bulk",
        read,
        parameters=validation(strict),
        headers={**headers_of(reason=reason, key=key), "content-type": "application/x-ndjson"},
        body=b"".join(encoded(line) + b"\n" for line in lines),
        repeatable=key is not None,
    )


def update_matching(
    filter: Json,
    update: Any,
    *,
    strict: bool = False,
    reason: str | None = None,
    key: str | None = None,
    **options: Any,
) -> Call[Json]:
    """Update all clusters that match, or none: ``{"matched", "changed", "revision", "ids"}``."""
    return Call(
        "POST",
        "/clusters/update",
        value,
        parameters=validation(strict),
        headers=headers_of(reason=reason, key=key),
        body=encoded({"filter": filter, "update": update, **options}),
        repeatable=key is not None,
    )


def delete_matching(
    filter: Json, *, confirm: str | None = None, reason: str | None = None, key: str | None = None, **options: Any
) -> Call[Json]:
    """Delete all clusters that match. Without ``confirm`` nothing is deleted: the answer shows what would be.

    Its ``confirm`` is what the second call brings.
    """
    return Call(
        "POST",
        "/clusters/delete",
        value,
        headers=headers_of(reason=reason, key=key),
        body=encoded({"filter": filter, **({} if confirm is None else {"confirm": confirm}), **options}),
        repeatable=key is not None or confirm is None,
    )
