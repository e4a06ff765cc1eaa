"""Where no corpus is named there is nothing to collect: that is neither a skip nor a failure."""

import os
from collections.abc import Callable

import pytest

from tests.conformance.corpus import VARIABLE, Run

collect_ignore = [] if os.environ.get(VARIABLE) else ["test_corpus.py"]

FIGURES = pytest.StashKey[list[str]]()


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Callable[[str, Run], None]:
    """Puts the figures of a run below the tests' summary."""
    figures = request.config.stash.setdefault(FIGURES, [])
    return lambda runner, run: figures.append(f"conformance, {runner}: {run}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for line in config.stash.get(FIGURES, []):
        terminalreporter.write_line(line)
