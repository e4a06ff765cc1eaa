"""Reaching a registry: a server at a URL, a data directory, or a journal in an engine.

One rule: an option says which registry, else the environment, else the context in use; never two at once. What is slow
to import is imported when a command runs.
"""

import os
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from rollbook.cli.targets import read_contexts, read_secret, target_of
from rollbook.cli.terminal import say
from rollbook.errors import SettingRefused

if TYPE_CHECKING:
    from rollbook.client import AsyncClient, Client
    from rollbook.client.calls import Warn
    from rollbook.settings import Settings

T = TypeVar("T")


async def answer_of(
    ask: "Callable[[AsyncClient], Awaitable[T]]",
    *,
    data: str | None,
    journal: str | None,
    url: str | None,
    token_file: str | None,
    context: str | None,
    verbose: bool,
) -> T:
    """What the registry that the options mean answers to a call. Refuses (SettingRefused) options that mean several.

    Without options that is the server of ``ROLLBOOK_URL`` or of the context in use; else the one in a data directory.
    """
    from rollbook.cli.nouns.curl import as_curl

    async def show(request: Any) -> None:
        say(as_curl(request))

    hooks = (show,) if verbose else ()
    there = "--url" if url is not None else "--context" if context is not None else None
    here = "--data" if data is not None else "--journal" if journal is not None else None
    if there is not None and here is not None:
        raise SettingRefused(f"{here} and {there} exclude each other: it is one registry or the other")
    if url or context or (data is None and journal is None and _is_named()):
        from rollbook.client import AsyncClient

        target = target_of(url, token_file, context)
        async with AsyncClient(target.url, token=target.token, hooks=hooks) as client:
            return await ask(client)
    if journal is not None:
        async with _client_of_journal(journal, data, hooks) as client:
            return await ask(client)
    async with _client_in(data, token_file, hooks) as client:
        return await ask(client)


@contextmanager
def client_of_directory(data: str, token_file: str | None, hooks: Any, heed: "Warn") -> "Iterator[Client]":
    """A client of the registry in a data directory: through the admin socket of the server that uses it, else alone.

    Refuses (SettingRefused) a directory without a registry, and (DataDirectoryLocked) one that is opened by another
    process that listens at no socket.
    """
    import httpx2

    from rollbook.client.blocking import Client
    from rollbook.settings import settings_from

    settings = settings_from(os.environ, data=data)
    with ExitStack() as undo:
        token, socket = None, _admin_socket_of(settings)
        if _is_listening(socket):
            token = _token_in(token_file)
        else:
            from rollbook.cli.directories import existing_directory
            from rollbook.cli.unattended import served_by_thread

            if settings.journal.is_shared:
                raise SettingRefused("ROLLBOOK_JOURNAL names an engine, and --data a registry of its own: unset one")
            _refuse_token(token_file, settings)
            existing_directory(settings)
            socket = undo.enter_context(served_by_thread(settings))
        transport = httpx2.HTTPTransport(uds=str(socket))
        options: Any = {"token": token, "transport": transport, "hooks": hooks, "warn": heed}
        yield undo.enter_context(Client("http://localhost", **options))


def _is_named() -> bool:
    """Whether the environment or a context names a server, and nothing nearer a data directory or a journal."""
    if os.environ.get("ROLLBOOK_URL"):
        return True
    is_here = os.environ.get("ROLLBOOK_DATA") or os.environ.get("ROLLBOOK_JOURNAL")
    return not is_here and read_contexts().current is not None


@asynccontextmanager
async def _client_of_journal(journal: str, data: str | None, hooks: Any) -> "AsyncIterator[AsyncClient]":
    """A client of the registry whose journal an option names.

    One in an engine is asked beside the servers that use it, by a process that keeps nothing: its cache is temporary.
    """
    from rollbook.settings import settings_from

    settings = settings_from(os.environ, data=data, journal=journal)
    if not settings.journal.is_shared:
        async with _client_in(data, None, hooks) as client:
            yield client
        return
    with tempfile.TemporaryDirectory(prefix="rollbook-") as cache:
        async with _client_beside(settings_from(os.environ, data=data or cache, journal=journal), hooks) as client:
            yield client


@asynccontextmanager
async def _client_in(data: str | None, token_file: str | None, hooks: Any) -> "AsyncIterator[AsyncClient]":
    """A client of the registry in the data directory, whether a server uses it or not."""
    import httpx2

    from rollbook.client import AsyncClient
    from rollbook.settings import settings_from

    token = _token_in(token_file)
    settings = settings_from(os.environ, data=data)
    socket = _admin_socket_of(settings)
    if _is_listening(socket):
        transport = httpx2.AsyncHTTPTransport(uds=str(socket))
        async with AsyncClient("http://localhost", token=token, transport=transport, hooks=hooks) as client:
            yield client
        return
    _refuse_token(token_file, settings)
    async with _client_beside(settings, hooks) as client:
        yield client


@asynccontextmanager
async def _client_beside(settings: "Settings", hooks: Any) -> "AsyncIterator[AsyncClient]":
    """A client of the registry in this process."""
    import httpx2

    from rollbook.cli.unattended import application_of
    from rollbook.client import AsyncClient

    async with application_of(settings) as application:
        transport = httpx2.ASGITransport(app=application)
        async with AsyncClient("http://localhost", transport=transport, hooks=hooks) as client:
            yield client


def _refuse_token(token_file: str | None, settings: "Settings") -> None:
    """Refuses (SettingRefused) a token where no server judges it: the command would do more than it allows."""
    if token_file is not None:
        raise SettingRefused(
            f"no server uses {settings.data}, so nobody judges a token: leave --token-file out to do everything"
        )


def _admin_socket_of(settings: "Settings") -> Path:
    """Where the admin socket of the server that uses a data directory is."""
    return settings.data.absolute() / "admin.sock"


def _token_in(token_file: str | None) -> str | None:
    return read_secret(Path(token_file)).strip() if token_file else os.environ.get("ROLLBOOK_TOKEN") or None


def _is_listening(path: Path) -> bool:
    """Whether a server listens on the socket, and not only its file was left over."""
    import socket

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True
