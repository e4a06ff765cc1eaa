"""What the whole suite asked of real servers over HTTP, and how it was answered.

One rule: a request is recorded by what its row must declare: the operation, the status, the code of a refusal, the
names of parameters and headers, and the media type. ``tests/test_declared.py`` compares it with the table at the end.
Several processes that run parts of the suite each leave their record in the directory ``ROLLBOOK_TEST_SEEN``.
"""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import msgspec

from rollbook.api.declarations import PROBLEM_JSON, Operation
from rollbook.api.operations import OPERATIONS
from rollbook.api.routing import Router
from rollbook.errors import RegistryError
from tests import serving

ROUTER = Router(OPERATIONS)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One way in which a request was asked and answered. ``operation`` None: no row has its address and method."""

    operation: str | None
    method: str
    status: int
    code: str | None
    parameters: frozenset[str]
    headers: frozenset[str]
    media_type: str


RECORD: set[Exchange] = set()
SEEN = Path(os.environ["ROLLBOOK_TEST_SEEN"]) if "ROLLBOOK_TEST_SEEN" in os.environ else None
"""Where the processes of one run leave their records; None: one process runs everything."""


def leave(name: str) -> None:
    """Write what this process saw, for the one that compares."""
    if SEEN is not None:
        SEEN.mkdir(parents=True, exist_ok=True)
        (SEEN / f"{name}.json").write_bytes(msgspec.json.encode(RECORD))


def seen() -> set[Exchange]:
    """What this process saw, and what others left."""
    left = () if SEEN is None else SEEN.glob("*.json")
    return RECORD.union(*(msgspec.json.decode(file.read_bytes(), type=set[Exchange]) for file in left))


def record() -> None:
    """Record every answer of a ``ServerProcess`` that httpx is given from now on."""
    send, send_async = httpx.HTTPTransport.handle_request, httpx.AsyncHTTPTransport.handle_async_request

    def handle_request(self: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        response = send(self, request)
        if is_ours(request):
            if media_type_of(response) == PROBLEM_JSON:
                response.read()
            RECORD.add(exchange_of(request, response))
        return response

    async def handle_async_request(self: httpx.AsyncHTTPTransport, request: httpx.Request) -> httpx.Response:
        response = await send_async(self, request)
        if is_ours(request):
            if media_type_of(response) == PROBLEM_JSON:
                await response.aread()
            RECORD.add(exchange_of(request, response))
        return response

    httpx.HTTPTransport.handle_request = handle_request  # type: ignore[method-assign]
    httpx.AsyncHTTPTransport.handle_async_request = handle_async_request  # type: ignore[method-assign]


def is_ours(request: httpx.Request) -> bool:
    """Whether a request goes to a server of the tests."""
    return request.url.port in serving.PORTS


def media_type_of(response: httpx.Response) -> str:
    """The media type of an answer, without its parameters."""
    return response.headers.get("content-type", "").partition(";")[0]


def exchange_of(request: httpx.Request, response: httpx.Response) -> Exchange:
    """What is recorded of a request and its answer."""
    media_type = media_type_of(response)
    code = response.json()["code"] if media_type == PROBLEM_JSON and request.method != "HEAD" else None
    return Exchange(
        name_of(request),
        request.method,
        response.status_code,
        code,
        frozenset(request.url.params),
        frozenset(name.lower() for name in response.headers),
        media_type,
    )


def name_of(request: httpx.Request) -> str | None:
    """The operation that a request means."""
    try:
        return ROUTER.find(request.method, request.url.raw_path.partition(b"?")[0])[0].name
    except RegistryError:
        return None


def undeclared(exchanges: Iterable[Exchange], is_declared: Callable[[Operation, Exchange], bool]) -> list[Any]:
    """The exchanges that the row of their operation does not declare."""
    rows = {operation.name: operation for operation in OPERATIONS}
    return [each for each in exchanges if each.operation and not is_declared(rows[each.operation], each)]
