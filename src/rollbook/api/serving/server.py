"""The HTTP server: uvicorn, told what ours differs in.

It listens only when the registry is ready, and stops on SIGTERM and SIGINT after what is under way.
"""

import asyncio
import contextlib
import logging
import resource
import signal
import socket
from collections.abc import Callable, Iterator

import uvicorn
from starlette.types import ASGIApp

from rollbook.api.metrics.request_counts import RequestCounts
from rollbook.api.serving.listening import address_of, listen
from rollbook.api.serving.loop_lag import loop_lag_kept
from rollbook.api.serving.protocol import protocol_for
from rollbook.registry.registry import Registry

IDLE_SECONDS_MAX = 75
"""How long a connection is kept without a request: for longer than a controller waits between two heartbeats."""

logger = logging.getLogger(__name__)


async def serve(
    app: ASGIApp,
    registry: Registry,
    traffic: RequestCounts,
    *,
    bound: socket.socket,
    stop_seconds: int,
    before_stop: Callable[[], None],
) -> None:
    """Serve on a bound socket until told to stop; then ``before_stop`` ends what would never end by itself.

    Plain reads and queries are answered from ``registry``, everything else by ``app``; ``traffic`` counts them all.
    Requests that are under way at a stop have ``stop_seconds`` to end. Refuses (SettingRefused) an address that can't
    be listened on.
    """
    server = Server(configured(app, protocol_for(registry, traffic), stop_seconds=stop_seconds))

    def stop() -> None:
        server.should_exit = True
        before_stop()

    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop)
    allow_many_connections()
    listening = listen(bound)  # who sees it listen may stop it at once, so the handlers come first
    logger.info("listening on %s", address_of(listening))
    async with loop_lag_kept(traffic.lateness):
        await server.serve(sockets=[listening])


def configured(app: ASGIApp, protocol: type[asyncio.Protocol], *, stop_seconds: int) -> uvicorn.Config:
    """What uvicorn is told: to do nothing that this module, the protocol or the application does."""
    return uvicorn.Config(
        app,
        http=protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=False,
        timeout_keep_alive=IDLE_SECONDS_MAX,
        timeout_graceful_shutdown=stop_seconds,
    )


def allow_many_connections() -> None:
    """Let the process have as many files open as it may: every watcher holds one, and the usual limit is low."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


class Server(uvicorn.Server):
    """uvicorn's server, which leaves signals to us: a stop must end in our own cleaning up."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield
