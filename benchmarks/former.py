"""Compares this version with a former one: CPU per request, interleaved, beside each other in one run.

The former version is unpacked from its commit with the packages that it was locked to. Both serve the same clusters,
each asked in turn; the figures are medians of the rounds, and the ratio is the median of the rounds' ratios.

    python -m benchmarks.former COMMIT [--now COMMIT --size 10000 --rounds 7 --seconds 2 --workloads get,put-32]
"""

import argparse
import io
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from benchmarks.machine import description_with_load
from benchmarks.rivals.interface import Rival, Tools
from benchmarks.rivals.rollbook import ROLLBOOK, build_of
from benchmarks.serving.contestants import Contestant, started
from benchmarks.serving.driving import Figures, checked, drive
from benchmarks.serving.materials import Materials, prepare_materials
from benchmarks.serving.processes import pin_to_load_core
from benchmarks.serving.workloads import WORKLOADS, Workload

PROJECT = Path(__file__).parents[1]
CACHE = Path(__file__).parent / ".cache"
RESULTS = Path(__file__).parent / "results" / "former.md"
INTRODUCTION = """\
# This version beside a former one

Written by `make bench-former COMMIT={commit}`. Both versions serve the same {size:,} clusters, each pinned to the same
core and asked in turn by wrk on the other, {rounds} rounds of {seconds} s. CPU is the server's, in microseconds for
each request, the median of the rounds; the ratio is the median of the rounds' own ratios, with the lowest and the
highest round in brackets.

Former: `{commit}` ({date}). {machine}

| | former, CPU µs | now, CPU µs | ratio | former, requests/s | now, requests/s |
|---|---:|---:|---:|---:|---:|
"""


def main(arguments: Sequence[str]) -> None:
    """Unpack, load and start both; measure each workload; write the table."""
    asked = _asked(arguments)
    commit = _said("git", "rev-parse", "--short", asked.commit)
    rivals = (_unpacked(commit, "former"), ROLLBOOK if asked.now is None else _unpacked(asked.now, "rollbook"))
    materials = prepare_materials(asked.size, cache=CACHE)
    pin_to_load_core()
    rows = []
    with (
        tempfile.TemporaryDirectory(dir="/var/tmp") as name,
        started(rivals, materials, Path(name), Tools(CACHE, None)) as field,
    ):
        if field.absent:
            sys.exit("; ".join(field.absent.values()))
        for workload in WORKLOADS:
            if workload.name in asked.workloads:
                rows.append(_row(workload, field.present, materials, asked, Path(name)))
                print(rows[-1], flush=True)
    introduction = INTRODUCTION.format(
        commit=commit,
        size=asked.size,
        rounds=asked.rounds,
        seconds=asked.seconds,
        date=_said("git", "show", "-s", "--format=%cs", commit),
        machine=description_with_load(),
    )
    asked.results.write_text(introduction + "".join(f"{row}\n" for row in rows))
    print(f"written: {asked.results}")


def _asked(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-former", description=__doc__)
    parser.add_argument("commit", help="what to compare with")
    parser.add_argument("--now", help="another commit, in the place of this version")
    parser.add_argument("--size", type=int, default=10_000, help="the number of clusters")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=2, help="of one measurement")
    names = [workload.name for workload in WORKLOADS]
    parser.add_argument("--workloads", type=lambda text: text.split(","), default=names)
    parser.add_argument("--results", type=Path, default=RESULTS, help="where the table goes")
    return parser.parse_args(arguments)


def _unpacked(commit: str, name: str) -> Rival:
    """The version of a commit, unpacked and installed in the cache the first time."""
    folder = CACHE / "former" / commit
    python = folder / ".venv" / "bin" / "python"
    if not (folder / "made").exists():
        archive = subprocess.run(["git", "archive", commit], cwd=PROJECT, check=True, capture_output=True).stdout
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            files.extractall(folder, filter="data")
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder / ".venv"], check=True)
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, "--require-hashes", "--requirement", folder / "requirements.txt"], check=True)
        subprocess.run([*install, "--no-deps", "--no-build-isolation", "--editable", folder], check=True)
        (folder / "made").touch()
    return build_of(str(python), name=name, title=f"Rollbook at {commit}", version=commit)


def _said(*command: str) -> str:
    return subprocess.run(command, cwd=PROJECT, check=True, capture_output=True, text=True).stdout.strip()


def _row(
    workload: Workload, both: Sequence[Contestant], materials: Materials, asked: argparse.Namespace, folder: Path
) -> str:
    """Measure one workload, the order of the two turned round from round to round."""
    calls = workload.calls(materials)
    figures: dict[str, list[Figures]] = {each.rival.name: [] for each in both}
    for contestant in both:
        checked(contestant.target, calls)
    for number in range(asked.rounds):
        for contestant in both if number % 2 else both[::-1]:
            figures[contestant.rival.name].append(
                drive(
                    contestant.target,
                    calls,
                    clients=workload.clients,
                    seconds=asked.seconds,
                    start=number * 1_000_003,
                    folder=folder,
                )
            )
    former, now = figures["former"], figures["rollbook"]
    ratios = sorted(new.cpu_us / old.cpu_us for old, new in zip(former, now, strict=True))
    cpu = [median(each.cpu_us for each in side) for side in (former, now)]
    rates = [median(each.requests_per_second for each in side) for side in (former, now)]
    return (
        f"| {workload.title} | {cpu[0]:.1f} | {cpu[1]:.1f} | {median(ratios):.2f} ({ratios[0]:.2f}-{ratios[-1]:.2f}) "
        f"| {rates[0]:,.0f} | {rates[1]:,.0f} |"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
