"""``rollbook backup``, and the drill of the guide on backups."""

import os
import random
import threading
from pathlib import Path

import httpx
import orjson
import pytest

from rollbook.journal.changes import Change
from rollbook.journal.sqlite.journal import SqliteJournal
from tests.cli.conftest import Rollbook
from tests.examples import cluster, node
from tests.serving import ServerProcess

MOMENTS = int(os.environ.get("ROLLBOOK_RESTORED_MOMENTS", "6"))
"""How many random moments are restored and compared."""


def exported(rollbook: Rollbook, data: str) -> dict[str, bytes]:
    """The documents of a directory by their ids."""
    ran = rollbook("export", "--data", data)
    assert ran.code == 0, ran.err
    return {orjson.loads(line)["id"]: line.encode() for line in ran.out.splitlines()}


def as_of(http: httpx.Client, revision: int) -> dict[str, bytes]:
    """The documents that a server had at a revision."""
    lines = http.post(
        "/clusters/query", json={}, params={"revision": revision}, headers={"accept": "application/x-ndjson"}
    )
    assert lines.status_code == 200, lines.text
    return {orjson.loads(line)["id"]: line.encode() for line in lines.text.splitlines()}


@pytest.fixture
def written(server: ServerProcess) -> httpx.Client:
    """A server on which clusters were created, changed, protected and deleted, one of them large."""
    http = httpx.Client(base_url=server.url, timeout=30)
    for number in range(6):
        http.post("/clusters", json=cluster(f"c-{number}", node("n-1")))
    http.post("/clusters", json=cluster("large", *(node(f"n-{number}") for number in range(900))))
    for number in range(6):
        http.put(f"/clusters/c-{number}", json={"$set": {"status": "draining"}})
        http.patch("/clusters/large/nodes/n-5", json={"swap": number})
    http.put("/clusters/c-1/protection")
    http.delete("/clusters/c-2")
    http.post("/clusters", json=cluster("c-2"))
    http.delete("/clusters/c-3")
    http.post("/webhooks", json={"id": "hook", "url": "https://example.net/", "enabled": False})
    http.post("/clusters/c-4/heartbeat", json={"ttlSeconds": 3600})
    return http


def test_the_drill_under_load(rollbook: Rollbook, server: ServerProcess, written: httpx.Client, home: Path) -> None:
    stop, before = threading.Event(), written.get("/readyz").json()["revision"]

    def write() -> None:
        with httpx.Client(base_url=server.url, timeout=30) as http:
            number = 0
            while not stop.is_set():
                number += 1
                http.put("/clusters/c-1", json={"$set": {"reputation": number % 100}})

    writing = threading.Thread(target=write)
    writing.start()
    try:
        ran = rollbook("backup", "create", "--url", server.url, "drill.backup")
    finally:
        stop.set()
        writing.join()
    assert ran.code == 0, ran.err
    assert rollbook("backup", "verify", "drill.backup").code == 0
    ran = rollbook("backup", "restore", "drill.backup", "--data", "drill")
    assert ran.code == 0, ran.err
    revision = int(ran.err.split()[-1])
    assert revision >= before
    assert rollbook("check", "--data", "drill").code == 0
    assert exported(rollbook, "drill") == as_of(written, revision)

    with ServerProcess(home / "drill") as restored, httpx.Client(base_url=restored.url, timeout=30) as http:
        assert http.get("/readyz").json()["revision"] == revision
        assert [each["id"] for each in http.get("/webhooks").json()] == ["hook"]
        assert http.get("/clusters/c-1?include=registry").json()["_registry"]["protected"] is True
        for id in ("c-1", "c-2", "c-3", "large"):
            theirs = [each for each in written.get(f"/clusters/{id}/history").json() if each["revision"] <= revision]
            assert http.get(f"/clusters/{id}/history", params={"limit": 1000}).json()[-len(theirs) :] == theirs
        assert http.put("/clusters/c-0", json={"$set": {"status": "live"}}).status_code == 200


def test_restores_to_moments_equal_what_was_then(
    rollbook: Rollbook, server: ServerProcess, written: httpx.Client
) -> None:
    newest = written.get("/readyz").json()["revision"]
    while newest < MOMENTS + 2:
        newest += 1
        written.put(f"/clusters/c-{newest % 2}", json={"$set": {"memory": newest}})
    rollbook("backup", "create", "--url", server.url, "some.backup")
    for revision in (0, 1, *random.Random(5).sample(range(2, newest), MOMENTS), newest):
        ran = rollbook("backup", "restore", "some.backup", "--data", f"at-{revision}", "--to-revision", str(revision))
        assert ran.code == 0, ran.err
        assert rollbook("check", "--data", f"at-{revision}").code == 0
        assert exported(rollbook, f"at-{revision}") == as_of(written, revision)
    change = written.get("/changes", params={"since": 9, "limit": 1}).json()[0]
    ran = rollbook("backup", "restore", "some.backup", "--data", "then", "--to-time", change["time"])
    assert ran.code == 0, ran.err
    assert exported(rollbook, "then") == as_of(written, int(ran.err.split()[-1]))


def test_a_restored_directory_goes_on_from_its_revision(
    rollbook: Rollbook, server: ServerProcess, written: httpx.Client, home: Path
) -> None:
    rollbook("backup", "create", "--url", server.url, "some.backup")
    rollbook("backup", "restore", "some.backup", "--data", "back", "--to-revision", "4")
    with ServerProcess(home / "back") as restored, httpx.Client(base_url=restored.url, timeout=30) as http:
        assert http.post("/clusters", json=cluster("next")).headers["etag"] == '"5"'
        assert [each["id"] for each in http.get("/changes").json()] == ["c-0", "c-1", "c-2", "c-3", "next"]
    assert rollbook("check", "--data", "back").code == 0


@pytest.fixture
def backup(rollbook: Rollbook, home: Path) -> Path:
    """A backup of a directory with one cluster."""
    (home / "one.json").write_bytes(orjson.dumps(cluster("west")))
    assert rollbook("import", "--data", "data", "one.json").code == 0
    ran = rollbook("backup", "create", "--data", "data", "some.backup")
    assert (ran.code, ran.err.startswith("some.backup holds 1 cluster at revision 1, of ")) == (0, True), ran.err
    return home / "some.backup"


def test_a_backup_with_a_flipped_byte_is_refused(rollbook: Rollbook, backup: Path, home: Path) -> None:
    sound = backup.read_bytes()
    places = {0, 17, 18, 19, 25, len(sound) // 2, len(sound) - 33, len(sound) - 32, len(sound) - 1}
    for place in sorted(places):
        broken = bytearray(sound)
        broken[place] ^= 0x10
        backup.write_bytes(broken)
        for asked in (("verify", "some.backup"), ("restore", "some.backup", "--data", "never")):
            ran = rollbook("backup", *asked)
            assert (ran.code, "backup-refused" in ran.err) == (1, True), place
        assert not (home / "never").exists()
    backup.write_bytes(sound)
    assert rollbook("backup", "verify", "some.backup").code == 0


@pytest.mark.parametrize("size_bytes", [0, 5, 30, 60, -1, -100])
def test_a_backup_that_is_cut_off_is_refused(rollbook: Rollbook, backup: Path, size_bytes: int) -> None:
    backup.write_bytes(backup.read_bytes()[:size_bytes])
    assert rollbook("backup", "verify", "some.backup").code == 1


def test_what_can_not_be_restored(rollbook: Rollbook, backup: Path, home: Path) -> None:
    assert rollbook("backup", "restore", "some.backup", "--data", "data").code != 0  # it holds something
    assert rollbook("backup", "restore", "some.backup", "--data", "never", "--to-revision", "2").code != 0
    assert rollbook("backup", "restore", "some.backup", "--data", "never", "--to-time", "once").code != 0
    both = ("--to-revision", "1", "--to-time", "2026-01-01")
    assert rollbook("backup", "restore", "some.backup", "--data", "never", *both).code != 0
    assert rollbook("backup", "create", "--data", "nowhere", "another.backup").code != 0
    assert sorted(path.name for path in home.iterdir()) == ["data", "one.json", "some.backup"]


def test_a_moment_before_what_is_kept_is_refused(rollbook: Rollbook, backup: Path, home: Path) -> None:
    journal = SqliteJournal.open(home / "data")
    before = next(iter(journal.load())).body
    journal.append([Change(2, "west", "protected", journal.newest_ms() + 1, before, before)], after=1)
    assert journal.compaction.step(1) == 1
    journal.close()
    rollbook("backup", "create", "--data", "data", "later.backup")
    ran = rollbook("backup", "restore", "later.backup", "--data", "never", "--to-revision", "0")
    assert ran.code != 0
    assert "no longer kept" in ran.err
    assert not (home / "never").exists()


def test_scheduled_backups_are_kept_and_counted(rollbook: Rollbook, home: Path) -> None:
    kept = home / "kept"
    environment = {"ROLLBOOK_BACKUP_DIR": str(kept), "ROLLBOOK_BACKUP_EVERY": "1", "ROLLBOOK_BACKUP_KEEP": "2"}
    with ServerProcess(home / "data", environment=environment) as server:
        http = httpx.Client(base_url=server.url, timeout=30)
        http.post("/clusters", json=cluster("west"))
        names: set[str] = set()
        while len(names) < 3:
            names |= {path.name for path in kept.glob("*.backup")}
        assert http.get("/readyz").json()["backup"]["ageSeconds"] < 60
        assert "\nrollbook_backup_age_seconds " in http.get("/metrics").text
    left = sorted(path.name for path in kept.glob("*.backup"))
    assert left == sorted(left)[-2:]
    assert rollbook("backup", "verify", str(kept / left[-1])).code == 0


def test_a_backup_and_an_import_bring_their_token_and_a_backup_holds_the_audit_log(
    rollbook: Rollbook, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "admin-" + "x" * 40
    (home / "admin").write_text(secret)
    (home / "fleet.ndjson").write_bytes(orjson.dumps(cluster("west")) + b"\n")
    environment = {"ROLLBOOK_ADMIN_TOKEN_FILE": str(home / "admin"), "ROLLBOOK_SECURITY": "enforce"}
    with ServerProcess(home / "held", environment=environment) as held:
        assert "[unauthenticated]" in rollbook("import", "--url", held.url, "fleet.ndjson").err
        assert "[unauthenticated]" in rollbook("backup", "create", "--url", held.url, "held.backup").err
        monkeypatch.setenv("ROLLBOOK_TOKEN", secret)
        assert rollbook("import", "--url", held.url, "fleet.ndjson").err == "1 imported, 0 refused\n"
        headers = {"authorization": f"Bearer {secret}"}
        httpx.post(f"{held.url}/tokens", json={"name": "reader", "roles": ["reader"]}, headers=headers, timeout=30)
        assert rollbook("backup", "create", "--url", held.url, "held.backup").code == 0
    assert rollbook("backup", "restore", "held.backup", "--data", "again").code == 0
    for name in ("audit.ndjson", "cursor.key"):
        kept = (home / "again" / name).read_bytes()
        assert kept
        assert (home / "held" / name).read_bytes().startswith(kept)
        assert (home / "again" / name).stat().st_mode & 0o077 == 0
