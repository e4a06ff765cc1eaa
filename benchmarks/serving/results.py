"""What a run found out, as JSON in a file: what the reports and plots are made of.

One rule: a report is a function of these files, so it can be written again without measuring.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson

Cells = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Result:
    """One number of clusters. ``figures``: workload, contestant, figure; a text in place of figures is a fault.

    ``servers``: contestant, and its memory before and after the load and its ready times. ``finding``, ``streaming``
    and ``packed`` (with ``ROLLBOOK_BODIES=packed``) are Rollbook's alone.
    """

    clusters: int
    file_bytes: int
    date: str = ""
    machine: Mapping[str, str] = field(default_factory=dict)
    syncs_per_second: float = 0.0
    titles: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    absent: Mapping[str, str] = field(default_factory=dict)
    rounds: int = 0
    seconds: int = 0
    figures: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    servers: Cells = field(default_factory=dict)
    finding: Cells = field(default_factory=dict)
    streaming: Mapping[str, Any] = field(default_factory=dict)
    packed: Mapping[str, Any] = field(default_factory=dict)

    def figure(self, workload: str, contestant: str, name: str) -> float | None:
        """One figure; None when there is none."""
        found = self.figures.get(workload, {}).get(contestant)
        return found[name] if isinstance(found, Mapping) else None


def write_result(result: Result, folder: Path) -> Path:
    """Keep a result; the one before it, of as many clusters, gives way."""
    file = folder / f"clusters-{result.clusters}.json"
    file.write_bytes(orjson.dumps(asdict(result), option=orjson.OPT_INDENT_2) + b"\n")
    return file


def read_results(folder: Path) -> list[Result]:
    """All results that are kept, the smallest first."""
    found = [Result(**orjson.loads(file.read_bytes())) for file in folder.glob("clusters-*.json")]
    return sorted(found, key=lambda result: result.clusters)
