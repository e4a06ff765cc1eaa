"""Clients: a registry at a URL, and the sending of calls to it.

One rule: a method returns what the registry answered, or raises what it refused with. What is no answer of a registry
(no connection, a time-out, another server's page) is RegistryUnreachable, and says whether what was asked may have been
done.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote

import httpx2

from rollbook.client.calls import Answer, Call, Stream
from rollbook.client.nouns import (
    AwaitingAccess,
    AwaitingClusters,
    AwaitingHistory,
    AwaitingNodes,
    AwaitingRegistry,
    AwaitingRoles,
    AwaitingTokens,
    AwaitingWebhooks,
    WaitingAccess,
    WaitingClusters,
    WaitingHistory,
    WaitingNodes,
    WaitingRegistry,
    WaitingRoles,
    WaitingTokens,
    WaitingWebhooks,
)
from rollbook.client.replies import check
from rollbook.client.retrying import Failure, Retries
from rollbook.errors import RegistryUnreachable, SettingRefused

T = TypeVar("T")

TIMEOUT = httpx2.Timeout(30.0, connect=5.0)
DEFAULT_RETRIES = Retries()
NOT_SENT = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.ProxyError,
    httpx2.UnsupportedProtocol,
    OverflowError,
    ExceptionGroup,
)
FAILURES = (httpx2.HTTPError, httpx2.StreamError, httpx2.InvalidURL, RuntimeError, OverflowError, ExceptionGroup)
"""What the HTTP library raises: RuntimeError when the client is closed, and OverflowError, alone or in a group, when a
connection is to be made to a port that can't be."""

CANNOT_BE_MADE = (ValueError, ImportError, OSError, httpx2.InvalidURL)
"""What it raises for a proxy or a file of certificates, which the environment names, that can't be used."""


class Connection:
    """What both clients know of the registry's address, and how answers and failures are understood."""

    def __init__(self, url: str, token: str | None, reason: str | None, retries: Retries) -> None:
        self.address = _address(url)
        self.shown = str(self.address.copy_with(username=None, password=None)).rstrip("/")
        self.retries = retries
        self.headers = {
            name: value
            for name, value in (
                ("x-reason", quote(reason) if reason else None),
                ("authorization", f"Bearer {token}" if token else None),
            )
            if value is not None
        }

    def options(self, timeout: httpx2.Timeout) -> dict[str, Any]:
        """How the HTTP library's client is made."""
        return {"base_url": self.address, "timeout": timeout, "headers": self.headers}

    def request(self, call: Call[Any]) -> dict[str, Any]:
        """What the HTTP library is asked to send."""
        headers = dict(call.headers)
        if call.body is not None:
            headers.setdefault("content-type", "application/json")
        return {"method": call.method, "url": call.target, "headers": headers, "content": call.body}

    def pause(self, attempt: int, outcome: Answer | Exception, call: Call[Any]) -> float | None:
        """Seconds until the call is sent again; None: the outcome stands."""
        if isinstance(outcome, Answer):
            return self.retries.pause_after_answer(attempt, outcome, time.time(), repeatable=call.repeatable)
        failure: Failure = "not sent" if isinstance(outcome, NOT_SENT) else "no answer"
        if isinstance(outcome, RuntimeError):
            return None
        return self.retries.pause_after_failure(attempt, failure, repeatable=call.repeatable)

    def unreachable(self, error: Exception, call: Call[Any]) -> RegistryUnreachable:
        """A failure of the HTTP library, in our words."""
        words = str(error) or type(error).__name__
        if isinstance(error, RuntimeError) and not isinstance(error, httpx2.StreamError):
            return RegistryUnreachable(f"the client of {self.shown} is closed")
        if isinstance(error, NOT_SENT):
            return RegistryUnreachable(f"no connection to {self.shown}, nothing was sent: {words}")
        if call.repeatable:
            return RegistryUnreachable(f"no answer came from {self.shown}: {words}")
        return RegistryUnreachable(f"no answer came from {self.shown}; what was asked may have been done: {words}")


class Client:
    """A registry at a URL, for callers that wait. Thread-safe; close it, or use it as a context manager.

    A connection is made within 5 s, and each wait for the network ends after 30 s unless ``timeout_seconds`` says
    otherwise. ``reason`` goes into the history of every cluster that this client writes.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        reason: str | None = None,
        timeout_seconds: float | None = None,
        retries: Retries = DEFAULT_RETRIES,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        self._connection = Connection(url, token, reason, retries)
        options = self._connection.options(_timeout(timeout_seconds))
        try:
            self._http = httpx2.Client(**options, transport=transport)
        except CANNOT_BE_MADE as error:
            raise no_client(error) from None
        self.clusters = WaitingClusters(self)
        self.nodes = WaitingNodes(self)
        self.history = WaitingHistory(self)
        self.webhooks = WaitingWebhooks(self)
        self.tokens = WaitingTokens(self)
        self.roles = WaitingRoles(self)
        self.access = WaitingAccess(self)
        self.registry = WaitingRegistry(self)

    def send(self, call: Call[T]) -> T:
        """Send a call, again where that is safe, and return its result. Raises the registry's refusal."""
        attempt = 0
        while True:
            attempt += 1
            try:
                with self._http.stream(**self._connection.request(call)) as response:
                    outcome: Answer | Exception = _answer(response, response.read())
            except FAILURES as error:
                outcome = error
            pause = self._connection.pause(attempt, outcome, call)
            if pause is None:
                if isinstance(outcome, Answer):
                    return call.read(outcome)
                raise self._connection.unreachable(outcome, call) from outcome
            time.sleep(pause)

    def stream(self, stream: Stream[T]) -> Iterator[T]:
        """The values of an answer, as they arrive."""
        call, decoder = stream.call, stream.decoder()
        try:
            with self._http.stream(**self._connection.request(call)) as response:
                if not response.is_success:
                    check(_answer(response, response.read()))
                for data in response.iter_bytes():
                    yield from decoder.feed(data)
                yield from decoder.end()
        except FAILURES as error:
            raise self._connection.unreachable(error, call) from error

    def close(self) -> None:
        """Close the connections. Closing twice is harmless."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


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
    ) -> None:
        self._connection = Connection(url, token, reason, retries)
        options = self._connection.options(_timeout(timeout_seconds))
        try:
            self._http = httpx2.AsyncClient(**options, transport=transport)
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

    async def send(self, call: Call[T]) -> T:
        """As ``Client.send``."""
        attempt = 0
        while True:
            attempt += 1
            try:
                async with self._http.stream(**self._connection.request(call)) as response:
                    outcome: Answer | Exception = _answer(response, await response.aread())
            except FAILURES as error:
                outcome = error
            pause = self._connection.pause(attempt, outcome, call)
            if pause is None:
                if isinstance(outcome, Answer):
                    return call.read(outcome)
                raise self._connection.unreachable(outcome, call) from outcome
            await asyncio.sleep(pause)

    async def stream(self, stream: Stream[T]) -> AsyncIterator[T]:
        """As ``Client.stream``."""
        call, decoder = stream.call, stream.decoder()
        try:
            async with self._http.stream(**self._connection.request(call)) as response:
                if not response.is_success:
                    check(_answer(response, await response.aread()))
                async for data in response.aiter_bytes():
                    for value in decoder.feed(data):
                        yield value
                for value in decoder.end():
                    yield value
        except FAILURES as error:
            raise self._connection.unreachable(error, call) from error

    async def close(self) -> None:
        """Close the connections. Closing twice is harmless."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()


def no_client(error: Exception) -> SettingRefused:
    """The refusal of an environment in which the HTTP library can't be used."""
    return SettingRefused(f"no client can be made; is a proxy, or SSL_CERT_FILE, set in the environment? {error}")


def _answer(response: httpx2.Response, body: bytes) -> Answer:
    headers = [(name.lower(), value) for name, value in response.headers.multi_items()]
    return Answer(response.status_code, response.reason_phrase, headers, body)


def _timeout(seconds: float | None) -> httpx2.Timeout:
    return TIMEOUT if seconds is None else httpx2.Timeout(seconds, connect=min(seconds, 5.0))


def _address(url: str) -> httpx2.URL:
    try:
        address = httpx2.URL(url)
    except (httpx2.InvalidURL, ValueError) as error:
        raise SettingRefused(f"the address of a registry must be a URL: {error}") from None
    if address.scheme not in ("http", "https") or not address.host:
        raise SettingRefused(f"the address of a registry must look like http://localhost:3000, not {url!r}")
    return address
