"""The API of a registry that no server uses, for commands: the same application, asked in this process.

One rule: who can open the data directory may do everything with it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.types import ASGIApp, Receive, Scope, Send

from rollbook.api.app import make_app
from rollbook.api.asking import CALLER
from rollbook.api.metrics.request_counts import RequestCounts
from rollbook.assembly import open_registry, open_security
from rollbook.cli.local import COMMAND_LINE
from rollbook.settings import Settings


@asynccontextmanager
async def application_of(settings: Settings) -> AsyncIterator[ASGIApp]:
    """The application of the registry in ``settings.data``. Refuses (DataDirectoryLocked) one that is in use."""
    async with open_registry(settings) as registry, open_security(settings, registry) as security:
        app = make_app(registry, security, RequestCounts())

        async def by_command_line(scope: Scope, receive: Receive, send: Send) -> None:
            await app({**scope, CALLER: COMMAND_LINE}, receive, send)

        yield by_command_line
