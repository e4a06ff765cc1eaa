"""The HTTP server: it listens only when the registry is ready, and stops after what is under way."""

import asyncio
import contextlib
import logging
import resource
import signal
import socket
from collections.abc import AsyncIterator, Callable

from rollbook import __version__
from rollbook.api.serving.certificates import Certificates
from rollbook.api.serving.edge import Edge
from rollbook.api.serving.listening import BACKLOG, address_of, listen
from rollbook.api.serving.loop_lag import loop_lag_kept
from rollbook.api.serving.notifying import service_notified
from rollbook.api.serving.protocol import Connection
from rollbook.api.serving.stacks import print_on_signal

STOP_LOOK_SECONDS = 0.05
HANDSHAKE_SECONDS, SHUTDOWN_SECONDS = 10.0, 2.0
"""How long TLS may take to begin and to end."""

logger = logging.getLogger(__name__)


async def serve(
    edge: Edge,
    *,
    bound: socket.socket,
    admin: socket.socket | None,
    certificates: Certificates | None,
    stop_seconds: int,
    before_stop: Callable[[], None],
) -> None:
    """Serve on a bound socket, over TLS where there are ``certificates``, and on the ``admin`` socket, until a signal.

    Then ``before_stop`` ends what would never end by itself. Requests that are under way at a stop have
    ``stop_seconds`` to end. Refuses (SettingRefused) an address that can't be listened on.
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stopping.set)
    if certificates is not None:
        loop.add_signal_handler(signal.SIGHUP, certificates.reload)
    print_on_signal(edge.traffic)
    allow_many_connections()
    listening = listen(bound)  # a program that sees it listen may stop it at once, so the handlers come first
    address = address_of(listening, "http" if certificates is None else "https")
    logger.info("rollbook %s, listening on %s: %s", __version__, address, edge.contents)
    accepted = accepting(edge, listening, admin, certificates, stop_seconds=stop_seconds)
    async with loop_lag_kept(edge.traffic.loop_lag), accepted:
        async with service_notified():
            await stopping.wait()
        before_stop()


@contextlib.asynccontextmanager
async def accepting(
    edge: Edge,
    listening: socket.socket,
    admin: socket.socket | None = None,
    certificates: Certificates | None = None,
    *,
    stop_seconds: float,
) -> AsyncIterator[None]:
    """Accept connections for the length of the block; then let what is under way end, for ``stop_seconds``."""
    loop = asyncio.get_running_loop()
    servers = [
        await loop.create_server(
            lambda: Connection(edge),
            sock=listening,
            backlog=BACKLOG,
            ssl=None if certificates is None else certificates.context,
            ssl_handshake_timeout=None if certificates is None else HANDSHAKE_SECONDS,
            ssl_shutdown_timeout=None if certificates is None else SHUTDOWN_SECONDS,
        )
    ]
    if admin is not None:
        servers.append(await loop.create_unix_server(lambda: Connection(edge), sock=admin))
    ticking = asyncio.create_task(edge.keep_time(), name="rollbook-connections")
    try:
        yield
    finally:
        for server in servers:
            server.close()
        edge.stop()
        deadline = loop.time() + stop_seconds
        while (edge.connections or edge.tasks) and loop.time() < deadline:
            await asyncio.sleep(STOP_LOOK_SECONDS)
        if edge.tasks:
            logger.warning("%d requests were not answered within %g s", len(edge.tasks), stop_seconds)
        await edge.abort()
        ticking.cancel()


def allow_many_connections() -> None:
    """Let the process have as many files open as it may: every watcher holds one, and the usual limit is low."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
