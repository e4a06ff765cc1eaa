"""Measures what it takes to start commands, and writes benchmarks/results/starting.md.

Each command is run as a process of its own against a server with 100 clusters, again and again: what counts is the CPU
time, user and system, of one process. The bytecode is compiled, as after an installation.

    python -m benchmarks.starting [TIMES]
"""

import os
import resource
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import httpx

from benchmarks.connections import HOST
from benchmarks.generating import clusters
from benchmarks.machine import description_with_load
from benchmarks.servers import served

RESULTS = Path(__file__).parent / "results" / "starting.md"
TIMES, FLEET = 20, 100
GOAL_SECONDS = 0.15
PYTHON = "python -c pass"

COMMANDS: Sequence[tuple[str, ...]] = (
    ("--help",),
    ("--version",),
    ("__complete", "zsh", "cluster", "l"),
    ("__complete", "zsh", "cluster", "get", ""),
    ("fleet", "count"),
    ("cluster", "ls"),
    ("cluster", "ls", "-o", "json"),
    ("cluster", "ls", "live", "gpus>=8"),
    ("doctor",),
    ("cluster", "ls", "--help"),
    ("cluster", "ls", "-v"),
)


def cpu_seconds(command: Sequence[str], environment: dict[str, str], times: int) -> tuple[float, float]:
    """The least and the median CPU time of a process."""
    taken = []
    for _ in range(times + 1):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        taken.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(taken[1:]), median(taken[1:])


def main() -> None:
    """Measure all commands, and write the page."""
    times = int(sys.argv[1]) if len(sys.argv) > 1 else TIMES
    machine = description_with_load()
    with served() as server:
        url = f"http://{HOST}:{server.port}"
        for each in clusters(FLEET):
            httpx.post(f"{url}/clusters", json=each).raise_for_status()
        environment = {**os.environ, "ROLLBOOK_URL": url}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        rows = [(PYTHON, *cpu_seconds([sys.executable, "-c", "pass"], environment, times))]
        for command in COMMANDS:
            whole = [sys.executable, "-m", "rollbook", *command]
            rows.append((f"rollbook {' '.join(command)}", *cpu_seconds(whole, environment, times)))
            print(*rows[-1])
    lines = [
        "# Starting commands",
        "",
        f"Written by `make bench-starting` on: {machine}.",
        "",
        f"CPU seconds, user and system, of one process; {times} runs each, against a server with {FLEET} clusters.",
        f"The goal is {GOAL_SECONDS}. Help of a verb and `-v` import Typer or the whole HTTP library.",
        "",
        "| command | least | median |",
        "|---|---:|---:|",
        *(f"| `{name}` | {least:.3f} | {middle:.3f} |" for name, least, middle in rows),
    ]
    RESULTS.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
