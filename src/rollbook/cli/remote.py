"""Documents in the registry that a server keeps, over HTTP."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from rollbook.cli.places import Outcome, concerning_one
from rollbook.cli.targets import target_of
from rollbook.client import AsyncClient
from rollbook.clusters.acceptance import SchemaRules, accept_new
from rollbook.documents.codec import encode_json
from rollbook.documents.values import Document, Value
from rollbook.errors import ClusterExists, DocumentInvalid, Problem, RegistryError

AS_IT_IS = SchemaRules("lenient", unknown_fields="ignore")
"""Fills a document as any registry does, and leaves it to the server to judge it."""


REQUESTS_MAX = 32
"""As many requests are under way at once."""

IN_ORDER_MAX = 8
"""A few documents are sent one after another, so that they are created in their order."""


@asynccontextmanager
async def open_server(url: str, reason: str | None) -> AsyncIterator["Server"]:
    """The server at ``url``; ``reason`` is why it is written to."""
    target = target_of(url, None, None)
    async with AsyncClient(target.url, token=target.token, reason=reason) as client:
        yield Server(client)


class Server:
    """The registry that a server keeps, over HTTP."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client
        self._room = asyncio.Semaphore(REQUESTS_MAX)

    async def put(self, documents: Sequence[Value], *, replace: bool) -> AsyncIterator[Outcome]:
        """As ImportTarget says. The requests of many are under way at the same time; those about one id follow each
        other."""
        putting: list[asyncio.Task[Outcome]] = []
        newest: dict[object, asyncio.Task[Outcome]] = {}
        for document in documents:
            id = document.get("id") if isinstance(document, dict) else None
            former = newest.get(id) if isinstance(id, str) else None
            if len(documents) <= IN_ORDER_MAX and putting:
                former = putting[-1]
            putting.append(asyncio.create_task(self._put(document, replace=replace, after=former)))
            if isinstance(id, str):
                newest[id] = putting[-1]
        try:
            for each in putting:
                yield await each
        finally:
            for each in putting:
                each.cancel()
            await asyncio.gather(*putting, return_exceptions=True)

    async def bodies(self) -> AsyncIterator[bytes]:
        """As ImportTarget says."""
        async for document in self._client.clusters.query({}):
            yield encode_json(document)

    async def _put(self, document: Value, *, replace: bool, after: "asyncio.Task[Outcome] | None") -> Outcome:
        try:
            if after is not None:
                await asyncio.wait([after])
            if not isinstance(document, dict):
                raise DocumentInvalid(problems=[Problem("", "a cluster is an object")])
            async with self._room:
                return await self._create(document, replace=replace)
        except RegistryError as error:
            return concerning_one(error)

    async def _create(self, document: Document, *, replace: bool) -> tuple[str, ...]:
        try:
            return (await self._client.clusters.create(document)).warnings
        except ClusterExists:
            if not replace:
                raise
        return (await self._client.clusters.update(str(document["id"]), replacement(document))).warnings


def replacement(document: Document) -> Any:
    """The update that puts ``document``, filled like a new one, in the place of what is there, in one step."""
    return [{"$replaceWith": {"$literal": accept_new(document, rules=AS_IT_IS).document}}]
