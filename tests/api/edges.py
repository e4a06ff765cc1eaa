"""A server in the test's own process, with deadlines and ways of the test's choice."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from rollbook.api.app import make_app
from rollbook.api.metrics.request_counts import RequestCounts
from rollbook.api.serving.deadlines import Patience
from rollbook.api.serving.edge import Edge
from rollbook.api.serving.listening import bind, listen
from rollbook.api.serving.server import accepting
from rollbook.assembly import open_registry
from rollbook.registry.registry import Registry
from rollbook.securing import open_security
from rollbook.settings import Settings

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True)
class Served:
    """What is served, and where."""

    registry: Registry
    edge: Edge
    address: tuple[str, int]

    async def connect(self) -> Streams:
        """A new connection."""
        return await asyncio.open_connection(*self.address, limit=1 << 24)

    async def exchange(self, *parts: bytes, seconds: float = 5) -> bytes:
        """Everything that is answered to parts that are sent one after the other, until the server closes."""
        reader, writer = await self.connect()
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0.02)
        answer = await asyncio.wait_for(reader.read(), seconds)
        writer.close()
        return answer


@asynccontextmanager
async def served(
    directory: Path,
    *,
    settings: Settings | None = None,
    patience: Patience | None = None,
    takes_shortcuts: bool = True,
) -> AsyncIterator[Served]:
    """A server for the length of the block."""
    settings = replace(settings or Settings(), data=directory)
    async with open_registry(settings) as registry, open_security(settings, registry) as security:
        traffic = RequestCounts()
        edge = Edge(
            make_app(registry, security, traffic),
            registry,
            security,
            traffic,
            settings,
            patience=patience,
            takes_shortcuts=takes_shortcuts,
        )
        registry.liveness.start()
        listening = listen(bind("127.0.0.1", 0))
        async with accepting(edge, listening, stop_seconds=1):
            yield Served(registry, edge, listening.getsockname())
            registry.watching.stop()
