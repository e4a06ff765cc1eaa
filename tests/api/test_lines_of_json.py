"""Streams of lines have a line a document or event for every reader: no text in them holds a separator of lines."""

import json
import unicodedata
from pathlib import Path
from typing import Any

import httpx
import pytest

from rollbook.documents.lines import one_line, safe_on_terminals
from tests.api.edges import served
from tests.examples import cluster
from tests.registry.writing import create

SEPARATORS = "".join(map(chr, range(0x3000)))
"""Every character of the first planes of Unicode, all that Python's ``splitlines`` splits at among them."""
LINES = {"accept": "application/x-ndjson"}


def test_json_with_every_character_is_one_line_and_says_the_same() -> None:
    body = json.dumps({SEPARATORS: [SEPARATORS]}, ensure_ascii=False).encode()
    assert len(body.decode().splitlines()) > 1
    assert len(one_line(body).decode().splitlines()) == 1
    assert json.loads(one_line(body)) == json.loads(body)


def test_json_for_a_terminal_holds_nothing_that_terminals_obey_and_says_the_same() -> None:
    body = json.dumps({SEPARATORS: [SEPARATORS]}, ensure_ascii=False).encode()
    shown = safe_on_terminals(body)
    assert json.loads(shown) == json.loads(body)
    assert not {each for each in shown.decode() if unicodedata.category(each) == "Cc"}
    assert shown.decode().splitlines() == [shown.decode()]


@pytest.fixture
def odd(http: httpx.Client, fresh_id: str) -> dict[str, Any]:
    """A cluster with every character, and its revision."""
    reply = http.post("/clusters", json=cluster(fresh_id, note=SEPARATORS))
    assert reply.status_code == 201, reply.text
    return {"id": fresh_id, "revision": int(reply.headers["etag"].strip('"').partition("-")[0])}


def test_a_watch_sends_an_event_a_line(http: httpx.Client, odd: dict[str, Any]) -> None:
    asked = {"since": odd["revision"] - 1}
    with http.stream("GET", "/clusters/watch", params=asked, headers=LINES) as stream:
        line = next(stream.iter_lines())
    assert json.loads(line)["document"]["note"] == SEPARATORS


def test_server_sent_events_have_their_data_in_a_line(http: httpx.Client, odd: dict[str, Any]) -> None:
    with http.stream("GET", "/clusters/watch", params={"since": odd["revision"] - 1, "as": "both"}) as stream:
        data = next(line for line in stream.iter_lines() if line.startswith("data: "))
    event = json.loads(data.removeprefix("data: "))
    assert event["document"]["note"] == event["patch"][0]["value"]["note"] == SEPARATORS


@pytest.mark.parametrize(
    ("method", "address", "body"),
    [
        ("POST", "/clusters/query", {"note": SEPARATORS}),
        ("POST", "/clusters/aggregate", [{"$match": {"note": SEPARATORS}}, {"$project": {"note": 1}}]),
        ("GET", "/clusters/{id}/history", None),
        ("GET", "/changes?since={before}&limit=1", None),
    ],
)
def test_an_answer_has_a_document_a_line(
    http: httpx.Client, odd: dict[str, Any], method: str, address: str, body: Any
) -> None:
    place = address.format(id=odd["id"], before=odd["revision"] - 1)
    reply = http.request(method, place, json=body, headers=LINES)
    assert reply.status_code == 200, reply.text
    lines = reply.text.splitlines()
    assert all(SEPARATORS in repr_of(json.loads(line)) for line in lines)
    assert len(lines) == reply.content.count(b"\n") > 0


def repr_of(value: Any) -> str:
    """All texts in a value, one after the other."""
    if isinstance(value, dict):
        return "".join(map(repr_of, value.values()))
    return "".join(map(repr_of, value)) if isinstance(value, list) else str(value)


@pytest.mark.parametrize("shortcuts", [True, False])
async def test_both_ways_through_the_server_send_a_document_a_line(tmp_path: Path, shortcuts: bool) -> None:
    async with served(tmp_path / "data", takes_shortcuts=shortcuts) as server:
        await create(server.registry, "west", note=SEPARATORS)
        head = "POST /clusters/query HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        head += "Content-Length: 2\r\nAccept: application/x-ndjson\r\nConnection: close\r\n\r\n{}"
        body = (await server.exchange(head.encode())).partition(b"\r\n\r\n")[2].decode()
    (line,) = body.splitlines()
    assert json.loads(line)["note"] == SEPARATORS
