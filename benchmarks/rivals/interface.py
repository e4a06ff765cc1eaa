"""What a contestant is: something that can be given clusters, started, asked over HTTP, stopped and killed.

One rule: a contestant whose parts can't be had says which, and is reported as absent.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.serving.materials import Materials
from benchmarks.serving.processes import Command

ALL_WORKLOADS = frozenset({"get", "selective", "example", "element", "aggregate", "put-1", "put-32", "mixed"})


@dataclass(frozen=True, slots=True)
class Tools:
    """Where what was installed for the benchmark is."""

    cache: Path
    postgresql: Path | None


@dataclass(frozen=True, slots=True)
class Rival:
    """One contestant.

    ``missing`` names what it lacks, or is None. ``load`` puts the clusters where the server finds them, in a folder of
    its own; ``commands`` are the processes that serve that folder on a port.
    """

    name: str
    title: str
    missing: Callable[[Tools], str | None]
    load: Callable[[Materials, Path, Tools], None]
    commands: Callable[[Path, int, Tools], Sequence[Command]]
    version: Callable[[Tools], str]
    workloads: Collection[str] = ALL_WORKLOADS
    is_durable: bool = True
