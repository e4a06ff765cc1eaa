"""One real server whose webhooks may reach the loopback address; each test uses webhooks and clusters of its own."""

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import httpx
import pytest

from tests.serving import ServerProcess
from tests.webhooks.receiving import Target, target

LOOPBACK_ALLOWED = {"ROLLBOOK_WEBHOOKS_PRIVATE": "127.0.0.0/8"}
QUICK = {"firstSeconds": 0.1, "longestSeconds": 0.2, "attempts": 3}

_numbers = count(1)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A running server with an empty registry."""
    with ServerProcess(tmp_path_factory.mktemp("served") / "data", environment=LOOPBACK_ALLOWED) as running:
        yield running


@pytest.fixture(scope="module")
def http(server: ServerProcess) -> Iterator[httpx.Client]:
    """A client of that server."""
    with httpx.Client(base_url=server.url, timeout=20) as client:
        yield client


@pytest.fixture
def receiver() -> Iterator[Target]:
    """A target that accepts everything."""
    with target() as opened:
        yield opened


@pytest.fixture
def fresh_id() -> str:
    """An id that no other test uses."""
    return f"cluster-{next(_numbers)}"


@pytest.fixture
def hook(http: httpx.Client, receiver: Target) -> Iterator[Callable[..., dict[str, Any]]]:
    """Registers a webhook at the receiver, quick to try again; it is gone after the test."""
    made: list[str] = []

    def register(**members: Any) -> dict[str, Any]:
        reply = http.post("/webhooks", json={"url": receiver.url, "retry": QUICK, **members})
        assert reply.status_code == 201, reply.text
        made.append(reply.json()["id"])
        body: dict[str, Any] = reply.json()
        return body

    yield register
    for id in made:
        http.delete(f"/webhooks/{id}")
