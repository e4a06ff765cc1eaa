"""The benchmarks of Rollbook by itself: what they send, how they keep their pace, and what they report."""

import asyncio
import re
from collections import Counter
from pathlib import Path

import orjson
import pytest

from benchmarks.beating import BEAT, QUERY, READ, Measured, beat_of, report
from benchmarks.connections import Connection, enrol, keep_pace, request
from benchmarks.generating import clusters
from benchmarks.servers import Taken
from benchmarks.tables import head_of, row_of
from rollbook.registry.liveness.heartbeats import parse_heartbeat
from tests.serving import ServerProcess

LATENCIES = {BEAT: [0.001, 0.003], READ: [0.002] * 4, QUERY: [0.004] * 2}


def page(*, transitions: int = 0) -> str:
    measured = Measured(
        Taken(2.0, 0.25, 0.0), Taken(2.0, 0.35, 2048.0), LATENCIES, 0, transitions, Counter(alive=3), Counter(), 2**21
    )
    return " ".join("\n".join(report(measured, "a machine")).split())


def test_a_heartbeat_costs_what_the_server_takes_more_than_for_the_reads_alone() -> None:
    assert "reads alone took 25% of the core. So a heartbeat cost 100000 microseconds" in page()


@pytest.mark.parametrize(("transitions", "told"), [(0, "none"), (3, "3")])
def test_every_false_transition_is_told(transitions: int, told: str) -> None:
    assert f"False transitions: {told}. At the end the clusters were: 3 alive. Holds: none." in page(
        transitions=transitions
    )


def test_heartbeats_are_some_that_are_accepted() -> None:
    (document,) = clusters(1)
    bodies = [beat_of(document, number).partition(b"\r\n\r\n")[2] for number in range(4)]
    assert bodies[:2] == [b"", b""]
    beats = [parse_heartbeat(orjson.loads(body)) for body in bodies[2:]]
    assert [(beat.ttl_seconds, len(beat.nodes)) for beat in beats] == [(30, 0), (30, document["nodes"]["count"])]


def test_a_request_has_the_headers_that_it_needs() -> None:
    assert request("GET", "/a") == b"GET /a HTTP/1.1\r\nhost: localhost\r\n\r\n"
    assert request("POST", "/a") == b"POST /a HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n"
    assert request("PUT", "/a", b"{}").endswith(b"content-type: application/json\r\ncontent-length: 2\r\n\r\n{}")


def test_a_row_has_as_many_cells_as_the_head() -> None:
    head, line = head_of("what", "how many").split("\n")
    row = row_of("this", 2, latencies=[0.001, 0.001])
    assert head.count("|") == line.count("|") == row.count("|")
    assert row == "| this | 2 | 1.0 | 1.0 | 1.0 | 1.0 | 1.0 |"


async def test_what_is_late_counts_from_when_it_was_due() -> None:
    loop = asyncio.get_running_loop()
    acts: list[tuple[int, float]] = []

    async def act(worker: str, number: int, due: float) -> None:
        acts.append((number, due))
        await asyncio.sleep(0.05)

    began = loop.time()
    await keep_pace(["slow"], act, per_second=100, seconds=0.05)
    assert loop.time() - began >= 0.25
    assert [number for number, _ in acts] == list(range(5))
    assert [due - acts[0][1] for _, due in acts] == pytest.approx([0, 0.01, 0.02, 0.03, 0.04])


def test_a_connection_is_opened_again_when_the_server_closed_it(tmp_path: Path) -> None:
    async def ask(port: int) -> tuple[list[str], list[bytes], int]:
        connection = Connection(port)
        ids = await enrol([connection], clusters(2))
        closing = request("GET", "/healthz").replace(b"host", b"connection: close\r\nhost", 1)
        answers = [await connection.ask(each) for each in (closing, request("GET", f"/clusters/{ids[0]}"))]
        return ids, answers, connection.opened

    with ServerProcess(tmp_path / "data") as server:
        ids, answers, opened = asyncio.run(ask(server.port))
    assert [re.findall(rb"^HTTP/1.1 (\d+)", answer) for answer in answers] == [[b"200"], [b"200"]]
    assert answers[1].endswith(b"}")
    assert (len(ids), opened) == (2, 2)
