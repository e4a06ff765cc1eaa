"""A registry in this process whose heartbeats are heard under clocks that tests set."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson

from rollbook.assembly import open_registry
from rollbook.journal.changes import Change
from rollbook.registry.liveness.heartbeats import parse_heartbeat
from rollbook.registry.liveness.lease_metrics import leases_as_json
from rollbook.registry.reading.requests import parse_query
from rollbook.registry.registry import Registry
from rollbook.settings import Settings
from tests.registry.clocks import Clocks
from tests.registry.writing import TESTER, create

TICK = 0.125


class Fleet:
    """The clusters of a registry, with their heartbeats."""

    def __init__(self, registry: Registry, clocks: Clocks) -> None:
        self.registry = registry
        self.clocks = clocks

    async def beat(self, *ids: str, **body: Any) -> None:
        """A heartbeat of each."""
        for id in ids:
            await self.registry.liveness.beat(TESTER, id, parse_heartbeat({"ttlSeconds": 8, **body}))

    async def go(self, seconds: float, *beating: str) -> None:
        """Time passes, with a look at every tick, before which ``beating`` send a beat."""
        for _ in range(round(seconds / TICK)):
            self.clocks.go(TICK)
            await self.beat(*beating)
            await self.look()

    async def look(self) -> None:
        """A look at the clocks, and all that comes of it."""
        await self.registry.liveness.look()
        await self.registry.liveness.finish()

    def status(self, id: str) -> Any:
        """The status in the document."""
        return self.document(id).get("status")

    def document(self, id: str) -> dict[str, Any]:
        """The document as it is stored."""
        document: dict[str, Any] = orjson.loads(self.registry.entry(TESTER, id).body)
        return document

    def facts(self, id: str) -> dict[str, Any]:
        """What is told under ``_registry``."""
        return self.registry.facts.of(self.registry.entry(TESTER, id))

    def changes(self, id: str) -> list[Change]:
        """The history of a cluster, newest first."""
        return list(self.registry.journal.past.history(id))

    @property
    def causes(self) -> list[str]:
        """Why silences are not written down now."""
        return [hold["cause"] for hold in leases_as_json(self.registry.liveness.leases)["holds"]]  # type: ignore[union-attr,index]

    async def find(self, **query: Any) -> list[dict[str, Any]]:
        """What a query finds."""
        parsed = parse_query({"query": {}, **query}, limits=self.registry.limits)
        return [orjson.loads(body) for body in await self.registry.reader.fleet(TESTER).find(parsed)]


@asynccontextmanager
async def fleet_in(
    data: Path, ids: Iterable[str] = (), *, clocks: Clocks | None = None, **settings: Any
) -> AsyncIterator[Fleet]:
    """The registry in a directory, with these clusters enrolled, which listens from now on."""
    clocks = clocks or Clocks()
    async with open_registry(Settings(data=data, **settings), read_clocks=clocks) as registry:
        fleet = Fleet(registry, clocks)
        for id in ids:
            await create(registry, id)
        registry.liveness.listen()
        yield fleet
