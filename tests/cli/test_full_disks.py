"""A registry on a full or a read-only disk: reads are served, and every refusal says what it is."""

import os
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.examples import cluster
from tests.journal.test_frozen import filled
from tests.journal.test_sqlite_disk_errors import small_disk
from tests.serving import ServerProcess

__all__ = ["small_disk"]  # the fixture


@pytest.fixture
def data(home: Path, small_disk: Path) -> Path:
    """A registry with one cluster on a small disk, not in use."""
    with ServerProcess(small_disk / "data") as server:
        assert httpx.post(f"{server.url}/clusters", json=cluster("west")).status_code == 201
    return small_disk / "data"


def test_a_start_on_a_full_disk_serves_reads_and_takes_writes_when_there_is_room(data: Path, home: Path) -> None:
    filler = filled(data.parent)
    server = ServerProcess(data)
    server.log = home / "log"
    with server:
        assert httpx.get(f"{server.url}/clusters/west").status_code == 200
        assert httpx.get(f"{server.url}/clusters/west/history").status_code == 200
        ready = httpx.get(f"{server.url}/readyz").json()
        assert (ready["writable"], "the disk is full" in ready["trouble"]) == (False, True)
        refused = httpx.post(f"{server.url}/clusters", json=cluster("east"))
        assert refused.status_code == 503
        assert "the disk is full" in refused.json()["detail"]
        assert run("check", "--data", str(data)).returncode == 5, "it is in use"
        filler.unlink()
        deadline = time.monotonic() + 30
        while httpx.post(f"{server.url}/clusters", json=cluster("east")).status_code != 201:
            assert time.monotonic() < deadline
        assert httpx.get(f"{server.url}/readyz").json()["writable"] is True
        assert server.stop() == 0
    assert run("check", "--data", str(data)).returncode == 0


@pytest.mark.parametrize("read_only", [False, True])
def test_check_and_export_need_no_room_and_no_permission(data: Path, read_only: bool) -> None:
    filled(data.parent)
    if read_only:
        subprocess.run(["mount", "-o", "remount,ro", str(data.parent)], check=True)
    checked, exported = run("check", "--data", str(data)), run("export", "--data", str(data))
    assert checked.returncode == 0, checked.stderr
    assert checked.stderr.endswith(f"{data} is sound\n")
    assert exported.returncode == 0, exported.stderr
    assert exported.stdout.startswith('{"id":"west"')


def test_a_read_only_disk_is_served(data: Path, home: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(data.parent)], check=True)
    server = ServerProcess(data)
    server.log = home / "log"
    with server:
        assert httpx.get(f"{server.url}/clusters/west").status_code == 200
        refused = httpx.post(f"{server.url}/clusters", json=cluster("east"))
        assert (refused.status_code, refused.json()["code"]) == (503, "journal-forbidden")
        assert "Read-only file system" in refused.json()["detail"]
        assert server.stop() == 0


def test_a_first_start_on_a_full_disk_says_so_and_may_be_tried_again(home: Path, small_disk: Path) -> None:
    filled(small_disk)
    done = run("serve", "--port", "0", "--data", str(small_disk / "data"))
    assert done.returncode == 5
    assert "the disk is full" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_first_start_on_a_read_only_disk_says_so_and_is_not_worth_another_try(home: Path, small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    done = run("serve", "--port", "0", "--data", str(small_disk / "data"))
    assert done.returncode == 1
    assert "Read-only file system" in done.stderr


@pytest.mark.parametrize("length", [50, 10_000])
def test_a_truncated_journal_says_what_it_is(data: Path, length: int) -> None:
    os.truncate(data / "rollbook.sqlite3", length)
    for command in (("serve", "--port", "0"), ("check",), ("export",)):
        done = run(*command, "--data", str(data))
        assert done.returncode == 1, done.stderr
        assert "rollbook.sqlite3" in done.stderr
        assert "damaged" in done.stderr or "not an SQLite database" in done.stderr
        assert "Traceback" not in done.stderr


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "rollbook", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
