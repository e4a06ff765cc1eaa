"""What the tests of the language are given when `make mutation` runs them for each of thousands of mutants."""

import os
import sys
from pathlib import Path

from hypothesis import Phase, settings

from rollbook.language.regular_expressions import compile_pattern, lines

PACKAGE = os.environ.get("ROLLBOOK_MUTATION")

# The same few examples for every mutant, so that what one survives is no matter of luck; one that is found out is not
# made smaller.
settings.register_profile(
    "mutation",
    max_examples=10,
    derandomize=True,
    database=None,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
)

if PACKAGE:
    sys.setrecursionlimit(5000)  # each call of a mutated function is three calls deep


def pytest_runtest_setup() -> None:
    """No test is given patterns that others compiled: not those of no mutant, nor so that it seems to reach less."""
    if PACKAGE:
        compile_pattern.cache_clear()
        lines._engine_for_lines.cache_clear()


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """A mutant meets the tests of its own package: they are to tell what is wrong with it, and they are quick."""
    below = collection_path.relative_to(Path(__file__).parent).parts
    if not PACKAGE or not below:
        return None
    name = below[0].removeprefix("test_").removesuffix(".py")
    return None if name == PACKAGE or name.startswith(f"{PACKAGE}_") else True
