"""Driving a server: wrk replays requests on the load's core while the server's CPU time is counted.

One rule: a run with a refused or broken request is no measurement.
"""

import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from http.client import HTTPConnection
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from typing import Any

import orjson

from benchmarks.serving.processes import LOAD_CORE, Processes
from benchmarks.serving.workloads import COUNTER, Call

SCRIPT = Path(__file__).with_name("replay.lua")
ANSWER_SECONDS_MAX = 30.0
CHECKED_REQUESTS = 2


@dataclass(frozen=True, slots=True)
class Figures:
    """What came of one run. ``cpu_us`` are microseconds of CPU for each request."""

    requests: int
    requests_per_second: float
    p50_ms: float
    p99_ms: float
    cpu_us: float
    clients: int


@dataclass(frozen=True, slots=True)
class Target:
    """A running server as the load sees it."""

    port: int
    processes: Processes

    def ask(self, call: Call, *, number: int = 1_000_000) -> bytes:
        """The body of the answer to one request. Raises RuntimeError when it is no success."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_SECONDS_MAX)
        try:
            return _asked(connection, call, number=number)
        finally:
            connection.close()


def drive(target: Target, calls: Sequence[Call], *, clients: int, seconds: int, start: int, folder: Path) -> Figures:
    """A run of so many seconds. ``start`` makes runs differ from each other."""
    file = folder / "requests"
    file.write_bytes(b"".join(b"%d\n%b" % (len(each), each) for each in (call.as_bytes() for call in calls)))
    url = f"http://127.0.0.1:{target.port}"
    options = [
        "-t1",
        f"-c{clients}",
        f"-d{seconds}s",
        "--timeout",
        f"{ANSWER_SECONDS_MAX:.0f}s",
        "-s",
        str(SCRIPT),
        url,
    ]
    before = target.processes.cpu_seconds()
    result = subprocess.run(
        ["taskset", "-c", str(LOAD_CORE), "wrk", *options, "--", str(file), str(start)],
        capture_output=True,
        check=True,
    )
    cpu_seconds = target.processes.cpu_seconds() - before
    summary = orjson.loads(result.stdout.splitlines()[-1])
    if summary["refused"] or summary["broken"] or not summary["requests"]:
        raise RuntimeError(f"{summary['refused']} refused and {summary['broken']} broken requests")
    return Figures(
        summary["requests"],
        summary["requests"] / summary["seconds"],
        summary["p50_ms"],
        summary["p99_ms"],
        cpu_seconds * 1e6 / summary["requests"],
        clients,
    )


def drive_slow(target: Target, calls: Sequence[Call], *, seconds: float, start: int) -> Figures:
    """As ``drive``, by one client, for a server that takes long: whole requests until the time is up, one at least."""
    times: list[float] = []
    before, began = target.processes.cpu_seconds(), time.perf_counter()
    for number, call in enumerate(islice(cycle(calls), start % len(calls), None)):
        asked = time.perf_counter()
        target.ask(call, number=1_000_000 + start + number)
        times.append(time.perf_counter() - asked)
        if time.perf_counter() - began > seconds:
            break
    cpu_seconds = target.processes.cpu_seconds() - before
    return Figures(
        len(times),
        len(times) / sum(times),
        median(times) * 1000,
        max(times) * 1000,
        cpu_seconds * 1e6 / len(times),
        1,
    )


def checked(target: Target, calls: Sequence[Call]) -> float:
    """The seconds that the fastest of some requests took. Raises RuntimeError when an answer is not right."""
    took = []
    for number, call in enumerate(islice(cycle(calls), CHECKED_REQUESTS)):
        began = time.perf_counter()
        body = target.ask(call, number=2_000_000 + number)
        took.append(time.perf_counter() - began)
        _check(call, body)
    return min(took)


def _check(call: Call, body: bytes) -> None:
    answer: Any = orjson.loads(body)
    if not call.is_right(answer):
        raise RuntimeError("its answer is another one")


def _asked(connection: HTTPConnection, call: Call, *, number: int) -> bytes:
    body = call.body.replace(COUNTER, str(number).encode())
    try:
        connection.request(call.method, call.path, body or None, {"Content-Type": "application/json"} if body else {})
        answer = connection.getresponse()
        content = answer.read()
    except TimeoutError:
        raise RuntimeError(f"no answer within {ANSWER_SECONDS_MAX:.0f} s") from None
    if answer.status != 200:
        raise RuntimeError(f"status {answer.status}: {content[:200].decode(errors='replace')}")
    return content
