"""Measures the language against mongomock and mongoquery, and writes benchmarks/results/language.md.

python -m benchmarks.language [DOCUMENTS] [ROUNDS]
"""

import json
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path

from benchmarks.generating import Document, clusters
from benchmarks.language.contestants import FILTERING, NAMES, PROJECTING, SORTING, UPDATING, Prepare
from benchmarks.language.measuring import Measured, measure
from benchmarks.language.workloads import FILTERS, PROJECTIONS, SORTS, UPDATES, Request
from benchmarks.machine import description

RESULTS = Path(__file__).parents[1] / "results" / "language.md"

PARTS: Mapping[str, tuple[Mapping[str, Request], Mapping[str, Prepare]]] = {
    "Filters": (FILTERS, FILTERING),
    "Updates": (UPDATES, UPDATING),
    "Sorts": (SORTS, SORTING),
    "Projections": (PROJECTIONS, PROJECTING),
}


def main(documents_count: int = 2_000, rounds: int = 9) -> None:
    documents = list(clusters(documents_count))
    RESULTS.write_text("\n".join(report(documents, rounds)) + "\n")
    print(f"written: {RESULTS}")


def report(documents: list[Document], rounds: int) -> Iterator[str]:
    """The lines of the page."""
    rivals = " and ".join(f"{name} {version(name)}" for name in NAMES[1:])
    yield "# The language, measured\n"
    yield f"Against {rivals}, on {len(documents):,} generated clusters in memory. Processor milliseconds"
    yield f"for all of them, reading the request included: the median of {rounds} interleaved rounds; behind it, how"
    yield "many times as long as Rollbook takes. *refused*: it does not know the operator; *another answer*: it finds,"
    yield "or makes, other documents, and is not measured. mongoquery has filters only.\n"
    yield f"Written by `make bench-language` on: {description()}.\n"
    for heading, (requests, contestants) in PARTS.items():
        names = [name for name in NAMES if name in contestants]
        yield f"## {heading}\n"
        yield f"| | request | {' | '.join(names)} |"
        yield f"|---|---|{'---:|' * len(names)}"
        for name, request in requests.items():
            measured = measure(contestants, documents, request, rounds=rounds)
            yield f"| {name} | `{shown(request)}` | {' | '.join(cell(measured, each) for each in names)} |"
        yield ""


def cell(measured: Measured, name: str) -> str:
    """A contestant's time and how many times the first one's it is, or what is wrong with it."""
    if name in measured.faults:
        return f"*{measured.faults[name]}*"
    own, first = measured.milliseconds[name], measured.milliseconds[NAMES[0]]
    return f"{own:.2f}" if name == NAMES[0] else f"{own:.2f} ({own / first:.1f}x)"


def shown(request: Request) -> str:
    """The request in one line."""
    return json.dumps(request).replace("|", "\\|")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
