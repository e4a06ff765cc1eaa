"""Processes under measurement: started on a core of their own, and asked for their CPU time and their memory.

One rule: a server is all of its processes, children of children included, and the children that have ended.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

SERVER_CORE, LOAD_CORE = 0, 1
STOP_SECONDS_MAX = 120.0
DIES_WITH_US = ("setpriv", "--pdeathsig", "KILL")
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
SURROUNDINGS = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""Programs in Python have their bytecode, as installed ones have."""
PARENT, USER_TICKS, REAPED_CHILDREN_TICKS_END = 1, 11, 15
"""Where these stand in ``/proc/PID/stat``, counted from the state on."""


@dataclass(frozen=True, slots=True)
class Command:
    """One process of a server: what to run, as whom, how it is told to stop, and how to know that it is ready."""

    arguments: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None
    directory: Path | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    wait_until_ready: Callable[[], None] = lambda: None


@dataclass(slots=True)
class Processes:
    """The processes of one server, in the order in which they were started."""

    commands: Sequence[Command] = ()
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, commands: Sequence[Command], *, log: Path) -> None:
        """Start them on the server's core, each when the one before it is ready."""
        self.commands = commands
        for command in commands:
            with log.open("ab") as output:
                process = subprocess.Popen(
                    [*DIES_WITH_US, "taskset", "-c", str(SERVER_CORE), *command.arguments],
                    stdout=output,
                    stderr=output,
                    env={**SURROUNDINGS, **command.environment},
                    user=command.user,
                    cwd=command.directory,
                )
            self.running.append(process)
            command.wait_until_ready()

    def stop(self) -> None:
        """Tell them to stop, the last one first, and wait for each."""
        for process, command in zip(reversed(self.running), reversed(self.commands), strict=False):
            if process.poll() is None:
                process.send_signal(command.stop_signal)
                process.wait(STOP_SECONDS_MAX)
        self.running.clear()

    def kill(self) -> None:
        """kill -9, all of them at once."""
        for pid in list(self.pids()):
            os.kill(pid, signal.SIGKILL)
        for process in self.running:
            process.wait(STOP_SECONDS_MAX)
        self.running.clear()

    def ended(self) -> bool:
        """Whether one of them is there no more."""
        return any(process.poll() is not None for process in self.running)

    def pids(self) -> Iterator[int]:
        """They and all their descendants."""
        parents = {pid: int(facts[PARENT]) for pid, facts in _facts_of_all()}
        wanted = {process.pid for process in self.running}
        yield from wanted
        while wanted:
            wanted = {pid for pid, parent in parents.items() if parent in wanted}
            yield from wanted

    def cpu_seconds(self) -> float:
        """The CPU time that they have taken, in user and in kernel mode, threads and ended children included."""
        ticks = 0
        for pid in self.pids():
            facts = _facts(pid)
            ticks += sum(map(int, facts[USER_TICKS:REAPED_CHILDREN_TICKS_END])) if facts else 0
        return ticks / TICKS_A_SECOND

    def memory_bytes(self) -> int:
        """Their proportional set size: memory that they share is counted once."""
        return sum(map(_proportional_bytes, self.pids()))

    def written_bytes(self) -> int:
        """What those that run now have sent to be written to disks."""
        return sum(map(_written_bytes, self.pids()))


def pin_to_load_core() -> None:
    """Keep this process, and those that it starts for the load, off the server's core."""
    os.sched_setaffinity(0, {LOAD_CORE})


def wait_for(is_there: Callable[[], bool], *, what: str, seconds_max: float) -> None:
    """Ask again and again until it is there."""
    deadline = time.monotonic() + seconds_max
    while not is_there():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not come up within {seconds_max:.0f} s")
        time.sleep(0.005)


def _facts_of_all() -> Iterable[tuple[int, Sequence[str]]]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            facts = _facts(int(entry.name))
            if facts:
                yield int(entry.name), facts


def _facts(pid: int) -> Sequence[str]:
    """The fields of ``/proc/PID/stat`` behind the name of the program, which may hold anything."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ()


def _proportional_bytes(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)


def _written_bytes(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/io").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("write_bytes:")), 0)
