"""A network comes over from the original with 10,000 clusters, is served as specified, and goes back, equal.

The server speaks MongoDB's protocol; the documents are what the original stores of the creations in its own tests.
"""

import os
import random
import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pymongo
import pytest
from bson.objectid import ObjectId

from tests.api import test_specification as specified
from tests.cli.mongodb_dumps import original
from tests.serving import ServerProcess

COUNT, SMALL = 10_000, 300
REGIONS = ("us-west-2", "us-east-1", "eu-central-1")

test_the_four_specified_curl_commands = specified.test_the_four_specified_curl_commands
test_the_example_round_trips_byte_for_byte_in_its_order_of_fields = (
    specified.test_the_example_round_trips_byte_for_byte_in_its_order_of_fields
)


class Ran(NamedTuple):
    """What a command left behind."""

    code: int
    err: str


def rollbook(*arguments: str, home: Path, **environment: str) -> Ran:
    command = [sys.executable, "-m", "rollbook", *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=home, check=False, env={**os.environ, **environment}
    )
    assert done.stdout == ""
    return Ran(done.returncode, done.stderr)


def fleet() -> list[dict[str, Any]]:
    """As mongoose stores them: sparse, some fields missing, types of BSON."""
    chance = random.Random(1)
    documents = []
    for number in range(COUNT):
        document = original(
            f"cluster-{number:05}",
            _id=ObjectId(f"6553f0a2{number:016x}"),
            regionId=REGIONS[number % 3],
            gpus={"count": number % 9, "memory": number % 9 * 16384},
            reputation=number % 11 + 0.5 * (number % 2),
            config={"useGateway": number % 2 == 0, "actionsPolicyMap": {"add_node": f"policy:{number}"}},
        )
        for field in chance.sample(["tags", "swap", "reputation", "config", "clusterMetadata"], number % 3):
            del document[field]
        documents.append(document)
    return documents


FLEET = fleet()
BY_ID = {document["id"]: document for document in FLEET}


def in_json(document: dict[str, Any]) -> dict[str, Any]:
    return {**document, "_id": str(document["_id"])}


def holds(larger: Any, smaller: Any) -> bool:
    """Whether all of a value is in another one, which may have more fields."""
    if isinstance(smaller, dict):
        return isinstance(larger, dict) and all(holds(larger.get(name), each) for name, each in smaller.items())
    return bool(larger == smaller)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("moved")


@pytest.fixture(scope="module")
def moved(mongodb: str, home: Path) -> Ran:
    """The fleet in the original's collection, and what importing it reported."""
    with pymongo.MongoClient[dict[str, Any]](mongodb) as client:
        clusters = client["blocks"]["clusters"]
        clusters.create_index("id", unique=True)
        for start in range(0, COUNT, 1000):
            clusters.insert_many(FLEET[start : start + 1000])
    return rollbook("import", "--data", "data", "--from", f"{mongodb}/blocks", home=home)


@pytest.fixture(scope="module")
def small(mongodb: str) -> str:
    """The name of a database that has some documents of the fleet."""
    with pymongo.MongoClient[dict[str, Any]](mongodb) as client:
        client["small"]["clusters"].insert_many(FLEET[:SMALL])
    return "small"


@pytest.fixture(scope="module")
def server(moved: Ran, home: Path) -> Iterator[ServerProcess]:
    """The registry that it became, served with the documented schema."""
    with ServerProcess(home / "data") as running:
        yield running


@pytest.fixture(scope="module")
def http(server: ServerProcess) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=30) as client:
        yield client


def test_every_document_comes_over_and_is_verified(moved: Ran) -> None:
    assert moved.code == 0, moved.err
    lines = moved.err.splitlines()
    assert lines[0] == f"{COUNT} imported, 0 there already, 0 refused"
    assert lines[1].startswith(f"{COUNT} documents kept as they are")
    assert lines[-1].startswith(f"verified: the registry has {COUNT} documents as they were read, SHA-256 ")


def test_what_the_original_kept_is_served(http: httpx.Client) -> None:
    found = http.post("/clusters/query", json={"query": {}}).json()
    assert [each["id"] for each in found] == list(BY_ID)
    assert [each["id"] for each in found if not holds(each, in_json(BY_ID[each["id"]]))] == []
    for id in ("cluster-00000", "cluster-09999"):
        assert http.get(f"/clusters/{id}").json()["_id"] == str(BY_ID[id]["_id"])


@pytest.mark.parametrize(
    ("query", "matches"),
    [
        ({"regionId": "us-east-1"}, lambda each: each["regionId"] == "us-east-1"),
        ({"gpus.count": {"$gt": "5"}}, lambda each: each["gpus"]["count"] > 5),
        ({"$and": [{"tags": "gpu"}, {"reputation": {"$lte": 4}}]}, None),
        ({"id": {"$in": ["cluster-00007", "nobody"]}}, lambda each: each["id"] == "cluster-00007"),
        ({"clusterMetadata.vendor": {"$regex": "^dm"}}, lambda each: "clusterMetadata" in each),
    ],
)
def test_queries_of_the_original_clients_find_what_they_found(http: httpx.Client, query: dict, matches: Any) -> None:
    matches = matches or (lambda each: "gpu" in each.get("tags", []) and each.get("reputation", 99) <= 4)
    found = {each["id"] for each in http.post("/clusters/query", json={"query": query}).json()}
    assert found == {each["id"] for each in FLEET if matches(each)}


def test_updates_of_the_original_clients_are_taken_on_sparse_documents(http: httpx.Client) -> None:
    before = http.get("/clusters/cluster-00042").json()
    joined = http.put("/clusters/cluster-00042", json={"$set": {"config.urlMap": {"controllerService": "http://c"}}})
    assert joined.status_code == 200
    assert joined.json()["config"]["urlMap"]["controllerService"] == "http://c"
    assert http.put("/clusters/cluster-00042", json={"$unset": {"config.urlMap": ""}}).json() == before


def test_an_import_into_a_server_finds_what_is_there_already(mongodb: str, small: str, home: Path, server) -> None:
    ran = rollbook("import", "--url", server.url, "--from", f"{mongodb}/{small}", home=home)
    assert (ran.code, ran.err.splitlines()[0]) == (0, f"0 imported, {SMALL} there already, 0 refused")


def test_the_way_back_gives_an_equal_collection(mongodb: str, home: Path, server: ServerProcess, moved: Ran) -> None:
    ran = rollbook("export", "--url", server.url, "--to", f"{mongodb}/back", home=home)
    assert (ran.code, ran.err.splitlines()[0]) == (0, f"{COUNT} exported, 0 there already, 0 refused")
    assert ran.err.split()[-1] == moved.err.split()[-1]  # the checksum
    with pymongo.MongoClient[dict[str, Any]](mongodb) as client:
        back = {each["id"]: each for each in client["back"]["clusters"].find()}
        assert client["back"]["clusters"].index_information()["id_1"]["unique"] is True
        assert [id for id, document in BY_ID.items() if not holds(back[id], document)] == []
        assert len(back) == COUNT
        changed = {"_id": back["cluster-00001"]["_id"]}
        client["back"]["clusters"].update_one(changed, {"$set": {"memory": 5}})
        client["back"]["clusters"].insert_one({"id": "theirs"})
    again = rollbook("export", "--url", server.url, "--to", f"{mongodb}/back", home=home)
    assert again.code == 0
    assert again.err.startswith(f"1 exported, {COUNT - 1} there already, 0 refused\nmongodb://")
    assert " keeps 1 document that the registry does not have\n" in again.err


def test_what_is_wrong_with_a_server_is_said_in_words(mongodb: str, home: Path) -> None:
    empty = rollbook("import", "--data", "other", "--from", f"{mongodb}/nothing", home=home)
    assert (empty.code, "has no collection nothing.clusters" in empty.err) == (2, True)
    assert "blocks.clusters" in empty.err
    wrong = rollbook("import", "--data", "other", "--from", mongodb.replace("//", "//me:secret@") + "/x", home=home)
    assert (wrong.code, "does not accept the name or the password" in wrong.err) == (3, True)
    assert "secret" not in wrong.err
    assert not (home / "other").exists()


def test_an_import_that_is_killed_is_taken_up_again(mongodb: str, small: str, home: Path) -> None:
    command = [sys.executable, "-m", "rollbook", "import", "--data", "killed", "--from", f"{mongodb}/{small}"]
    with subprocess.Popen(command, cwd=home) as importing:
        while not (home / "killed" / "rollbook.sqlite3").exists():
            assert importing.poll() is None
        importing.kill()
    ran = rollbook(*command[3:], home=home)
    assert (ran.code, " 0 refused\n" in ran.err) == (0, True)
    assert f"verified: the registry has {SMALL} documents" in ran.err


def test_progress_is_shown_on_a_terminal(mongodb: str, small: str, home: Path) -> None:
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "rollbook", "import", "--data", "seen", "--from", f"{mongodb}/{small}"]
    seen = b""
    with subprocess.Popen(command, cwd=home, stderr=theirs, env={**os.environ, "TERM": "xterm"}) as importing:
        os.close(theirs)
        while select.select([ours], [], [], 60)[0]:
            try:
                seen += os.read(ours, 65536)
            except OSError:
                break
    assert importing.returncode == 0
    assert b"importing" in seen
    assert f"{SMALL} documents".encode() in seen
    assert f"{SMALL} imported".encode() in seen
