"""One real server for the tests of a module; each test uses ids of its own.

Some modules are run on both engines; ``ROLLBOOK_TEST_ENGINE=postgresql`` runs all of them on PostgreSQL.
"""

from collections.abc import Iterator
from itertools import count

import httpx
import pytest

from tests.postgresql import IS_SHARED, shared_schemas
from tests.serving import ServerProcess

_numbers = count(1)

ON_BOTH_ENGINES = frozenset({"test_conditional_requests", "test_idempotency", "test_upserts"})


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Have the chosen modules served on both engines."""
    if "server" in metafunc.fixturenames and metafunc.module.__name__.rpartition(".")[2] in ON_BOTH_ENGINES:
        metafunc.parametrize("server", ["embedded", "postgresql"], indirect=True, scope="module")


@pytest.fixture(scope="module")
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A running server with an empty registry."""
    engine = getattr(request, "param", "postgresql" if IS_SHARED else "embedded")
    environment = {"ROLLBOOK_JOURNAL": shared_schemas().new()} if engine == "postgresql" else {}
    with ServerProcess(tmp_path_factory.mktemp("served") / "data", environment=environment) as running:
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
