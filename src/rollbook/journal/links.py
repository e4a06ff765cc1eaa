"""The link of a process with the others that share its journal: what it hears, what it sends, and who is the keeper.

One rule: news is pulled. A thread asks for the next news and is given it; the link knows nobody who uses it.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from msgspec import Struct


class SharedHeartbeat(NamedTuple):
    """A heartbeat that another process has heard. ``life`` is the revision at which its cluster was created."""

    id: str
    life: int
    ttl_seconds: int
    nodes: Sequence[str] = ()


class News(Struct, frozen=True):
    """What has come since the link was last asked.

    ``newest`` is the newest revision, whichever process wrote it. ``tokens`` and ``webhooks`` are numbers that go up
    with each change of what they name. ``interruption``: why heartbeats may not have been received, if that is so.
    """

    newest: int
    tokens: int
    webhooks: int
    is_keeper: bool
    heartbeats: Sequence[SharedHeartbeat] = ()
    interruption: str | None = None


class Link(Protocol):
    """One process's link. One thread calls ``exchange``; the rest may be read by any."""

    @property
    def heard_at(self) -> float:
        """When the engine was last heard, in seconds of ``time.monotonic``."""
        ...

    @property
    def offset_ms(self) -> int:
        """How far the engine's clock is ahead of this machine's."""
        ...

    @property
    def processes(self) -> int:
        """How many processes share the journal, this one included, as far as is known."""
        ...

    def exchange(self, heartbeats: Sequence[SharedHeartbeat], *, bids: bool) -> News:
        """Send what was heard here when that is due, and wait for news for a fraction of a second.

        ``bids``: this process may become the keeper. Fails (JournalUnavailable) while the engine can't be reached;
        what was given then counts as sent.
        """
        ...

    def close(self) -> None:
        """Let the others know, and close the connection. Closing twice is harmless; any thread may."""
        ...
