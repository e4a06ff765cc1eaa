"""One connection to a registry, and its operations as methods.

One rule: a method returns what the registry answered, or raises what the registry refused with. What is not a
registry's answer at all (no connection, a time-out, somebody else's page) is RegistryUnreachable.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx

from rollbook.client.arrays import elements
from rollbook.client.replies import Json, Reply, reply_of
from rollbook.errors import RegistryUnreachable, SettingRefused


class Client:
    """A registry at a URL. Thread-safe; close it, or use it as a context manager.

    ``timeout_seconds`` bounds each wait for the network, not the whole of a long answer. ``reason`` goes into the
    history of every cluster that this client writes.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout_seconds: float = 60.0,
        reason: str | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        address = _address(url)
        self._shown = str(address.copy_with(username=None, password=None)).rstrip("/")
        self._http = httpx.Client(
            base_url=address,
            timeout=timeout_seconds,
            headers={"x-reason": quote(reason)} if reason else None,
            transport=transport,
        )

    def create(self, document: Json) -> Reply:
        """Enrol a cluster."""
        return self._ask("POST", "/clusters", document)

    def read(self, id: str) -> Reply:
        """The document of a cluster."""
        return self._ask("GET", _path_of(id))

    def update(self, id: str, update: Any, *, if_match: str | None = None) -> Reply:
        """Apply an update; with ``if_match`` (the ``etag`` of a reply) only to the document that was seen then."""
        return self._ask("PUT", _path_of(id), update, if_match=if_match)

    def delete(self, id: str, *, if_match: str | None = None) -> None:
        """Strike a cluster off the roll."""
        self._ask("DELETE", _path_of(id), if_match=if_match)

    def query(self, filter: Json, **options: Any) -> Iterator[Json]:
        """The documents that match, one by one as they arrive; ``options`` are ``sort``, ``skip``, ``limit`` and so on.

        The request is sent when the first document is asked for.
        """
        request = self._http.build_request("POST", "/clusters/query", json={"query": filter, **options})
        with self._answering(request, stream=True) as response:
            if response.is_success:
                yield from elements(response.iter_text())
            else:
                response.read()
                reply_of(response, shown=self._shown)

    def close(self) -> None:
        """Give up the connections. Closing twice is harmless."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _ask(self, method: str, path: str, body: Any = None, *, if_match: str | None = None) -> Reply:
        headers = {"if-match": if_match} if if_match is not None else None
        request = self._http.build_request(method, path, json=body, headers=headers)
        with self._answering(request) as response:
            return reply_of(response, shown=self._shown)

    @contextmanager
    def _answering(self, request: httpx.Request, *, stream: bool = False) -> Iterator[httpx.Response]:
        try:
            response = self._http.send(request, stream=stream)
            try:
                yield response
            finally:
                response.close()
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise RegistryUnreachable(f"no connection to {self._shown}: {_words(error)}") from error
        except httpx.TransportError as error:
            raise RegistryUnreachable(
                f"no answer came from {self._shown}, and what was asked may be done all the same: {_words(error)}"
            ) from error


def _address(url: str) -> httpx.URL:
    try:
        address = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise SettingRefused(f"the address of a registry must be a URL: {error}") from None
    if address.scheme not in ("http", "https") or not address.host:
        raise SettingRefused(f"the address of a registry must look like http://localhost:3000, not {url!r}")
    return address


def _path_of(id: str) -> str:
    return f"/clusters/{quote(id, safe='')}"


def _words(error: httpx.TransportError) -> str:
    return str(error) or type(error).__name__
