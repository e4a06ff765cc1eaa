"""``rollbook doctor``: what may be wrong between here and a server, and inside of it.

One rule: every check is made, whatever the others found; each says what was found and, where it is bad, what to do.
"""

import os
import stat
import time
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Annotated

from rollbook import __version__
from rollbook.cli.nouns.declaring import option
from rollbook.cli.nouns.judging import BY_METRICS, Finding, judge_requests
from rollbook.cli.nouns.metering import Metrics, parse_metrics
from rollbook.cli.nouns.printing import Columns, Printer
from rollbook.cli.nouns.verbs import group, verb
from rollbook.cli.targets import contexts_file
from rollbook.errors import PermissionDenied, RegistryError, Unauthenticated

if TYPE_CHECKING:
    from rollbook.client import Client

CHECKS = Columns(("check", "result", "found"), name="check", cut=False)
SLOW_MS, SKEW_SECONDS = 250.0, 5.0
SAMPLES = 5

doctor = group("Say what may be wrong.")


@verb(doctor, "doctor")
def examine(
    client: "Client",
    printer: Printer,
    over: Annotated[
        float, option("--over", min=0, metavar="SECONDS", help="Judge these seconds, not all since the start.")
    ] = 0.0,
) -> None:
    """Say what may be wrong.

    Between here and the server, and inside of it. The exit code is 1 when something is bad.
    """
    rows = [{"check": name, "result": result, "found": found} for name, result, found in examined(client, over)]
    printer.many(rows, CHECKS)
    if any(row["result"] == "bad" for row in rows):
        raise SystemExit(1)


def examined(client: "Client", over_seconds: float = 0.0) -> Iterator[tuple[str, str, str]]:
    """Each check, with what it found. Metrics are judged over these seconds from now on; 0: since the server began."""
    checks: tuple[tuple[str, Callable[[Client], Finding]], ...] = (
        ("contexts", _contexts),
        ("server", _server),
        ("ready", _ready),
        ("caller", _caller),
        ("latency", _latency),
        ("clock", _clock),
        ("requests", lambda client: judge_requests(client.registry.running())),
        ("webhooks", _webhooks),
    )
    for name, check in checks:
        try:
            yield name, *check(client)
        except RegistryError as error:
            yield name, *_refusal(error, name)
    try:
        metrics = _metrics(client, over_seconds)
    except RegistryError as error:
        yield "metrics", *_refusal(error, "metrics")
    else:
        for name, judge in BY_METRICS:
            yield name, *judge(metrics)


def _refusal(error: RegistryError, check: str) -> Finding:
    """What this caller may not read is nothing bad about the server."""
    is_hidden = isinstance(error, PermissionDenied | Unauthenticated) and check != "caller"
    return "note" if is_hidden else "bad", f"{error.message} [{error.code}]"


def _metrics(client: "Client", over_seconds: float) -> Metrics:
    first = parse_metrics(client.registry.metrics())
    if not over_seconds:
        return first
    time.sleep(over_seconds)
    return parse_metrics(client.registry.metrics()).since(first)


def _contexts(client: "Client") -> Finding:
    path = contexts_file()
    if not path.is_file():
        return "ok", "there is no file of contexts"
    mode = stat.S_IMODE(os.stat(path).st_mode)
    if mode & 0o077:
        return "bad", f"{path} can be read by others (mode {mode:o}): chmod 600 {path}"
    return "ok", f"{path} is private"


def _server(client: "Client") -> Finding:
    version = client.registry.version()["version"]
    same = version.split(".")[:2] == __version__.split(".")[:2]
    found = f"{client.shown} runs {version}"
    return ("ok", found) if same else ("note", f"{found}, and this is {__version__}")


def _ready(client: "Client") -> Finding:
    state = client.registry.ready()
    found = ", ".join(f"{name}: {value}" for name, value in state.items() if not isinstance(value, dict | list))
    return "bad" if state.get("writable") is False else "ok", found


def _caller(client: "Client") -> Finding:
    access = client.access.read()
    return "ok", f"{access['caller']} may {', '.join(access['verbs']) or 'do nothing'}"


def _latency(client: "Client") -> Finding:
    taken = []
    for _ in range(SAMPLES):
        start = time.monotonic()
        client.registry.version()
        taken.append((time.monotonic() - start) * 1000)
    median = sorted(taken)[SAMPLES // 2]
    return "ok" if median < SLOW_MS else "note", f"{median:.1f} ms (median of {SAMPLES} requests)"


def _clock(client: "Client") -> Finding:
    from rollbook.client.calls import Call

    answer = client.send(Call("GET", "/version", lambda each: each, repeatable=True))
    date = answer.header("date")
    if date is None:
        return "note", "the server sends no date"
    ahead = parsedate_to_datetime(date).timestamp() - time.time()
    if abs(ahead) > SKEW_SECONDS:
        return "bad", f"the server's clock is {ahead:+.0f} s off from this machine's: see to NTP on both"
    return "ok", "both clocks agree"


def _webhooks(client: "Client") -> Finding:
    states = {each["id"]: each["status"] for each in client.webhooks.list()}
    stopped = [id for id, status in states.items() if status["state"] == "stopped"]
    if stopped:
        return "bad", f"stopped: {', '.join(stopped)}; `rollbook webhook get ID` says why"
    late = [id for id, status in states.items() if status["state"] == "retrying" or status["deadLetters"]]
    return ("note", f"not everything was delivered: {', '.join(late)}") if late else ("ok", "all are delivered")
