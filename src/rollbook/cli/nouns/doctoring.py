"""``rollbook doctor``: what may be wrong between here and a server, and inside of it.

One rule: every check is made, whatever the others found; each says what was found and, where it is bad, what to do.
"""

import os
import stat
import time
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, TypeAlias

from rollbook import __version__
from rollbook.cli.nouns.printing import Columns, Printer
from rollbook.cli.nouns.verbs import group, verb
from rollbook.cli.targets import contexts_file
from rollbook.errors import RegistryError

if TYPE_CHECKING:
    from rollbook.client import Client

Finding: TypeAlias = tuple[str, str]
"""``ok``, ``note`` or ``bad``, and what was found."""

CHECKS = Columns(("check", "result", "found"), name="check", cut=False)
SLOW_MS, SKEW_SECONDS, LONG_MS = 250.0, 5.0, 10_000.0
SAMPLES = 5

doctor = group("Say what may be wrong.")


@verb(doctor, "doctor")
def examine(client: "Client", printer: Printer) -> None:
    """Say what may be wrong.

    Between here and the server, and inside of it. The exit code is 1 when something is.
    """
    rows = [{"check": name, "result": result, "found": found} for name, result, found in examined(client)]
    printer.many(rows, CHECKS)
    if any(row["result"] == "bad" for row in rows):
        raise SystemExit(1)


def examined(client: "Client") -> Iterator[tuple[str, str, str]]:
    """Each check, with what it found."""
    checks: tuple[tuple[str, Callable[[Client], Finding]], ...] = (
        ("contexts", _contexts),
        ("server", _server),
        ("ready", _ready),
        ("caller", _caller),
        ("latency", _latency),
        ("clock", _clock),
        ("requests", _requests),
        ("webhooks", _webhooks),
    )
    for name, check in checks:
        try:
            yield name, *check(client)
        except RegistryError as error:
            yield name, "bad", f"{error.message} [{error.code}]"


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
    return "ok", ", ".join(f"{name}: {value}" for name, value in state.items() if not isinstance(value, dict | list))


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


def _requests(client: "Client") -> Finding:
    running = [each for each in client.registry.running() if each["operation"] not in WATCHES]
    slow = [each for each in running if each["milliseconds"] > LONG_MS]
    if slow:
        names = ", ".join(f"{each['operation']} for {each['milliseconds'] / 1000:.0f} s" for each in slow[:3])
        return "bad", f"{len(slow)} requests take long: {names}; see rollbook api GET /debug/requests"
    return "ok", f"{len(running)} running, none for long"


def _webhooks(client: "Client") -> Finding:
    states = {each["id"]: each["status"] for each in client.webhooks.list()}
    stopped = [id for id, status in states.items() if status["state"] == "stopped"]
    if stopped:
        return "bad", f"stopped: {', '.join(stopped)}; `rollbook webhook get ID` says why"
    late = [id for id, status in states.items() if status["state"] == "retrying" or status["deadLetters"]]
    return ("note", f"not everything was delivered: {', '.join(late)}") if late else ("ok", "all are delivered")


WATCHES = frozenset({"watchClusters", "watchClustersByBody"})
