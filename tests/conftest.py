"""What all tests share: a test that lacks something outside the project is skipped, except where all must run.

``ROLLBOOK_TEST_REQUIRE=all`` says that everything is there. A skip then hides a fault, so it fails.
"""

import os
from collections.abc import Generator
from typing import Any

import pytest

ALL_REQUIRED = os.environ.get("ROLLBOOK_TEST_REQUIRE") == "all"


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
