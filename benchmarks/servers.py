"""Rollbook alone on its core, as it is deployed, for benchmarks that compare it with nobody."""

import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx

from benchmarks.connections import HOST
from benchmarks.serving.contestants import free_port
from benchmarks.serving.processes import Command, Processes, pin_to_load_core, wait_for

READY_SECONDS_MAX = 30.0


@dataclass(frozen=True, slots=True)
class Server:
    """A running server with an empty registry."""

    port: int
    processes: Processes
    log: Path


@dataclass(frozen=True, slots=True)
class Taken:
    """What a server took in a stretch of time: shares of a core, and bytes for the disk in a second."""

    seconds: float
    cpu: float
    written_bytes: float


class Meter:
    """Counts what a server takes from now on."""

    def __init__(self, processes: Processes) -> None:
        self._processes = processes
        self._began = time.perf_counter(), processes.cpu_seconds(), processes.written_bytes()

    def read(self) -> Taken:
        """What it took so far."""
        began, cpu, written = self._began
        seconds = time.perf_counter() - began
        cpu, written = self._processes.cpu_seconds() - cpu, self._processes.written_bytes() - written
        return Taken(seconds, cpu / seconds, written / seconds)


@contextmanager
def served(**environment: str) -> Iterator[Server]:
    """A server on one core, with these settings; this process keeps to the other from now on."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(free_port(), Processes(), Path(folder) / "log")
        command = [sys.executable, "-m", "rollbook", "serve", "--port", str(server.port)]
        ready = partial(wait_for, lambda: _answers(server.port), what="the server", seconds_max=READY_SECONDS_MAX)
        server.processes.start(
            [Command(command, {"ROLLBOOK_DATA": f"{folder}/data", **environment}, wait_until_ready=ready)],
            log=server.log,
        )
        pin_to_load_core()
        allow_many_connections()
        try:
            yield server
        finally:
            server.processes.stop()


def allow_many_connections() -> None:
    """Let this process have as many files open as it may."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://{HOST}:{port}/readyz").is_success
    except httpx.TransportError:
        return False
