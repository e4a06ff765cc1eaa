"""How new an answer is, where several processes share a registry: no older than the caller asks for.

One rule: a revision that this process has not heard of yet is waited for before it is called a mistake.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from rollbook.api.declarations import Operation
from rollbook.errors import RevisionNotReached
from rollbook.registry.history.moments import AtRevision, parse_number
from rollbook.registry.registry import Registry

PATIENCE_SECONDS = 2.0
LAST_EVENT_ID = "last-event-id"


async def be_fresh(registry: Registry, operation: Operation, values: Mapping[str, Any], request: Request) -> None:
    """Wait until the registry is as new as the request asks for. Refuses (RevisionNotReached) what does not come.

    Fails (JournalUnavailable) when the engine has to be asked, and can't be.
    """
    if not operation.takes_freshness:
        return
    wanted = values.get("minRevision") or 0
    if values.get("consistency") == "strong":
        newest = await asyncio.to_thread(registry.journal.sharing.newest)
        registry.committer.follow_up_to(newest)
        wanted = max(wanted, newest)
    if registry.follower.is_shared:
        wanted = max(wanted, _named(values, request))
    if wanted > registry.recent.revision:
        await _reached(registry, wanted)


async def was_behind(registry: Registry, seen: int) -> bool:
    """Whether other processes had written more than the revision that was ``seen``; it is visible when this returns."""
    if not registry.follower.is_shared:
        return False
    newest = await asyncio.to_thread(registry.journal.sharing.newest)
    if newest <= seen:
        return False
    registry.committer.follow_up_to(newest)
    await _reached(registry, newest)
    return True


async def _reached(registry: Registry, revision: int) -> None:
    try:
        await asyncio.wait_for(registry.recent.reached(revision), PATIENCE_SECONDS)
    except TimeoutError:
        newest = registry.recent.revision
        raise RevisionNotReached(f"revision {revision} is not here yet; the newest is {newest}: try again") from None


def _named(values: Mapping[str, Any], request: Request) -> int:
    """The newest revision that a request names: another process may have given it to the caller."""
    moment, since = values.get("revision"), values.get("since")
    last = parse_number(request.headers.get(LAST_EVENT_ID, ""))
    return max(moment.revision if isinstance(moment, AtRevision) else 0, since or 0, last or 0)
