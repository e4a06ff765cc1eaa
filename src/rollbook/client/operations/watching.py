"""Watching: the changes after a revision, by long polls or as a stream of events."""

from collections.abc import Sequence
from typing import Any

from rollbook.client.calls import Answer, Call, Decoder, Json, Stream, encoded, parameters_of
from rollbook.client.replies import check, nothing, object_of, value

BOOKMARK_SECONDS = 5
"""A stream that has nothing else to say sends a bookmark this often."""
SILENCE_SECONDS = 4 * BOOKMARK_SECONDS
ANSWER_SECONDS = 30


def changes_after(
    since: int, filter: Json | None = None, *, wait_seconds: float = 20, detail: str | None = None
) -> Call[Any]:
    """``{"revision", "events"}``: the matching changes after ``since``, or none when the time is over.

    Go on from ``revision``. Raises Compacted when changes after ``since`` are no longer kept.
    """
    wait = f"{round(wait_seconds * 1000)}ms"
    parameters = parameters_of(since=since, filter=filter, wait=wait, **({"as": detail} if detail else {}))
    patience = wait_seconds + ANSWER_SECONDS
    return Call("GET", "/clusters/watch", value, parameters=parameters, repeatable=True, read_seconds=patience)


def events(filter: Json | None = None, *, since: int | None = None, detail: str | None = None) -> Stream[Json]:
    """The events of one connection, bookmarks included; ``client.watch`` goes on after it was lost."""
    body = {"query": filter or {}} | ({} if since is None else {"since": since})
    call = Call(
        "POST",
        "/clusters/watch",
        nothing,
        parameters=parameters_of(**{"as": detail}),
        headers={"accept": "application/x-ndjson"},
        body=encoded(body),
        repeatable=True,
        read_seconds=SILENCE_SECONDS,
    )
    return Stream(call, Lines)


class Lines(Decoder[Json]):
    """One JSON object a line."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Sequence[Json]:
        if b"\n" not in data:
            self._rest += data
            return ()
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [object_of(line) for line in lines if line]

    def end(self) -> Sequence[Json]:
        return ()  # what is not whole was cut off, and comes again


def newest_revision() -> Call[int]:
    """The newest revision: where a watch of what comes next begins."""
    return Call("GET", "/clusters", _revision, parameters={"limit": "1", "fields": "id"}, repeatable=True)


def _revision(answer: Answer) -> int:
    check(answer)
    return int(answer.header("x-registry-revision") or 0)
