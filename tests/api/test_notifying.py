"""The service manager is sent readiness, signs of life and the stop, by a real server over a real socket."""

import signal
import socket
from pathlib import Path

import pytest

from rollbook.api.serving.notifying import notify, watchdog_seconds
from tests.serving import ServerProcess


def test_a_server_reports_that_it_is_ready_alive_and_stopping(tmp_path: Path) -> None:
    address = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(address))
        manager.settimeout(20)
        environment = {"NOTIFY_SOCKET": str(address), "WATCHDOG_USEC": "200000"}
        with ServerProcess(tmp_path / "data", environment=environment) as server:
            first = [manager.recv(100) for _ in range(4)]
            server.process.send_signal(signal.SIGTERM)
            last = manager.recv(100)
            while last == b"WATCHDOG=1":
                last = manager.recv(100)

    assert first == [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1", b"WATCHDOG=1"]
    assert last == b"STOPPING=1"


def test_an_abstract_address_is_reached() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind("\0rollbook-test-notify")
        manager.settimeout(5)
        notify("READY=1", {"NOTIFY_SOCKET": "@rollbook-test-notify"})
        assert manager.recv(100) == b"READY=1"


@pytest.mark.parametrize("environment", [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "/nowhere/at/all"}])
def test_without_a_service_manager_nothing_happens(environment: dict[str, str]) -> None:
    notify("READY=1", environment)


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
    ],
)
def test_the_watchdog_is_for_the_process_that_it_names(environment: dict[str, str], seconds: float | None) -> None:
    assert watchdog_seconds(environment) == seconds
