"""A real server process for tests: ``rollbook serve`` on a free port, with its own data directory.

What ``tests/engines.py`` says of the engine holds unless the environment of a server says otherwise.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import httpx

START_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 30.0


PORTS: set[int] = set()
"""The ports of all servers of the tests so far."""


def free_port() -> int:
    """A TCP port of the loopback address that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


class ServerProcess:
    """``rollbook serve`` in a process of its own: a context manager, or ``start`` with ``stop`` or ``kill``."""

    def __init__(self, data: Path, *, environment: Mapping[str, str] | None = None) -> None:
        self.data = data
        self.port = free_port()
        PORTS.add(self.port)
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = data.with_suffix(".log")
        from tests.engines import journal_beside  # which needs ports of this module

        self.environment = {**os.environ, **journal_beside(data), **(environment or {})}
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *, seconds: float = START_SECONDS_MAX) -> "ServerProcess":
        """Start it, and wait until it answers, at most that long."""
        command = [sys.executable, "-m", "rollbook", "serve", "--port", str(self.port), "--data", str(self.data)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=self.environment)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                if httpx.get(self.url + "/readyz").status_code == 200:
                    return self
            except httpx.TransportError:
                if self.process.poll() is not None:
                    break
            time.sleep(0.05)
        raise AssertionError(f"the server did not start: {self.log.read_text()}")

    def stop(self) -> int:
        """SIGTERM, and its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_SECONDS_MAX)

    def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(STOP_SECONDS_MAX)

    def __enter__(self) -> "ServerProcess":
        return self.start()

    def __exit__(self, *_: object) -> None:
        if self.process is not None and self.process.poll() is None:
            self.stop()
