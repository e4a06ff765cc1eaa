"""The API of a registry that no server uses, for commands: the same application, asked in this process.

One rule: who can open the data directory may do everything with it.
"""

import asyncio
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from rollbook.api.app import make_app
from rollbook.api.asking import CALLER
from rollbook.api.metrics.request_counts import RequestCounts
from rollbook.api.serving.admin_sockets import admin_socket_in
from rollbook.api.serving.edge import Edge
from rollbook.api.serving.server import accepting
from rollbook.assembly import open_registry
from rollbook.cli.local import COMMAND_LINE
from rollbook.cli.terminal import say
from rollbook.errors import SettingRefused
from rollbook.securing import open_security
from rollbook.settings import Settings

ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
STOPPED = 128 + signal.SIGINT

STOP_SECONDS = 1.0
"""How long what is under way may take at the end of a command that was interrupted."""


@asynccontextmanager
async def application_of(settings: Settings) -> AsyncIterator[ASGIApp]:
    """The application of the registry in ``settings.data``. Refuses (DataDirectoryLocked) one that is in use."""
    async with open_registry(settings, serves=False) as registry, open_security(settings, registry) as security:
        app = make_app(registry, security, RequestCounts())

        async def by_command_line(scope: Scope, receive: Receive, send: Send) -> None:
            await app({**scope, CALLER: COMMAND_LINE}, receive, send)

        yield by_command_line


@contextmanager
def served_by_thread(settings: Settings) -> Iterator[Path]:
    """An admin socket of the registry in ``settings.data``, which a thread of this process serves for this block alone.

    Nothing goes on beside the requests: no webhook is delivered, no lease ends, no history is compacted. A signal that
    ends the command leaves the block first (SystemExit). Refuses (DataDirectoryLocked) a directory that is in use.
    """
    ready: Future[Path] = Future()
    stopping: Future[None] = Future()
    with (
        _stopped_by_signals(),
        tempfile.TemporaryDirectory(prefix="rollbook-") as place,
        ThreadPoolExecutor(1) as threads,
    ):
        serving = threads.submit(asyncio.run, _serve(settings, Path(place), ready, stopping))
        either: set[Future[Any]] = {ready, serving}
        try:
            wait(either, return_when=FIRST_COMPLETED)
            if ready.done():
                yield ready.result()
        finally:
            stopping.set_result(None)
            serving.result()


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """Let a signal leave this block (SystemExit), so that what it holds is put away; a second one ends at once."""
    former: dict[signal.Signals, Any] = {}

    def stop(number: int, _frame: FrameType | None) -> None:
        restore()
        say(f"stopped by {signal.Signals(number).name}")
        raise SystemExit(STOPPED)

    def restore() -> None:
        for number, handler in former.items():
            signal.signal(number, handler)

    former.update((number, signal.signal(number, stop)) for number in ENDINGS)
    try:
        yield
    finally:
        restore()


async def _serve(settings: Settings, place: Path, ready: "Future[Path]", stopping: "Future[None]") -> None:
    """Serve a registry on an admin socket in the directory ``place`` until ``stopping`` is done."""
    async with open_registry(settings, serves=False) as registry, open_security(settings, registry) as security:
        traffic = RequestCounts()
        edge = Edge(make_app(registry, security, traffic), registry, security, traffic, settings)
        with admin_socket_in(place) as listening:
            if listening is None:
                raise SettingRefused(f"no socket can be made in {place}: name another directory with TMPDIR")
            async with accepting(edge, listening, stop_seconds=STOP_SECONDS):
                ready.set_result(Path(listening.getsockname()))
                await asyncio.wrap_future(stopping)
                registry.watching.stop()
