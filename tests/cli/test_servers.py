"""``rollbook serve`` starts, warns where it must, and stops cleanly."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from rollbook import __version__
from tests.serving import ServerProcess, free_port

COMMAND = [sys.executable, "-m", "rollbook", "serve"]


def served(home: Path, *flags: str, environment: dict[str, str] | None = None) -> tuple[int, str]:
    """The exit code of a server that is stopped as soon as it listens, and everything it said."""
    port = free_port()
    with (home / "said").open("w+b") as said:
        process = subprocess.Popen(
            [*COMMAND, *flags], stderr=said, env={**os.environ, "PORT": str(port), **(environment or {})}
        )
        wait_until_listening(port, process)
        process.send_signal(signal.SIGTERM)
        return process.wait(30), (home / "said").read_text()


def wait_until_listening(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    with socket.socket() as probe:
        while probe.connect_ex(("127.0.0.1", port)) and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)


def port_in(said: str) -> int:
    """The port that the log names."""
    return int(said.partition("listening on http://127.0.0.1:")[2].partition(":")[0])


def test_sigterm_ends_it_with_success(home: Path) -> None:
    code, said = served(home)
    assert code == 0
    assert [line.partition(" INFO ")[2] for line in said.splitlines()] == [
        "opening data",
        f"rollbook {__version__}, listening on http://127.0.0.1:{port_in(said)}: 0 clusters at revision 0",
        "stopped",
    ]


def test_the_loopback_address_needs_no_warning(home: Path) -> None:
    assert "WARNING" not in served(home)[1]


@pytest.mark.parametrize("flags", [["--host", "0.0.0.0"], []])
def test_an_address_that_others_reach_is_refused_while_nobody_is_known(home: Path, flags: list[str]) -> None:
    environment = {**os.environ, "PORT": "0", **({} if flags else {"ROLLBOOK_HOST": "0.0.0.0"})}
    done = subprocess.run([*COMMAND, *flags], capture_output=True, text=True, check=False, env=environment, timeout=30)
    assert done.returncode == 2
    for way in ("rollbook token create NAME --role admin", "ROLLBOOK_ANONYMOUS=legacy@", "ROLLBOOK_SECURITY=observe"):
        assert way in done.stderr
    assert "Traceback" not in done.stderr


def test_an_address_that_others_reach_is_warned_about_while_everybody_passes(home: Path) -> None:
    code, said = served(home, environment={"ROLLBOOK_HOST": "0.0.0.0", "ROLLBOOK_SECURITY": "observe"})
    assert code == 0
    assert "WARNING: THIS REGISTRY IS OPEN TO THE NETWORK" in said


@pytest.mark.parametrize("known", [{"ROLLBOOK_ANONYMOUS": "legacy@10.0.0.0/8"}, {"ROLLBOOK_ADMIN_TOKEN_FILE": "admin"}])
def test_an_address_that_others_reach_is_served_once_it_is_known_who_may_ask(home: Path, known: dict[str, str]) -> None:
    (home / "admin").write_text("x" * 40)
    code, said = served(home, environment={"ROLLBOOK_HOST": "0.0.0.0", **known})
    assert (code, "WARNING" in said) == (0, False)


def test_a_role_of_anonymous_callers_must_be_there(home: Path) -> None:
    environment = {**os.environ, "PORT": "0", "ROLLBOOK_ANONYMOUS": "made-up@10.0.0.0/8"}
    done = subprocess.run(COMMAND, capture_output=True, text=True, check=False, env=environment, timeout=30)
    assert (done.returncode, "'made-up'" in done.stderr) == (2, True)


def test_a_terminal_gets_the_warning_in_a_frame(home: Path) -> None:
    ours, theirs = os.openpty()
    port = free_port()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100", "PORT": str(port), "ROLLBOOK_HOST": "0.0.0.0"}
    environment["ROLLBOOK_SECURITY"] = "observe"
    process = subprocess.Popen(COMMAND, stderr=theirs, env=environment)
    wait_until_listening(port, process)
    process.terminate()
    process.wait(30)
    shown = os.read(ours, 65536).decode()
    assert "THIS REGISTRY IS OPEN TO THE NETWORK" in shown
    assert "╭" in shown


def test_a_misspelt_variable_is_warned_about(home: Path) -> None:
    said = served(home, environment={"ROLLBOOK_SHEMA": "lenient"})[1]
    assert "warning: ROLLBOOK_SHEMA is not a setting; ROLLBOOK_SCHEMA is" in said


def test_an_empty_port_means_3000_and_a_flag_wins(home: Path) -> None:
    port = free_port()
    process = subprocess.Popen([*COMMAND, "--port", str(port)], env={**os.environ, "PORT": ""}, stderr=subprocess.PIPE)
    wait_until_listening(port, process)
    assert httpx.get(f"http://127.0.0.1:{port}/healthz").status_code == 200
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0


def test_a_port_that_is_taken_is_told(home: Path, server: ServerProcess) -> None:
    done = subprocess.run([*COMMAND, "--port", str(server.port)], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    said = f"can't listen on 127.0.0.1 port {server.port}: Address already in use; choose another host or port "
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_directory_that_is_in_use_is_told(home: Path, server: ServerProcess) -> None:
    done = subprocess.run(
        [*COMMAND, "--port", "0", "--data", "served"], capture_output=True, text=True, check=False, timeout=30
    )
    assert done.returncode == 5
    assert "Traceback" not in done.stderr


def test_the_data_is_in_the_directory_data_below(home: Path) -> None:
    served(home)
    assert (home / "data").is_dir()
