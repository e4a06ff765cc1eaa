"""Runs of the conformance corpus that stands outside this repository, and what they are expected to give.

``ROLLBOOK_CONFORMANCE`` names the corpus's directory: files of cases and two runners. One rule: every case passes but
those of ``deliberate.txt``, and those fail.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
DELIBERATE = Path(__file__).with_name("deliberate.txt")

VARIABLE = "ROLLBOOK_CONFORMANCE"
SECONDS_MAX = 1_800

RUNNERS = ("local", "http", "both")

CODES = re.compile(r"^error codes: (\d+)[^,]*, (\d+)", re.MULTILINE)
TOTALS = re.compile(r"^(\d+) passed, (\d+) failed$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Deliberate:
    """A case that is meant to fail: under which runner (``local``, ``http`` or ``both``), and why."""

    id: str
    runner: str
    reason: str


@dataclass(frozen=True, slots=True)
class Run:
    """What a run of the corpus gave: why each failed case failed, and how many error codes are MongoDB's."""

    ids: frozenset[str]
    failures: dict[str, str]
    passed: int
    codes_equal: int
    codes_other: int

    @property
    def codes_share(self) -> float:
        """The share of the expected error codes that are MongoDB's."""
        return self.codes_equal / max(1, self.codes_equal + self.codes_other)

    def __str__(self) -> str:
        codes = self.codes_equal + self.codes_other
        return (
            f"{self.passed:,} of {self.passed + len(self.failures):,} cases pass, "
            f"{self.codes_equal:,} of {codes:,} error codes are MongoDB's ({self.codes_share:.1%})"
        )


def deliberate() -> list[Deliberate]:
    """The cases that are meant to fail: a line each, its id, the runner and the reason."""
    lines = DELIBERATE.read_text().splitlines()
    return [Deliberate(*line.split(maxsplit=2)) for line in lines if line and not line.startswith("#")]


def directory() -> Path:
    """Where the corpus is; a directory that is named but not there fails."""
    named = Path(os.environ[VARIABLE]).resolve()
    assert (named / "run_local.py").is_file(), f"{VARIABLE} names {named}, where there is no corpus"
    return named


def run(runner: str, *arguments: str, failures: Path) -> Run:
    """The corpus gone through by one of its runners, all of it, field order and hostile cases included."""
    files = sorted(directory().glob("*.jsonl"))
    command = [sys.executable, str(directory() / runner), *arguments, *map(str, files)]
    done = subprocess.run(
        [*command, "--strict-order", "--hostile", "--failures", str(failures)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
    )
    codes, totals = CODES.search(done.stdout), TOTALS.search(done.stdout)
    assert codes, f"the runner broke off:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
    assert totals, f"the runner broke off:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
    failed = {case["id"]: case["why"] for case in cases_of(failures)}
    assert len(failed) == int(totals[2])
    ids = frozenset(case["id"] for file in files for case in cases_of(file))
    return Run(ids, failed, int(totals[1]), int(codes[1]), int(codes[2]))


def cases_of(file: Path) -> Iterator[dict[str, Any]]:
    """The cases of a file, one a line."""
    with file.open(encoding="utf-8", newline="\n") as lines:
        yield from map(json.loads, lines)
