"""The notebooks of the documentation show what they give."""

from pathlib import Path

import nbformat
import pytest

from tests.docs.notebooks import NOTEBOOKS, executed, texts_of


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_gives_what_it_shows(path: Path, tmp_path: Path) -> None:
    shown = texts_of(nbformat.read(path, as_version=4))
    assert shown
    assert texts_of(executed(path, tmp_path)) == shown
