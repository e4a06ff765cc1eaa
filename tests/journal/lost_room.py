"""Blocks in which a store has no room to write."""

from collections.abc import Iterator
from contextlib import contextmanager

import apsw
import psycopg

from rollbook.journal.memory.disk import MemoryDisk


@contextmanager
def full_room(disk: MemoryDisk) -> Iterator[None]:
    disk.problem = "there is no room"
    yield
    disk.problem = None


@contextmanager
def full_disk(connection: apsw.Connection) -> Iterator[None]:
    """What fits into the pages that the file has is still written: a large write fails in its midst."""
    pages, pages_max = connection.pragma("page_count"), connection.pragma("max_page_count")
    connection.pragma("max_page_count", pages)
    yield
    connection.pragma("max_page_count", pages_max)


@contextmanager
def full_engine(target: str, *tables: str) -> Iterator[None]:
    """What is small is still written; a large row is refused as an engine without room refuses it."""
    with psycopg.connect(target, autocommit=True) as connection:
        connection.execute(NO_ROOM)
        for table in tables:
            connection.execute(  # type: ignore[call-overload]
                f"CREATE TRIGGER no_room BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION no_room()"
            )
        yield
        for table in tables:
            connection.execute(f"DROP TRIGGER no_room ON {table}")  # type: ignore[call-overload]


NO_ROOM = """
CREATE OR REPLACE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF length(NEW::text) > 10000 THEN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END IF;
    RETURN NEW;
END $$
"""
