"""What the tests of the language are given when `make mutation` runs them for each of thousands of mutants."""

import os
import sys
from pathlib import Path

from hypothesis import Phase, settings

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


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """A mutant meets the tests of its own package: they are to tell what is wrong with it, and they are quick."""
    below = collection_path.relative_to(Path(__file__).parent).parts
    return True if PACKAGE and below and below[0].removeprefix("test_").split("_")[0].split(".")[0] != PACKAGE else None
