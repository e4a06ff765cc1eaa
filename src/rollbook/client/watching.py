"""A watch that goes on where its connection broke: its state, and the two drivers that feed it.

Theory: each event has a revision, and a new connection goes on after the last one that arrived, so nothing is missed
and nothing comes twice. Connections are tried again after at least a second, with jitter, so that a registry which
starts again is not flooded by those who watched it.

One rule: an error that would come again (a refused filter, a token that is not accepted, history that is gone) is
raised; all else is waited out.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterator
from threading import Event
from typing import TYPE_CHECKING, Self, TypeAlias

from rollbook.client.calls import Json, Stream
from rollbook.client.operations import watching
from rollbook.client.replies import refusal_of
from rollbook.errors import (
    JournalUnavailable,
    Overloaded,
    RateExceeded,
    RegistryError,
    RegistryUnreachable,
    TooManyWatchers,
    TooManyWatches,
)

if TYPE_CHECKING:
    from rollbook.client.asynchronous import AsyncClient
    from rollbook.client.blocking import Client

PASSING = (RegistryUnreachable, JournalUnavailable, Overloaded, RateExceeded, TooManyWatchers, TooManyWatches)
"""What may be over after a while."""
FIRST_ATTEMPTS = 4
PAUSE_SECONDS_MAX = 10.0
ENDINGS = frozenset({"compacted", "revoked"})


Failed: TypeAlias = Callable[[RegistryError | None], None]


def unnoted(error: RegistryError | None) -> None:
    """Does nothing with the error that a connection ended with."""


class Position:
    """Where a watch is: after which revision it goes on, and how often it failed since the last event.

    A patient one waits for its first event as long as for others.
    """

    def __init__(self, filter: Json | None, since: int | None, detail: str | None, *, patient: bool = False) -> None:
        self.filter, self.detail = filter, detail
        self.revision = since
        self.failures = 0
        self.is_patient = patient

    def stream(self) -> Stream[Json]:
        """The next connection."""
        return watching.events(self.filter, since=self.revision, detail=self.detail)

    def take(self, event: Json) -> bool:
        """Note an event; whether it is one to go on after. Raises the refusal that ends the watch."""
        if event["event"] in ENDINGS:
            raise refusal_of(event)
        self.revision, self.failures, self.is_patient = event["revision"], 0, True
        return bool(event["event"] != "overflow")

    def pause(self, error: RegistryError | None) -> float:
        """Seconds until the next connection, after one ended or failed. Raises an error that would come again."""
        self.failures += 1
        if error is not None and (
            not isinstance(error, PASSING) or (not self.is_patient and self.failures >= FIRST_ATTEMPTS)
        ):
            raise error
        return pause_after(self.failures) if self.is_patient else random.random() * 0.5  # noqa: S311


def pause_after(failures: int) -> float:
    """A pause of at least a second and at most 10 s; only the first one, after a loss, may be shorter."""
    if failures <= 1:
        return random.random()  # noqa: S311
    return 1.0 + random.random() * min(PAUSE_SECONDS_MAX - 1.0, 2.0 ** (failures - 2))  # noqa: S311


class Watch:
    """The events of a watch, as an iterator that waits for the next one. ``close`` may be called by another thread.

    ``revision`` is that of the newest event: a watch with ``since=revision`` goes on after it.
    """

    def __init__(self, client: "Client", position: Position, *, bookmarks: bool, failed: Failed = unnoted) -> None:
        self._client, self._position, self._bookmarks, self._failed = client, position, bookmarks, failed
        self._closed = Event()
        self._events = self._all()

    @property
    def revision(self) -> int | None:
        """The revision of the newest event; None before the first one of a watch that begins now."""
        return self._position.revision

    def close(self) -> None:
        """End the watch, also for a thread that waits for its next event."""
        self._closed.set()
        self._client.interrupt(self)

    def __iter__(self) -> Iterator[Json]:
        return self

    def __next__(self) -> Json:
        return next(self._events)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _all(self) -> Iterator[Json]:
        position = self._position
        if position.revision is None:
            position.revision = self._client.history.newest()
        while not self._closed.is_set():
            error = None
            try:
                for event in self._client.stream(position.stream(), owner=self):
                    if position.take(event) and (self._bookmarks or event["event"] != "bookmark"):
                        yield event
                    if self._closed.is_set():
                        return
            except RegistryError as failed:
                error = failed
            self._failed(error)
            if not self._closed.is_set():
                self._closed.wait(position.pause(error))


class AsyncWatch:
    """The events of a watch, for ``async for``. It ends with the task that iterates, or by ``close``."""

    def __init__(self, client: "AsyncClient", position: Position, *, bookmarks: bool, failed: Failed = unnoted) -> None:
        self._client, self._position, self._bookmarks, self._failed = client, position, bookmarks, failed
        self._events = self._all()

    @property
    def revision(self) -> int | None:
        """As ``Watch.revision``."""
        return self._position.revision

    async def close(self) -> None:
        """End the watch; not while another task waits for its next event."""
        await self._events.aclose()  # type: ignore[attr-defined]

    def __aiter__(self) -> AsyncIterator[Json]:
        return self

    async def __anext__(self) -> Json:
        return await anext(self._events)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()

    async def _all(self) -> AsyncIterator[Json]:
        position = self._position
        if position.revision is None:
            position.revision = await self._client.history.newest()
        while True:
            error = None
            try:
                async for event in self._client.stream(position.stream()):
                    if position.take(event) and (self._bookmarks or event["event"] != "bookmark"):
                        yield event
            except RegistryError as failed:
                error = failed
            self._failed(error)
            await asyncio.sleep(position.pause(error))
