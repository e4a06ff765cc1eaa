"""The process that serves a registry: from the bound socket to the signal that ends it."""

import asyncio
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from functools import partial

import uvloop

from rollbook.api.app import make_app
from rollbook.api.metrics.request_counts import RequestCounts
from rollbook.api.serving.admin_sockets import admin_socket_in
from rollbook.api.serving.certificates import Certificates
from rollbook.api.serving.edge import Edge
from rollbook.api.serving.listening import bind
from rollbook.api.serving.memory import LOOK_SECONDS, keep_few_heaps, memory_keeper
from rollbook.api.serving.observing import Observer
from rollbook.api.serving.server import serve as serve_http
from rollbook.api.serving.waiting import answering
from rollbook.assembly import open_registry
from rollbook.collecting import settle_garbage_collection
from rollbook.errors import JournalUnavailable, SettingRefused
from rollbook.journal.privacy import OTHERS
from rollbook.registry.registry import Registry
from rollbook.registry.supervising import Recurring, Supervisor
from rollbook.securing import open_security
from rollbook.security.security import Security
from rollbook.settings import Settings
from rollbook.telemetry import Telemetry, telemetry_opened

CERTIFICATES_LOOK_SECONDS = 2.0
RETRY_SECONDS = 0.5
COMPUTING_SECONDS_AT_STOP = 2.0
"""How long requests may still compute when the server is asked to stop."""


logger = logging.getLogger(__name__)


def serve(settings: Settings) -> None:
    """Serve the registry over HTTP until SIGTERM or SIGINT. Blocks. Exits (1) when the registry can't go on."""
    keep_few_heaps()
    os.umask(OTHERS)
    failure = uvloop.run(_serve(settings))
    if failure is not None:
        sys.exit(f"stopped, for {failure}")


async def _serve(settings: Settings) -> str | None:
    with closing(bind(settings.host, settings.port)) as bound, telemetry_opened(os.environ) as telemetry:
        return await _serve_on(bound, settings, telemetry)


async def _serve_on(bound: socket.socket, settings: Settings, telemetry: Telemetry | None) -> str | None:
    """Serve on a bound socket until a signal; the reason when it was the registry that could not go on."""
    certificates = certificates_of(settings)
    async with AsyncExitStack() as undo:
        registry = await undo.enter_async_context(_opened(bound, settings))
        if certificates is not None:
            look = partial(asyncio.to_thread, certificates.look)
            looking = Recurring(registry.supervisor, "rollbook-tls", look, seconds=CERTIFICATES_LOOK_SECONDS)
            await undo.enter_async_context(looking)
        security = await undo.enter_async_context(open_security(settings, registry))
        check_reach(settings, security)
        settle_garbage_collection()
        sys.setswitchinterval(SWITCH_SECONDS)
        if (memory := memory_keeper()) is not None:
            await undo.enter_async_context(
                Recurring(registry.supervisor, "rollbook-memory", memory.look, seconds=LOOK_SECONDS)
            )
        registry.liveness.start()
        registry.webhooks.start(security.identities.access_of, telemetry)
        registry.follower.start()
        traffic = RequestCounts()
        ending = asyncio.create_task(_stop_after(registry.supervisor))
        await serve_http(
            Edge(
                make_app(registry, security, traffic),
                registry,
                security,
                traffic,
                settings,
                observer=observer_of(settings, telemetry),
            ),
            bound=bound,
            admin=undo.enter_context(admin_socket_in(settings.data)),
            certificates=certificates,
            stop_seconds=settings.stop_seconds,
            before_stop=partial(_end_what_is_long, registry),
        )
        ending.cancel()
    return registry.supervisor.failure


@asynccontextmanager
async def _opened(bound: socket.socket, settings: Settings) -> AsyncIterator[Registry]:
    """The registry, open. While the engine of a shared journal can't be reached, it is tried again and again."""
    async with AsyncExitStack() as opened:
        if settings.journal.is_shared:
            problem = "the journal is being loaded"
            async with answering(bound, lambda: problem):
                while True:
                    try:
                        registry = await opened.enter_async_context(open_registry(settings))
                        break
                    except JournalUnavailable as unavailable:
                        if problem != unavailable.message:
                            logger.warning("%s; it is tried again and again", unavailable.message)
                        problem = unavailable.message
                        await asyncio.sleep(RETRY_SECONDS)
        else:
            registry = await opened.enter_async_context(open_registry(settings))
        yield registry


def observer_of(settings: Settings, telemetry: Telemetry | None) -> Observer | None:
    """What observes requests; None where nothing is to be sent or logged of them."""
    slow_seconds = settings.slow_ms / 1000 if settings.slow_ms else None
    return None if telemetry is None and slow_seconds is None else Observer(telemetry, slow_seconds)


def certificates_of(settings: Settings) -> Certificates | None:
    """The certificates that the settings name; None without TLS. Refuses (SettingRefused) files that can't be used."""
    certificate, key = settings.tls_cert.file, settings.tls_key.file
    return None if certificate is None or key is None else Certificates(certificate, key, settings.tls_client_ca.file)


def check_reach(settings: Settings, security: Security) -> None:
    """Refuses (SettingRefused) to listen where others can connect, while it is not known who may ask."""
    if not settings.is_loopback and not security.identities.is_closed:
        place = f"--journal {settings.journal}" if settings.journal.is_shared else f"--data {settings.data}"
        raise SettingRefused(NOBODY_IS_KNOWN.format(host=settings.host, place=place))


NOBODY_IS_KNOWN = """\
everybody who reaches {host} could change and delete every cluster. Say who may ask, in one of three ways:
  rollbook token create NAME --role admin {place}
      makes a token (or ROLLBOOK_ADMIN_TOKEN_FILE names a file with one)
  ROLLBOOK_ANONYMOUS=legacy@10.0.0.0/8
      gives the callers of a network a role
  ROLLBOOK_SECURITY=observe
      lets everybody pass, and logs what would be refused"""


def _end_what_is_long(registry: Registry) -> None:
    """End what would not end by itself, and by and by what may take long."""
    registry.watching.stop()
    registry.computing.end_by(time.monotonic() + COMPUTING_SECONDS_AT_STOP)


async def _stop_after(supervisor: Supervisor) -> None:
    """Stop the server as a signal would, once the registry can't go on."""
    await supervisor.failed()
    signal.raise_signal(signal.SIGTERM)


SWITCH_SECONDS = 0.0002
"""How long a thread computes while another waits for its turn. Python's own 5 ms would be waited for by the event loop
at each of its turns, and once for every thread that computes."""
