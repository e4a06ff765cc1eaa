"""One real server for the tests of a module; each test uses ids of its own."""

from collections.abc import Iterator
from itertools import count

import httpx
import pytest

from tests.serving import ServerProcess

_numbers = count(1)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A running server with an empty registry."""
    with ServerProcess(tmp_path_factory.mktemp("served") / "data") as running:
        yield running


@pytest.fixture(scope="module")
def http(server: ServerProcess) -> Iterator[httpx.Client]:
    """A client of that server; redirects are not followed."""
    with httpx.Client(base_url=server.url, timeout=20) as client:
        yield client


@pytest.fixture
def fresh_id() -> str:
    """An id that no other test uses."""
    return f"cluster-{next(_numbers)}"
