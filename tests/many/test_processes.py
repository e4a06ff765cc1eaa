"""Three processes on one PostgreSQL are one registry."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count, cycle, islice
from pathlib import Path
from threading import Event, Thread

import httpx
import pytest

from rollbook.journal.backups import restore_backup
from rollbook.journal.opening import open_journal, open_webhook_store
from rollbook.journal.postgresql.journal import PostgresqlJournal
from tests.examples import cluster
from tests.many_processes import Fleet, fleet_of
from tests.postgresql import shared_schemas

SECONDS_MAX = 20.0


@pytest.fixture(scope="module")
def journal() -> str:
    return shared_schemas().new()


@pytest.fixture(scope="module")
def fleet(journal: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with fleet_of(3, journal, tmp_path_factory.mktemp("many")) as fleet:
        yield fleet


def eventually(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + SECONDS_MAX
    while not holds():
        assert time.monotonic() < until, "it did not come"
        time.sleep(0.05)


def revision_of(answer: httpx.Response) -> int:
    return int(answer.headers["X-Registry-Revision"])


def test_what_one_writes_the_others_read_by_its_revision(fleet: Fleet) -> None:
    written = fleet.clients[0].post("/clusters", json=cluster("read"))
    assert written.status_code == 201, written.text
    for client in fleet.clients[1:]:
        read = client.get("/clusters/read", params={"minRevision": revision_of(written)})
        assert read.status_code == 200, read.text
        assert revision_of(read) >= revision_of(written)


def test_a_strong_read_sees_what_was_acknowledged_before(fleet: Fleet) -> None:
    fleet.clients[0].post("/clusters", json=cluster("strong"))
    for turn, (one, other) in enumerate(islice(cycle(zip(fleet.clients, fleet.clients[1:], strict=False)), 20)):
        assert one.put("/clusters/strong", json={"$set": {"turn": turn}}).status_code == 200
        assert other.get("/clusters/strong", params={"consistency": "strong"}).json()["turn"] == turn


def test_a_refusal_is_computed_on_what_any_process_has_written(fleet: Fleet) -> None:
    one, other, third = fleet.clients
    for turn in range(10):
        id = f"refused{turn}"
        assert one.post("/clusters", json=cluster(id)).status_code == 201
        assert other.post("/clusters", json=cluster(id)).status_code == 409
        assert third.put(f"/clusters/{id}", json={"$set": {"a": 1}}).status_code == 200
        assert one.delete(f"/clusters/{id}").status_code == 200
        assert other.put(f"/clusters/{id}", json={"$set": {"a": 1}}).status_code == 404


def test_increments_through_all_processes_add_up(fleet: Fleet) -> None:
    fleet.clients[0].post("/clusters", json=cluster("sum", total=0))
    for client in islice(cycle(fleet.clients), 60):
        assert client.put("/clusters/sum", json={"$inc": {"total": 1}}).status_code == 200
    assert fleet.clients[0].get("/clusters/sum", params={"consistency": "strong"}).json()["total"] == 60


def test_a_revision_that_does_not_come_is_refused_with_the_newest(fleet: Fleet) -> None:
    answer = fleet.clients[1].get("/clusters", params={"minRevision": 10**9})
    assert (answer.status_code, answer.json()["code"]) == (412, "revision-not-reached")


def test_one_of_them_is_the_keeper_and_all_are_heard(fleet: Fleet) -> None:
    eventually(lambda: fleet.keeper >= 0)
    states = [client.get("/readyz").json() for client in fleet.clients]
    assert [state["keeper"] for state in states].count(True) == 1
    eventually(lambda: all(client.get("/readyz").json()["processes"] == 3 for client in fleet.clients))
    assert {state["engine"] for state in states} == {"heard"}


def test_a_heartbeat_is_known_in_every_process(fleet: Fleet) -> None:
    fleet.clients[0].post("/clusters", json=cluster("beating"))
    assert fleet.clients[2].post("/clusters/beating/heartbeat", json={"ttlSeconds": 3600}).status_code == 200
    eventually(lambda: all(client.get("/readyz").json()["liveness"]["leases"] >= 1 for client in fleet.clients))


def test_a_page_goes_on_at_another_process(fleet: Fleet) -> None:
    for number in range(4):
        fleet.clients[0].post("/clusters", json=cluster(f"page{number}"))
    first = fleet.clients[0].get("/clusters", params={"limit": 2})
    following = first.links["next"]["url"]
    second = fleet.clients[1].get(following)
    assert second.status_code == 200, second.text
    assert not {each["id"] for each in first.json()} & {each["id"] for each in second.json()}


def test_an_idempotency_key_is_good_at_any_process(fleet: Fleet) -> None:
    headers = {"Idempotency-Key": "the-same-key-everywhere"}
    first, again = (
        client.post("/clusters", json=cluster("once"), headers=headers)
        for client in (fleet.clients[0], fleet.clients[1])
    )
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["Idempotency-Replayed"] == "true"


def test_a_backup_is_a_directory_of_what_there_was_while_others_write(fleet: Fleet, tmp_path: Path) -> None:
    one, other, third = fleet.clients
    written = one.post("/clusters", json=cluster("kept"))
    one.post("/clusters/kept/heartbeat", json={"ttlSeconds": 3600}).raise_for_status()
    one.post("/webhooks", json={"id": "kept", "url": "https://nobody.invalid/"}).raise_for_status()
    stopping = Event()

    def write() -> None:
        for turn in count():
            if stopping.is_set():
                return
            third.put("/clusters/kept", json={"$set": {"turn": turn}}).raise_for_status()

    writing = Thread(target=write)
    writing.start()
    try:
        file = tmp_path / "backup"
        file.write_bytes(other.get("/backup").raise_for_status().content)
    finally:
        stopping.set()
        writing.join()
    revision = restore_backup(file, tmp_path / "data")
    assert revision >= revision_of(written)
    with closing(open_journal(tmp_path / "data")) as restored, closing(open_webhook_store(tmp_path / "data")) as hooks:
        documents = {version.id: json.loads(version.body) for version in restored.load()}
        assert [webhook.id for webhook, _ in hooks.load()] == ["kept"]
    as_then = {"revision": revision, "limit": 1000}
    assert documents == {document["id"]: document for document in third.get("/clusters", params=as_then).json()}


def test_the_journal_is_intact_after_all_of_this(fleet: Fleet, journal: str) -> None:
    opened = PostgresqlJournal.open(journal)
    assert opened.inspection.problems() == []
    opened.close()


def test_the_keeper_makes_the_scheduled_backups_and_the_next_one_goes_on(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    schedule = {"ROLLBOOK_BACKUP_DIR": str(kept), "ROLLBOOK_BACKUP_EVERY": "1", "ROLLBOOK_BACKUP_KEEP": "2"}
    with fleet_of(2, shared_schemas().new(), tmp_path, **schedule) as fleet:
        fleet.clients[0].post("/clusters", json=cluster("west")).raise_for_status()
        eventually(lambda: len(list(kept.glob("*.backup"))) == 2)
        for client in fleet.clients:
            eventually(lambda: (client.get("/readyz").json()["backup"]["ageSeconds"] or 60) < 60)  # noqa: B023
        fleet.processes[fleet.keeper].kill()
        before = {path.name for path in kept.glob("*.backup")}
        eventually(lambda: len({path.name for path in kept.glob("*.backup")} - before) == 2)
    newest = max(kept.glob("*.backup"))
    assert restore_backup(newest, tmp_path / "restored") == 1
    assert len(list(kept.iterdir())) <= 3
