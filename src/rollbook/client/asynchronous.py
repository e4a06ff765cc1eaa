"""The client for callers that await. As ``blocking`` otherwise."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx2

from rollbook.client.beating import AsyncHeartbeater
from rollbook.client.calls import Answer, Call, Json, Stream, Warn
from rollbook.client.changing import ATTEMPTS_MAX, changing
from rollbook.client.connections import (
    CANNOT_BE_MADE,
    FAILURES,
    Connection,
    answer_of,
    headers_in,
    no_client,
    timeout_of,
)
from rollbook.client.informing import AsyncInformer
from rollbook.client.nouns import (
    AwaitingAccess,
    AwaitingClusters,
    AwaitingHistory,
    AwaitingNodes,
    AwaitingRegistry,
    AwaitingRoles,
    AwaitingTokens,
    AwaitingWebhooks,
)
from rollbook.client.replicas import IndexKey
from rollbook.client.replies import Reply
from rollbook.client.retrying import DEFAULT_RETRIES, Retries
from rollbook.client.steps import Pause, Steps
from rollbook.client.watching import AsyncWatch, Position
from rollbook.errors import RegistryError

T = TypeVar("T")


class AsyncClient:
    """A registry at a URL, for callers that await. As ``Client`` otherwise."""

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        reason: str | None = None,
        timeout_seconds: float | None = None,
        retries: Retries = DEFAULT_RETRIES,
        transport: httpx2.AsyncBaseTransport | None = None,
        hooks: Sequence[Callable[[httpx2.Request], Any]] = (),
        warn: Warn | None = None,
    ) -> None:
        self._connection = Connection(url, token, reason, retries, warn)
        options = self._connection.options(timeout_of(timeout_seconds))
        try:
            self._http = httpx2.AsyncClient(**options, transport=transport, event_hooks={"request": list(hooks)})
        except CANNOT_BE_MADE as error:
            raise no_client(error) from None
        self.clusters = AwaitingClusters(self)
        self.nodes = AwaitingNodes(self)
        self.history = AwaitingHistory(self)
        self.webhooks = AwaitingWebhooks(self)
        self.tokens = AwaitingTokens(self)
        self.roles = AwaitingRoles(self)
        self.access = AwaitingAccess(self)
        self.registry = AwaitingRegistry(self)

    @property
    def shown(self) -> str:
        """The address of the registry, without a name and a password."""
        return self._connection.shown

    async def send(self, call: Call[T], *, retries: Retries | None = None) -> T:
        """As ``Client.send``."""
        attempt = 0
        while True:
            attempt += 1
            try:
                async with self._http.stream(**self._connection.request(call)) as response:
                    outcome: Answer | Exception = answer_of(response, await response.aread())
            except FAILURES as error:
                outcome = error
            pause = self._connection.pause(attempt, outcome, call, retries)
            if pause is None:
                if isinstance(outcome, Answer):
                    self._connection.heed(outcome.headers)
                    return call.read(outcome)
                raise self._connection.unreachable(outcome, call) from outcome
            await asyncio.sleep(pause)

    async def stream(self, stream: Stream[T]) -> AsyncIterator[T]:
        """As ``Client.stream``."""
        call, decoder, attempt = stream.call, stream.decoder(), 0
        pause: float | None = 0.0
        while pause is not None:
            attempt += 1
            await asyncio.sleep(pause)
            try:
                async with self._http.stream(**self._connection.request(call)) as response:
                    self._connection.heed(headers_in(response))
                    answer = None if response.is_success else answer_of(response, await response.aread())
                    pause = self._connection.pause_in(stream, attempt, answer)
                    if pause is not None:
                        continue
                    async for data in response.aiter_bytes():
                        for value in decoder.feed(data):
                            yield value
                    for value in decoder.end():
                        yield value
            except FAILURES as error:
                raise self._connection.unreachable(error, call) from error

    async def run(self, steps: Steps[T]) -> T:
        """As ``Client.run``."""
        outcome, error = None, None
        while True:
            try:
                step = steps.send(outcome) if error is None else steps.throw(error)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]
            outcome, error = None, None
            try:
                if isinstance(step, Pause):
                    await asyncio.sleep(step.seconds)
                else:
                    outcome = await self.send(step)
            except RegistryError as refusal:
                error = refusal

    async def change(
        self,
        id: str,
        function: Callable[[Json], Json | None],
        *,
        reason: str | None = None,
        attempts: int = ATTEMPTS_MAX,
    ) -> Reply:
        """As ``Client.change``; the function is not awaited."""
        return await self.run(changing(id, function, reason=reason, attempts=attempts))

    def watch(
        self,
        filter: Json | None = None,
        *,
        since: int | None = None,
        detail: str | None = None,
        bookmarks: bool = False,
    ) -> AsyncWatch:
        """As ``Client.watch``, for ``async for``."""
        return AsyncWatch(self, Position(filter, since, detail), bookmarks=bookmarks)

    def informer(self, filter: Json | None = None, *, index_by: Mapping[str, IndexKey] | None = None) -> AsyncInformer:
        """As ``Client.informer``: ``async with client.informer(...) as clusters:``."""
        return AsyncInformer(self, filter, index_by=index_by)

    def heartbeater(
        self,
        id: str,
        *,
        every: float | None = None,
        ttl_seconds: int | None = None,
        nodes: Sequence[str] | None = None,
    ) -> AsyncHeartbeater:
        """As ``Client.heartbeater``: ``async with client.heartbeater(...):``."""
        return AsyncHeartbeater(self, id, every=every, ttl_seconds=ttl_seconds, nodes=nodes)

    async def close(self) -> None:
        """Close the connections. Closing twice is harmless."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()
