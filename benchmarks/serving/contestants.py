"""The contestants of one run: loaded, started, and all running at once, each on a port of its own.

One rule: who can't take part is told of, with the reason; the others go on.
"""

import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from benchmarks.rivals.interface import Rival, Tools
from benchmarks.serving.driving import Target
from benchmarks.serving.materials import Materials
from benchmarks.serving.processes import Processes, wait_for

READY_SECONDS_MAX = 600.0
NOTHING_ELSE: Mapping[str, str] = {}


@dataclass(slots=True)
class Contestant:
    """A rival with its clusters, and its server while that runs."""

    rival: Rival
    folder: Path
    tools: Tools
    probe: str
    port: int
    processes: Processes = field(default_factory=Processes)

    @property
    def target(self) -> Target:
        """The server as the load sees it."""
        return Target(self.port, self.processes)

    def start(self, environment: Mapping[str, str] = NOTHING_ELSE) -> float:
        """Start the server, with some variables more; the seconds until it answers a read."""
        began = time.perf_counter()
        usual = self.rival.commands(self.folder, self.port, self.tools)
        commands = [replace(command, environment={**command.environment, **environment}) for command in usual]
        self.processes.start(commands, log=self.folder / "server.log")
        wait_for(self._answers, what=self.rival.title, seconds_max=READY_SECONDS_MAX)
        return time.perf_counter() - began

    def start_again(self) -> None:
        """End what the server may still be busy with after its client has gone: it would disturb the others."""
        self.processes.kill()
        self.start()

    def _answers(self) -> bool:
        if self.processes.ended():
            log = (self.folder / "server.log").read_text(errors="replace")
            raise RuntimeError(f"its server ended: {log.strip()[-300:]}")
        try:
            connection = HTTPConnection("127.0.0.1", self.port, timeout=READY_SECONDS_MAX)
            connection.request("GET", f"/clusters/{self.probe}")
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()


@dataclass(slots=True)
class Field:
    """Who takes part, and why others do not. ``loading_seconds`` are by name."""

    present: list[Contestant] = field(default_factory=list)
    absent: dict[str, str] = field(default_factory=dict)
    loading_seconds: dict[str, float] = field(default_factory=dict)


@contextmanager
def started(rivals: Sequence[Rival], materials: Materials, folder: Path, tools: Tools) -> Iterator[Field]:
    """All rivals that can take part, running; stopped at the end."""
    field = Field()
    try:
        for rival in rivals:
            missing = rival.missing(tools)
            if missing is None:
                contestant = Contestant(rival, folder / rival.name, tools, materials.ids[0], free_port())
                field.present.append(contestant)
                missing = _trouble_with_starting(contestant, materials, field)
            if missing is not None:
                print(f"  {rival.title} is absent: {missing}", flush=True)
                field.absent[rival.name] = missing
        yield field
    finally:
        for contestant in field.present:
            contestant.processes.kill()


def _trouble_with_starting(contestant: Contestant, materials: Materials, field: Field) -> str | None:
    print(f"  loading {contestant.rival.title}", flush=True)
    try:
        contestant.folder.mkdir(mode=0o755)
        began = time.perf_counter()
        contestant.rival.load(materials, contestant.folder, contestant.tools)
        field.loading_seconds[contestant.rival.name] = time.perf_counter() - began
        contestant.start()
    except Exception as trouble:
        contestant.processes.kill()
        field.present.remove(contestant)
        return f"it failed to start: {trouble}"
    return None


def free_port() -> int:
    """A TCP port of the loopback address that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port
