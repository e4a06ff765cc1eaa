"""A registry and an independent, simple model of it take the same random steps and never differ.

``make model`` walks hundreds of seeds (ROLLBOOK_MODEL_SEEDS); the suite walks a few.
"""

import os
from pathlib import Path

import pytest

from tests.model.walking import Walk

SEEDS = int(os.environ.get("ROLLBOOK_MODEL_SEEDS", "2"))


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_registry_does_what_the_model_does(tmp_path: Path, seed: int) -> None:
    Walk(tmp_path, seed).run()
