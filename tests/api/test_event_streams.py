"""Streams of events from inside: what a reader is sent when the past goes away under it."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from rollbook.api.events import NDJSON, SSE, EventStream
from rollbook.registry.reading.requests import parse_watch_filter
from rollbook.security.callers import Caller
from tests.api.edges import served
from tests.registry.writing import create


@pytest.mark.parametrize("media_type", [NDJSON, SSE])
async def test_a_past_that_goes_away_ends_a_watch_with_the_last_revision_that_it_sent(
    tmp_path: Path, media_type: str
) -> None:
    async with served(tmp_path / "data") as server:
        registry = server.registry
        first, gone = [await create(registry, f"c{number}") for number in range(4)][0::2]
        registry.journal.compaction.step(gone)
        registry.committer._recent._changes.clear()  # as if the registry had been restarted meanwhile
        filter = parse_watch_filter({}, at="", limits=registry.limits)
        opening = registry.watching.open(Caller.FULL, filter, form="document", since=first)
        with opening as watch:
            stream = EventStream(opening, media_type)
            pieces = [piece async for piece in stream._pieces(watch)]
    closing = pieces[-1].decode()
    assert "id: " not in closing, "whoever resumed after it would miss what was never sent"
    event = json.loads(closing[closing.index("{") :])
    assert (event["event"], event["revision"], event["code"]) == ("compacted", first, "compacted")


@pytest.mark.parametrize("media_type", [NDJSON, SSE])
async def test_a_damaged_change_ends_a_watch_with_what_is_damaged(tmp_path: Path, media_type: str) -> None:
    async with served(tmp_path / "data") as server:
        registry = server.registry
        first = (await create(registry, "before"), await create(registry, "damaged"))[0]
        registry.committer._recent._changes.clear()  # as if the registry had been restarted meanwhile
        with closing(sqlite3.connect(tmp_path / "data" / "rollbook.sqlite3")) as file, file:
            file.execute("UPDATE changes SET actor = 'nobody' WHERE revision = ?", (first + 1,))
        filter = parse_watch_filter({}, at="", limits=registry.limits)
        opening = registry.watching.open(Caller.FULL, filter, form="document", since=first)
        with opening as watch:
            stream = EventStream(opening, media_type)
            pieces = [piece async for piece in stream._pieces(watch)]
    closing_event = pieces[-1].decode()
    event = json.loads(closing_event[closing_event.index("{") :])
    assert (event["event"], event["revision"], event["code"]) == ("overflow", first, "data-directory-unsound")
    assert "'damaged'" in event["detail"]
