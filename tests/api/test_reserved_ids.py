"""Clusters whose ids became words of routes after they were created can still be asked, changed and deleted."""

from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import orjson
import pytest

from rollbook.clusters.ids import RESERVED_IDS
from rollbook.journal.changes import Change
from tests.engines import journal_of
from tests.examples import cluster
from tests.serving import ServerProcess

WORDS = sorted(RESERVED_IDS)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A registry that was filled when no word was reserved."""
    data: Path = tmp_path_factory.mktemp("old") / "data"
    data.mkdir()
    journal = journal_of(data)
    bodies = [(id, orjson.dumps(cluster(id))) for id in WORDS]
    journal.append(
        [Change(revision, id, "created", revision, None, body) for revision, (id, body) in enumerate(bodies, 1)],
        after=0,
    )
    journal.close()
    with ServerProcess(data) as running:
        yield running


def asked(server: ServerProcess, method: str, target: str, body: object = None) -> tuple[int, dict]:
    """The answer to a target that goes out as it is; clients decode letters."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=20)
    headers = {} if body is None else {"content-type": "application/json"}
    connection.request(method, target, None if body is None else orjson.dumps(body), headers)
    reply = connection.getresponse()
    answer = reply.status, orjson.loads(reply.read())
    connection.close()
    return answer


def encoded(word: str) -> str:
    return f"%{ord(word[0]):02x}{word[1:]}"


@pytest.mark.parametrize("word", WORDS)
def test_a_cluster_with_a_reserved_id_is_at_an_address_of_its_own(server: ServerProcess, word: str) -> None:
    one = f"/clusters/{encoded(word)}"
    assert asked(server, "GET", one)[1]["id"] == word
    assert asked(server, "PUT", one, {"$set": {"tags": ["old"]}})[1]["tags"] == ["old"]
    assert asked(server, "GET", f"{one}/nodes/node-1")[1]["id"] == "node-1"
    assert asked(server, "POST", f"{one}/heartbeat")[1]["id"] == word
    assert {change["id"] for change in asked(server, "GET", f"{one}/history")[1]} == {word}


def test_the_word_of_a_route_is_the_route(server: ServerProcess) -> None:
    assert asked(server, "GET", "/clusters/watch?wait=0s")[1].keys() == {"revision", "events"}
    connection = HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.request("GET", "/clusters/watch")
    assert connection.getresponse().getheader("content-type").startswith("text/event-stream")
    connection.close()
    assert asked(server, "POST", "/clusters/count", {})[1] == {"count": len(WORDS)}


def test_such_a_cluster_can_be_deleted(server: ServerProcess) -> None:
    assert asked(server, "DELETE", f"/clusters/{encoded('validate')}")[0] == 200
    assert asked(server, "GET", f"/clusters/{encoded('validate')}")[0] == 404
