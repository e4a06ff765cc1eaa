"""Informers: a copy of some clusters in this process, kept in step with the registry, so that reading is a look-up.

Theory: list at a revision, watch from it, and list again when the history after it is gone. While the registry is away
the copy stays as it was, and ``age`` says for how long nothing was heard.
"""

import asyncio
import time
from collections.abc import Iterator, Mapping
from threading import Condition, Thread
from typing import TYPE_CHECKING, Any, Self

from rollbook.client.calls import Call, Json
from rollbook.client.operations import clusters
from rollbook.client.replicas import IndexKey, Replica
from rollbook.client.replies import Reply, Snapshot
from rollbook.client.retrying import NEVER
from rollbook.client.tasks import InTask
from rollbook.client.watching import PASSING, AsyncWatch, Position, Watch, pause_after
from rollbook.errors import ClusterDeleted, ClusterNotFound, Compacted, RegistryError, RegistryUnreachable

if TYPE_CHECKING:
    from rollbook.client.asynchronous import AsyncClient
    from rollbook.client.blocking import Client

CLOSE_SECONDS_MAX = 5.0
GONE = frozenset({"left", "deleted"})


class Copy:
    """What is known of the clusters: read it from any thread, at any time."""

    def __init__(self, filter: Json | None, index_by: Mapping[str, IndexKey] | None) -> None:
        self.filter = filter
        self.error: RegistryError | None = None
        """Why the registry can't be reached now, or why the informer has ended; None while all is well."""
        self._replica = Replica(index_by or {})
        self._failures = 0

    def get(self, id: str) -> Json | None:
        """The document of a cluster, not to be changed; None where none with this id matches the filter."""
        return self._replica.documents.get(id)

    def by(self, index: str, key: Any) -> list[Json]:
        """The documents with ``key`` in an index of ``index_by``."""
        return self._replica.by(index, key)

    def values(self) -> list[Json]:
        """All documents."""
        return list(self._replica.documents.values())

    @property
    def revision(self) -> int | None:
        """The revision of which the copy is; None before it is ready."""
        return self._replica.revision

    @property
    def age(self) -> float:
        """Seconds since the registry was last heard of: at most about 5 while all is well; infinite before the list."""
        heard = self._replica.heard
        return float("inf") if heard is None else time.monotonic() - heard

    def __contains__(self, id: str) -> bool:
        return id in self._replica.documents

    def __len__(self) -> int:
        return len(self._replica.documents)

    def __iter__(self) -> Iterator[Json]:
        return iter(self.values())

    def _listed(self, snapshot: Snapshot) -> Position:
        self._replica.reset(snapshot.documents, snapshot.revision)
        self.error = None
        return Position(self.filter, snapshot.revision, None, patient=True)

    def _applied(self, event: Json) -> Call[Reply] | None:
        """Apply an event. Where it can't be, the call that reads what it is about."""
        self._failures, self.error = 0, None
        if "id" in event:
            if event["event"] not in GONE and "document" not in event:
                return clusters.read(event["id"])
            self._replica.put(event["id"], None if event["event"] in GONE else event["document"])
        self._replica.note(event["revision"])
        return None

    def _read(self, event: Json, document: Json | None) -> None:
        self._replica.put(event["id"], document)
        self._replica.note(event["revision"])

    def _pause(self, error: RegistryError) -> float:
        """Seconds until all is listed again. Raises an error that would come again."""
        if not isinstance(error, (*PASSING, Compacted)):
            raise error
        self._failures += 1
        return pause_after(self._failures)

    def _failed(self, error: RegistryError | None) -> None:
        self.error = error

    def _has(self, revision: int) -> bool:
        return self.revision is not None and self.revision >= revision

    def _unready(self) -> RegistryError:
        return self.error or RegistryUnreachable("the informer has not heard of this yet")


class Informer(Copy):
    """An informer with a thread of its own. Use it as a context manager, or ``start`` and ``close`` it."""

    def __init__(
        self, client: "Client", filter: Json | None = None, *, index_by: Mapping[str, IndexKey] | None = None
    ) -> None:
        super().__init__(filter, index_by)
        self._client = client
        self._watch: Watch | None = None
        self._is_closed = False
        self._changed = Condition()
        self._thread = Thread(target=self._run, name="rollbook-informer", daemon=True)

    def start(self) -> Self:
        """Begin to list and to watch, and return at once."""
        self._thread.start()
        return self

    def wait_ready(self, timeout: float | None = None) -> None:
        """Wait until everything has been listed. Raises what prevents it when ``timeout`` seconds are over."""
        self.wait_for(0, timeout)

    def wait_for(self, revision: int, timeout: float | None = None) -> None:
        """Wait until the copy holds what was written at ``revision``, such as that of a ``Reply``; raises likewise."""
        with self._changed:
            self._changed.wait_for(lambda: self._has(revision) or not self._thread.is_alive(), timeout)
        if not self._has(revision):
            raise self._unready()

    def close(self) -> None:
        """End. The copy stays readable."""
        self._is_closed = True
        with self._changed:
            self._changed.notify_all()
        if self._watch is not None:
            self._watch.close()
        if self._thread.is_alive():
            self._thread.join(CLOSE_SECONDS_MAX)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *error: object) -> None:
        self.close()

    def _run(self) -> None:
        while not self._is_closed:
            try:
                self._follow(self._listed(self._client.send(clusters.snapshot(self.filter), retries=NEVER)))
            except RegistryError as error:
                self.error = error
                try:
                    pause = self._pause(error)
                except RegistryError:
                    break
                with self._changed:
                    self._changed.wait_for(lambda: self._is_closed, pause)
        with self._changed:
            self._changed.notify_all()

    def _follow(self, position: Position) -> None:
        self._watch = Watch(self._client, position, bookmarks=True, failed=self._failed)
        self._notify()
        for event in self._watch if not self._is_closed else ():
            reading = self._applied(event)
            if reading is not None:
                self._read(event, self._document(reading))
            self._notify()

    def _document(self, reading: Call[Reply]) -> Json | None:
        try:
            return self._client.send(reading).document
        except (ClusterNotFound, ClusterDeleted):
            return None

    def _notify(self) -> None:
        with self._changed:
            self._changed.notify_all()


class AsyncInformer(InTask, Copy):
    """An informer with a task of its own. Use it as an asynchronous context manager."""

    def __init__(
        self, client: "AsyncClient", filter: Json | None = None, *, index_by: Mapping[str, IndexKey] | None = None
    ) -> None:
        super().__init__(filter, index_by)
        self._client = client
        self._changed = asyncio.Condition()

    async def wait_ready(self, timeout: float | None = None) -> None:
        """As ``Informer.wait_ready``."""
        await self.wait_for(0, timeout)

    async def wait_for(self, revision: int, timeout: float | None = None) -> None:
        """As ``Informer.wait_for``."""
        try:
            async with asyncio.timeout(timeout), self._changed:
                await self._changed.wait_for(lambda: self._has(revision) or self._has_ended())
        except TimeoutError:
            pass
        if not self._has(revision):
            raise self._unready()

    def _has_ended(self) -> bool:
        return self._task is None or self._task.done()

    async def _run(self) -> None:
        while True:
            try:
                snapshot = await self._client.send(clusters.snapshot(self.filter), retries=NEVER)
                await self._follow(self._listed(snapshot))
            except RegistryError as error:
                self.error = error
                try:
                    pause = self._pause(error)
                except RegistryError:
                    break
                await asyncio.sleep(pause)
        await self._notify()

    async def _follow(self, position: Position) -> None:
        await self._notify()
        async for event in AsyncWatch(self._client, position, bookmarks=True, failed=self._failed):
            reading = self._applied(event)
            if reading is not None:
                self._read(event, await self._document(reading))
            await self._notify()

    async def _document(self, reading: Call[Reply]) -> Json | None:
        try:
            return (await self._client.send(reading)).document
        except (ClusterNotFound, ClusterDeleted):
            return None

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()
