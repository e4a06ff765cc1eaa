"""The reference says what the code does."""

import re
from pathlib import Path

import pytest

from rollbook.api.declarations import Operation
from rollbook.api.operations import OPERATIONS
from rollbook.cli.completing import TABLE
from tests.docs.completions import completions
from tests.docs.pages import ROOT
from tests.docs.reference import PART, PARTS, REFERENCE, pages_with_parts, written


@pytest.mark.parametrize("page", pages_with_parts(), ids=lambda page: page.name)
def test_a_generated_part_is_what_the_code_says_now(page: Path) -> None:
    assert page.read_text() == written(page.read_text()), "run make reference"


def test_completion_knows_the_commands_as_they_are() -> None:
    assert TABLE.read_text() == completions(), "run make reference"


def test_every_generated_part_stands_on_a_page() -> None:
    named = {part[2] for page in pages_with_parts() for part in PART.finditer(page.read_text())}
    assert named == PARTS.keys()


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_a_page_without_the_row_of_an_operation_is_not_what_the_code_says(operation: Operation) -> None:
    page = (REFERENCE / "http.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith(f"| `{operation.method} {operation.template}` |")]
    assert len(rows) == 1
    without = page.replace(rows[0] + "\n", "")
    assert written(without) == page != without


def test_the_page_of_differences_names_operations_that_there_are() -> None:
    named = re.findall(
        r"`(GET|POST|PUT|DELETE) (/\S+?)(?:\?\S+)?`", (REFERENCE / "deliberate-differences.md").read_text()
    )
    assert len(named) >= 10
    assert set(named) <= {(each.method, each.template) for each in OPERATIONS}


def test_the_tests_that_back_the_promises_are_there() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", (REFERENCE / "promises.md").read_text())
    assert named
    assert [(path, test) for path, test in named if f"def {test}(" not in (ROOT / path).read_text()] == []
