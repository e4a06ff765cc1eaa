"""How long a server takes until it answers: after a clean stop, and after kill -9 in the middle of writing."""

from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.serving.contestants import Contestant
from benchmarks.serving.driving import drive
from benchmarks.serving.materials import Materials
from benchmarks.serving.workloads import writes

WRITERS = 32
WRITING_SECONDS = 1


@dataclass(frozen=True, slots=True)
class Readiness:
    """Seconds until a read is answered."""

    after_stop_seconds: float
    after_kill_seconds: float


def measure_readiness(contestant: Contestant, materials: Materials, *, rounds: int, folder: Path) -> Readiness:
    """The median of some stops, each with a kill after it."""
    after_stop, after_kill = [], []
    calls = writes(materials)
    for number in range(rounds):
        contestant.processes.stop()
        after_stop.append(contestant.start())
        if "put-32" in contestant.rival.workloads:
            start = 7_000_000 + number * 100_000
            drive(contestant.target, calls, clients=WRITERS, seconds=WRITING_SECONDS, start=start, folder=folder)
        contestant.processes.kill()
        after_kill.append(contestant.start())
    return Readiness(median(after_stop), median(after_kill))
