"""What deliverers are given from outside: the changes, the network, the store, time, chance, and who may see what."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeAlias, TypeVar

from msgspec import Struct

from rollbook.journal.webhook_store import WebhookStore
from rollbook.registry.supervising import Supervisor
from rollbook.registry.watching.watching import Watching
from rollbook.registry.webhooks.sending import Sender
from rollbook.registry.webhooks.traces import NO_TRACES, DeliveryTraces
from rollbook.security.access import FULL_ACCESS, Access

Result = TypeVar("Result")


class Keep(Protocol):
    """Runs a job on the store of webhooks, on the store's own thread."""

    def __call__(self, job: Callable[[WebhookStore], Result]) -> Awaitable[Result]:
        """What the job gives."""
        ...


AccessOf: TypeAlias = Callable[[str], Access]
"""What the caller with a key may now; everything, for the empty key."""


def with_full_access(owner: str) -> Access:
    """Full access: what every owner has where there are no identities."""
    return FULL_ACCESS


class Surroundings(Struct, frozen=True):
    """What deliverers are given: the changes, where they are gone up to, the network, the store, time and chance.

    ``reading`` bounds how many read history at a time.
    """

    watching: Watching
    compacted_up_to: Callable[[], int]
    sender: Sender
    keep: Keep
    now_ms: Callable[[], int]
    chance: Callable[[], float]
    reading: asyncio.Semaphore
    supervisor: Supervisor
    access_of: AccessOf = with_full_access
    tracing: DeliveryTraces = NO_TRACES
