"""Blocks in which a store has no room to write."""

from collections.abc import Iterator
from contextlib import contextmanager

import apsw

from rollbook.journal.memory.disk import MemoryDisk


@contextmanager
def trouble_on(disk: MemoryDisk) -> Iterator[None]:
    disk.trouble = "there is no room"
    yield
    disk.trouble = None


@contextmanager
def full_disk(connection: apsw.Connection) -> Iterator[None]:
    """What fits into the pages that the file has is still written: a large write fails in its midst."""
    pages, pages_max = connection.pragma("page_count"), connection.pragma("max_page_count")
    connection.pragma("max_page_count", pages)
    yield
    connection.pragma("max_page_count", pages_max)
