"""A registry in this process, with a journal on the disk."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from rollbook.assembly import open_registry
from rollbook.registry.registry import Registry
from rollbook.settings import Settings


@pytest.fixture
async def registry(tmp_path: Path) -> AsyncIterator[Registry]:
    """An empty registry, open."""
    async with open_registry(Settings(data=tmp_path / "data")) as opened:
        yield opened
