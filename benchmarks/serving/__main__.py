"""Measures Rollbook and its rivals side by side, and writes benchmarks/results.

python -m benchmarks.serving --sizes 10000,100000
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from benchmarks.rivals.interface import Rival, Tools
from benchmarks.rivals.lineup import RIVALS
from benchmarks.serving.contestants import Contestant, Field, started
from benchmarks.serving.installing import installed
from benchmarks.serving.materials import Materials, prepare_materials
from benchmarks.serving.measuring import Plan, measure
from benchmarks.serving.processes import SERVER_CORE, pin_to_load_core
from benchmarks.serving.readiness import measure_readiness
from benchmarks.serving.reporting import write_report
from benchmarks.serving.results import Result, read_results, write_result
from benchmarks.serving.streaming import measure_streaming
from benchmarks.serving.surroundings import machine, syncs_per_second
from benchmarks.serving.workloads import WORKLOADS, WORKLOADS_BY_NAME

RESULTS = Path(__file__).parents[1] / "results"
CACHE = Path(__file__).parents[1] / ".cache"
PACKED_WORKLOADS = ("get", "selective", "put-32")
ALONE_FROM = 1_000_000
"""From so many clusters on, Rollbook is measured alone."""


def main(arguments: Sequence[str]) -> None:
    """Measure each size, write its result at once, and the report at the end."""
    asked = _asked(arguments)
    if asked.report:
        print(f"written: {write_report(read_results(asked.results), asked.results)}")
        return
    if (os.cpu_count() or 1) < 2:
        sys.exit("the benchmark needs two cores: one for the servers, one for the load")
    surroundings = machine()
    tools = installed(CACHE)
    materials = {size: prepare_materials(size, cache=CACHE) for size in asked.sizes}
    pin_to_load_core()
    asked.results.mkdir(exist_ok=True)
    for size in asked.sizes:
        began = time.monotonic()
        print(f"{size:,} clusters", flush=True)
        write_result(_measured(materials[size], tools, asked, surroundings), asked.results)
        print(f"  took {(time.monotonic() - began) / 60:.1f} minutes", flush=True)
    print(f"written: {write_report(read_results(asked.results), asked.results)}")


def _asked(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--sizes", type=_numbers, default=[10_000, 100_000], help="numbers of clusters")
    parser.add_argument("--rivals", type=_words, default=[rival.name for rival in RIVALS], help="some of them only")
    parser.add_argument("--workloads", type=_words, default=[workload.name for workload in WORKLOADS])
    parser.add_argument("--rounds", type=int, default=3, help="the figures are medians of so many")
    parser.add_argument("--seconds", type=int, default=2, help="of one measurement")
    parser.add_argument("--folder", type=Path, default=Path("/var/tmp"), help="on the disk that is to be measured")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where the results go")
    parser.add_argument("--report", action="store_true", help="only write the report again")
    return parser.parse_args(arguments)


def _measured(materials: Materials, tools: Tools, asked: argparse.Namespace, surroundings: Mapping[str, str]) -> Result:
    names = ["rollbook"] if materials.count >= ALONE_FROM else asked.rivals
    rivals = [rival for rival in RIVALS if rival.name in names]
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=asked.folder))
    folder.chmod(0o755)  # so that PostgreSQL, which is not root, reaches its own
    try:
        result = _result(materials, rivals, tools, asked)
        result = replace(result, machine=surroundings, syncs_per_second=syncs_per_second(folder))
        plan = Plan(asked.rounds, asked.seconds, folder)
        with started(rivals, materials, folder, tools) as field:
            return _all_figures(result, field, materials, plan, asked.workloads)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _result(materials: Materials, rivals: Sequence[Rival], tools: Tools, asked: argparse.Namespace) -> Result:
    """What is known before anything is measured."""
    return Result(
        materials.count,
        materials.file.stat().st_size,
        date=datetime.now(UTC).date().isoformat(),
        titles={rival.name: rival.title for rival in rivals},
        versions={rival.name: rival.version(tools) for rival in rivals if rival.missing(tools) is None},
        rounds=asked.rounds,
        seconds=asked.seconds,
    )


def _all_figures(result: Result, field: Field, materials: Materials, plan: Plan, workloads: Sequence[str]) -> Result:
    servers: dict[str, dict[str, Any]] = {
        each.rival.name: {
            "memory_bytes": each.processes.memory_bytes(),
            "loading_seconds": field.loading_seconds[each.rival.name],
        }
        for each in field.present
    }
    figures: dict[str, dict[str, Any]] = {}
    for workload in WORKLOADS:
        if workload.name in workloads:
            print(f"  {workload.title}", flush=True)
            found = measure(workload, field.present, materials, plan)
            figures[workload.name] = {
                name: each if isinstance(each, str) else asdict(each) for name, each in found.items()
            }
    for contestant in field.present:
        servers[contestant.rival.name]["memory_after_load_bytes"] = contestant.processes.memory_bytes()
    result = replace(result, absent=field.absent, figures=figures, servers=servers)
    own = next((each for each in field.present if each.rival.name == "rollbook"), None)
    if own is not None:
        with _going_on("a big reply"):
            result = replace(result, streaming=asdict(measure_streaming(own, materials)))
    for contestant in field.present:
        with _going_on(f"starting {contestant.rival.title} again"):
            # Rollbook as often as there are rounds, the others once: some take minutes.
            rounds = plan.rounds if contestant is own else 1
            readiness = measure_readiness(contestant, materials, rounds=rounds, folder=plan.folder)
            servers[contestant.rival.name] |= {f"ready_{name}": value for name, value in asdict(readiness).items()}
    if own is not None:
        with _going_on("packed documents"):
            result = replace(result, packed=_packed(own, materials, plan))
        with _going_on("finding"):
            result = replace(result, finding=_finding(own, materials, plan.folder))
    return result


@contextmanager
def _going_on(what: str) -> Iterator[None]:
    """Tell what is done; when it fails, tell that, and go on: the other figures are not lost for it."""
    print(f"  {what}", flush=True)
    try:
        yield
    except Exception as trouble:
        print(f"  {what} failed: {trouble}", flush=True)


def _packed(own: Contestant, materials: Materials, plan: Plan) -> dict[str, Any]:
    """What holding documents packed saves, and what it costs."""
    own.processes.stop()
    ready_seconds = own.start({"ROLLBOOK_BODIES": "packed"})
    memory_bytes = own.processes.memory_bytes()
    found = {name: measure(WORKLOADS_BY_NAME[name], [own], materials, plan)["rollbook"] for name in PACKED_WORKLOADS}
    figures = {name: each if isinstance(each, str) else asdict(each) for name, each in found.items()}
    return {"ready_seconds": ready_seconds, "memory_bytes": memory_bytes, "figures": figures}


def _finding(own: Contestant, materials: Materials, folder: Path) -> dict[str, Any]:
    own.processes.stop()
    filters = folder / "filters.json"
    filters.write_bytes(
        orjson.dumps({name: [one.filter for one in kind] for name, kind in materials.questions.items()})
    )
    module = [sys.executable, "-m", "benchmarks.serving.finding", str(own.folder / "data"), str(filters)]
    found = subprocess.run(["taskset", "-c", str(SERVER_CORE), *module], check=True, stdout=subprocess.PIPE)
    figures: dict[str, Any] = orjson.loads(found.stdout)
    return figures


def _numbers(text: str) -> list[int]:
    return [int(word) for word in text.replace(",", " ").split()]


def _words(text: str) -> list[str]:
    return text.replace(",", " ").split()


if __name__ == "__main__":
    main(sys.argv[1:])
