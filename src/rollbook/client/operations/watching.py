"""Watching by long polls: the changes after a revision, as soon as there are some."""

from typing import Any

from rollbook.client.calls import Answer, Call, Json, parameters_of
from rollbook.client.replies import check, value


def changes_after(
    since: int, filter: Json | None = None, *, wait_seconds: float = 20, detail: str | None = None
) -> Call[Any]:
    """``{"revision", "events"}``: the matching changes after ``since``, or none when the time is over.

    Go on from ``revision``. Raises Compacted when changes after ``since`` are no longer kept. ``wait_seconds`` must
    stay below the time that the client waits for the network.
    """
    wait = f"{round(wait_seconds * 1000)}ms"
    parameters = parameters_of(since=since, filter=filter, wait=wait, **({"as": detail} if detail else {}))
    return Call("GET", "/clusters/watch", value, parameters=parameters, repeatable=True)


def newest_revision() -> Call[int]:
    """The newest revision: where a watch of what comes next begins."""
    return Call("GET", "/clusters", _revision, parameters={"limit": "1", "fields": "id"}, repeatable=True)


def _revision(answer: Answer) -> int:
    check(answer)
    return int(answer.header("x-registry-revision") or 0)
