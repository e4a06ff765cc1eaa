"""``rollbook`` in odd environments: closed streams, early signals, little memory, a data directory that goes away."""

import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.cli.test_servers import COMMAND, wait_until_listening
from tests.examples import cluster
from tests.serving import ServerProcess, free_port


def started(
    home: Path,
    *flags: str,
    before: Callable[[], object] | None = None,
    environment: dict[str, str] | None = None,
) -> tuple[subprocess.Popen[bytes], int]:
    port = free_port()
    command, variables = [*COMMAND, "--port", str(port), *flags], {**os.environ, **(environment or {})}
    with (home / "said").open("ab") as said:
        process = subprocess.Popen(command, stderr=said, preexec_fn=before, env=variables)
    return process, port


@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1, 2)])
def test_closed_standard_streams_are_no_reason_to_abort(home: Path, closed: tuple[int, ...]) -> None:
    process, port = started(home, before=lambda: [os.close(number) for number in closed])
    wait_until_listening(port, process)
    assert httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_before_it_listens_is_a_stop_with_a_word(home: Path, number: signal.Signals) -> None:
    (home / "data").mkdir()
    os.mkfifo(home / "data" / "index.snapshot")  # whoever opens it waits for a writer: the start stands still
    process, _ = started(home)
    wait_for(lambda: "opening data" in (home / "said").read_text())
    process.send_signal(number)
    assert process.wait(30) == 0
    assert f"stopped by {number.name} before it listened" in (home / "said").read_text()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize(("command", "code", "said"), [("serve", 0, " before it listened"), ("export", 130, "")])
def test_a_stop_while_the_modules_are_imported_is_one_with_a_word(
    home: Path, number: signal.Signals, command: str, code: int, said: str
) -> None:
    (home / "first").mkdir()
    os.mkfifo(home / "pipe")  # the import of the first package stands still until somebody writes there
    (home / "first" / "typer.py").write_text(
        f"open('{home / 'reached'}', 'w').close()\nopen('{home / 'pipe'}').read()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "rollbook", command],
        env={**os.environ, "PYTHONPATH": str(home / "first")},
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for((home / "reached").exists)
    process.send_signal(number)
    assert process.communicate(timeout=30)[1] == f"stopped by {number.name}{said}\n"
    assert process.returncode == code


def test_sighup_is_no_stop(home: Path) -> None:
    process, port = started(home)
    process_said = home / "said"
    wait_until_listening(port, process)
    process.send_signal(signal.SIGHUP)
    wait_for(lambda: "SIGHUP is ignored" in process_said.read_text())
    assert httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0


def test_a_dangling_link_is_named(home: Path) -> None:
    (home / "link").symlink_to(home / "nowhere")
    done = subprocess.run([*COMMAND, "--port", "0", "--data", "link"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"link is a link to {home / 'nowhere'}, which does not exist" in done.stderr
    assert not (home / "nowhere").exists()


def test_too_little_memory_is_said(home: Path) -> None:
    """At several limits, for where memory ends first (a thread, the journal, a document, the words) depends on it."""
    lines = "".join(json.dumps(cluster(f"c{number}", note="x" * 20_000)) + "\n" for number in range(20_000))
    (home / "fleet.ndjson").write_text(lines)
    command = [sys.executable, "-m", "rollbook", "import", "fleet.ndjson"]
    for megabytes in (221, 235, 350, 368, 431):
        limits = (megabytes * 1_000_000,) * 2
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            preexec_fn=partial(resource.setrlimit, resource.RLIMIT_AS, limits),
        )
        assert done.returncode > 0, megabytes
        assert "not enough memory" in done.stderr, megabytes
        assert "Traceback" not in done.stderr, megabytes
        shutil.rmtree("data", ignore_errors=True)


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
def test_the_unspecified_address_of_ipv6_serves_both_families(home: Path) -> None:
    (home / "admin").write_text("x" * 40)
    process, port = started(home, "--host", "::", environment={"ROLLBOOK_ADMIN_TOKEN_FILE": "admin"})
    wait_until_listening(port, process)
    for host in ("127.0.0.1", "[::1]"):
        assert httpx.get(f"http://{host}:{port}/readyz").status_code == 200
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0


def test_a_taken_port_is_seen_before_anything_is_opened(home: Path, server: ServerProcess) -> None:
    done = subprocess.run([*COMMAND, "--port", str(server.port)], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "Address already in use" in done.stderr
    assert not (home / "data").exists()


def removed(data: Path) -> None:
    shutil.rmtree(data)


def replaced_by_a_copy(data: Path) -> None:
    data.rename(data.with_name("moved"))
    shutil.copytree(data.with_name("moved"), data, ignore=shutil.ignore_patterns("admin.sock"))  # which is no file


@pytest.mark.parametrize("taken_away", [removed, replaced_by_a_copy])
def test_a_data_directory_that_goes_away_is_noticed(home: Path, taken_away: Callable[[Path], None]) -> None:
    server = ServerProcess(home / "served").start()
    assert httpx.post(f"{server.url}/clusters", json=cluster("west")).status_code == 201
    taken_away(home / "served")
    refused = httpx.post(f"{server.url}/clusters", json=cluster("east"))
    assert (refused.status_code, refused.json()["code"]) == (503, "journal-unavailable")
    assert re.search("was (removed|replaced)", refused.json()["detail"])
    assert httpx.get(f"{server.url}/clusters/west").status_code == 200
    ready = httpx.get(f"{server.url}/readyz").json()
    assert ready["writable"] is False
    assert str(home / "served") in ready["trouble"]
    assert server.stop() == 1
    assert "NOTHING CAN BE WRITTEN" in server.log.read_text() or "changes-lost" in server.log.read_text()
    if taken_away is replaced_by_a_copy:
        with ServerProcess(home / "served") as other:
            assert httpx.get(f"{other.url}/clusters/west").status_code == 200


def test_it_is_noticed_without_a_write(home: Path, server: ServerProcess) -> None:
    shutil.rmtree(home / "served")
    wait_for(lambda: httpx.get(f"{server.url}/readyz").json()["writable"] is False)
    assert "NOTHING CAN BE WRITTEN" in server.log.read_text()
    metrics = httpx.get(f"{server.url}/metrics").text
    assert "rollbook_journal_writable 0.0" in metrics


def wait_for(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
