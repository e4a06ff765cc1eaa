"""A proxy between a client and a registry that refuses, delays, cuts and repeats, as networks do."""

import asyncio
import random
import re
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Literal
from urllib.parse import urlsplit

Fault = Literal["none", "refuse", "delay", "cut the request", "lose the answer", "cut the answer", "repeat the request"]
LARGEST = 1 << 16


class Proxy:
    """Forwards each connection, with the fault that ``choose`` names for it. A context manager."""

    def __init__(self, url: str, choose: Callable[[], Fault]) -> None:
        self.choose = choose
        self.connections = 0
        parts = urlsplit(url)
        self._target = (parts.hostname, parts.port)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def __enter__(self) -> "Proxy":
        self._thread.start()
        self._server = self._run(asyncio.start_server(self._serve, "127.0.0.1", 0))
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    def drop(self) -> None:
        """End all connections, and go on to take new ones."""
        self._run(self._drop())

    async def _end(self) -> None:
        self._server.close()
        await self._drop()

    async def _drop(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        fault = self.choose()
        with suppress(asyncio.CancelledError):
            if fault != "refuse":
                await self._forward(reader, writer, fault)
        writer.close()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, fault: Fault) -> None:
        above_reader, above = await asyncio.open_connection(*self._target)
        if fault == "repeat the request":
            above.write(await self._sent_before(reader))
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(_copy(reader, above, up=True, fault=fault))
                both.create_task(_copy(above_reader, writer, up=False, fault=fault))
        except* (OSError, EOFError):
            pass
        finally:
            above.close()

    async def _sent_before(self, reader: asyncio.StreamReader) -> bytes:
        """A request that has reached the registry once, by another connection."""
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        request = head + (await reader.readexactly(int(length[1])) if length else b"")
        other_reader, other = await asyncio.open_connection(*self._target)
        other.write(request)
        await other_reader.readuntil(b"\r\n\r\n")
        other.close()
        return request


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, up: bool, fault: Fault) -> None:
    while data := await reader.read(LARGEST):
        if fault == "delay":
            await asyncio.sleep(random.random() * 0.05)
        if up and fault == "cut the request":
            data = data[: len(data) // 2]
        if not up and fault == "cut the answer":
            data = data[: len(data) // 2]
        if not up and fault == "lose the answer":
            raise EOFError
        writer.write(data)
        await writer.drain()
        if fault.startswith("cut") and up == fault.endswith("request"):
            raise EOFError
    raise EOFError
