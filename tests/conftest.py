"""What all tests share: a test that lacks something outside the project is skipped, except where all must run.

``ROLLBOOK_TEST_REQUIRE=all`` says that everything is there. A skip then hides a fault, so it fails.
"""

import os
from collections.abc import Generator
from functools import cache
from typing import Any

import httpx
import pytest
from hypothesis import settings

from tests.postgresql import shared_schemas, stop_shared_server
from tests.recording import SEEN, leave, record

LAST = "tests/test_declared.py"
"""Compares what all other tests have seen."""

ALL_REQUIRED = os.environ.get("ROLLBOOK_TEST_REQUIRE") == "all"


def pytest_configure() -> None:
    settings.register_profile("unhurried", settings(), deadline=None)  # a busy machine is no fault
    settings.load_profile("unhurried")
    record()
    read_authorities_once()


def read_authorities_once() -> None:
    """Reading the certificates of all authorities takes 30 ms, and the suite makes thousands of clients."""
    read = cache(lambda verify, cert, trust_env, _file, _directory: httpx.create_ssl_context(verify, cert, trust_env))

    def shared(verify: Any = True, cert: Any = None, trust_env: bool = True) -> Any:
        return read(verify, cert, trust_env, os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))

    httpx._transports.default.create_ssl_context = shared  # type: ignore[attr-defined]


def pytest_sessionfinish(session: pytest.Session) -> None:
    worker = getattr(session.config, "workerinput", {"workerid": "alone"})["workerid"]
    if not session.config.getoption("numprocesses", None):
        leave(worker)


def pytest_unconfigure() -> None:
    stop_shared_server()


@pytest.fixture
def postgresql_url() -> str:
    """The connection string of an empty schema on the PostgreSQL server that all tests share."""
    return shared_schemas().new()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.nodeid.startswith(LAST))


@pytest.fixture(scope="session")
def whole_suite(request: pytest.FixtureRequest) -> bool:
    """Whether nothing was left out and all that ran has passed so far."""
    if SEEN is not None:
        return not request.session.testsfailed
    config, session = request.config, request.session
    chosen = config.option.keyword or config.option.markexpr or config.getoption("lf", False) or config.option.deselect
    whole = config.args_source is not pytest.Config.ArgsSource.ARGS or config.args == [str(config.rootpath / "tests")]
    return whole and not chosen and not session.testsfailed


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, Any, Any]:
    return failed_if_skipped((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, Any, Any]:
    return failed_if_skipped((yield))


def failed_if_skipped(report: Any) -> Any:
    """The report, with a skip turned into a failure where all must run."""
    if ALL_REQUIRED and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, though ROLLBOOK_TEST_REQUIRE=all: {report.longrepr}"
    return report
