"""Read, change, write: a change of what is stored, while others write too.

Theory: the write has the entity tag of what was read, so it is refused (412) once somebody else was faster; then all is
done again. Where the answer to a write was lost, nobody knows whether it was done. The history does: if the change
that followed the document which was read made of it what was to be written, it was ours.
"""

import random
from collections.abc import Callable
from copy import deepcopy

from rollbook.client.calls import Json
from rollbook.client.differences import equal, json_patch
from rollbook.client.operations import clusters, history
from rollbook.client.replies import Reply
from rollbook.client.steps import Pause, Steps
from rollbook.errors import PreconditionFailed, RegistryUnreachable

ATTEMPTS_MAX = 20
PAUSE_SECONDS_MAX = 1.0


def changing(
    id: str, function: Callable[[Json], Json | None], *, reason: str | None, attempts: int = ATTEMPTS_MAX
) -> Steps[Reply]:
    """Change a cluster by ``function``; see ``Client.change``."""
    for attempt in range(1, attempts + 1):
        read: Reply = yield clusters.read(id)
        wanted = _applied(function, read.document)
        patch = json_patch(read.document, wanted)
        if not patch:
            return read
        try:
            return (yield from _written(id, patch, read, wanted, reason))
        except PreconditionFailed:
            if attempt == attempts:
                raise
        yield Pause(random.random() * min(PAUSE_SECONDS_MAX, 0.01 * 2**attempt))  # noqa: S311
    raise AssertionError("unreachable")


def _applied(function: Callable[[Json], Json | None], document: Json) -> Json:
    """What the function makes of a copy of the document: what it returns, or the copy, which it may have changed."""
    copy = deepcopy(document)
    returned = function(copy)
    return copy if returned is None else returned


def _written(id: str, patch: list[Json], read: Reply, wanted: Json, reason: str | None) -> Steps[Reply]:
    """Send the patch until its outcome is known. Raises PreconditionFailed when somebody else was faster."""
    call = clusters.patch(id, patch, if_match=read.etag, reason=reason, repeatable=False)
    try:
        first: Reply = yield call
        return first
    except RegistryUnreachable as lost:
        if not lost.may_be_done:
            raise
    try:
        second: Reply = yield clusters.patch(id, patch, if_match=read.etag, reason=reason)
        return second
    except PreconditionFailed:
        if not (yield from _was_ours(id, read, wanted)):
            raise
    now: Reply = yield clusters.read(id)
    return now


def _was_ours(id: str, read: Reply, wanted: Json) -> Steps[bool]:
    """Whether the change that followed the document which was read made what was to be written."""
    before: int | None = None
    following: Json | None = None
    while True:
        page = yield history.of(id, before=before, detail="document")
        for change in page.items:
            if f'"{change["revision"]}"' == read.etag:
                return following is not None and equal(following.get("document"), wanted)
            following = change
        if not page.items or page.next is None:
            return False
        before = page.items[-1]["revision"]
