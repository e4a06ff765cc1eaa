"""``rollbook cluster history``, ``watch``, ``wait`` and ``uptime``: clusters over time."""

import json
import time
from collections.abc import Iterable
from contextlib import suppress
from threading import Event, Thread
from typing import TYPE_CHECKING, Annotated, Any

from rollbook.cli.exits import CLASHED
from rollbook.cli.nouns.clusters import app
from rollbook.cli.nouns.declaring import argument, option
from rollbook.cli.nouns.printing import Columns, Printer
from rollbook.cli.nouns.verbs import FilterOption, IdArgument, id_of, parsed_json, seconds_of, verb
from rollbook.cli.terminal import say
from rollbook.errors import RegistryError

if TYPE_CHECKING:
    from rollbook.client import Client

EVENTS = Columns(("revision", "time", "event", "id", "actor", "reason"))
CHANGES = Columns(("revision", "time", "event", "actor", "reason"), name="revision")

LOOK_SECONDS = 2.0


@verb(app, "history")
def history(
    client: "Client",
    printer: Printer,
    id: Annotated[str, argument(metavar="ID")],
    limit: Annotated[int, option("--limit", min=1, help="At most.")] = 50,
) -> None:
    """Print the changes of a cluster, newest first."""
    printer.many(client.history.of(id, limit=limit).items, CHANGES)


@verb(app, "watch")
def watch(
    client: "Client",
    printer: Printer,
    filter: FilterOption = None,
    since: Annotated[int | None, option("--since", metavar="REV", help="Begin after this revision.")] = None,
) -> None:
    """Print the changes of matching clusters as they happen, one JSON object a line, until Ctrl-C.

    It goes on by itself when the server was away. -o wide or -o csv prints columns instead.
    """
    query = None if filter is None else parsed_json(filter, "the filter")
    lines = Printer("jsonl") if printer.format == "table" else printer
    for event in client.watch(query, since=since):
        lines.another(event, EVENTS)


@verb(app, "wait")
def wait(
    client: "Client",
    printer: Printer,
    id: IdArgument,
    condition: Annotated[str, option("--for", metavar="FILTER", help="A filter, as JSON or in words.")],
    timeout: Annotated[str, option("--timeout", metavar="TIME", help="How long to wait, such as 5m.")] = "60s",
) -> None:
    """Wait until a cluster matches. The exit code is 4 when the time is over.

    It looks at each change of the cluster, and every two seconds, for liveness changes without one.
    """
    deadline = time.monotonic() + seconds_of(timeout, "--timeout")
    id = id_of(client, id)
    is_filter = condition.lstrip().startswith("{")
    query = {"$and": [{"id": id}, parsed_json(condition, "--for")]} if is_filter else None
    words: dict[str, Any] = {} if is_filter else {"where": f"id = {json.dumps(id)} and ({condition})"}
    changed = Event()
    with client.watch({"id": id}) as changes:
        Thread(target=_note, args=(changes, changed), daemon=True).start()
        while True:
            changed.clear()
            if list(client.clusters.query(query, **words, limit=1)):
                return
            left = deadline - time.monotonic()
            if left <= 0:
                say(f"{id} does not match after {timeout}")
                raise SystemExit(CLASHED)
            changed.wait(min(LOOK_SECONDS, left))


def _note(changes: Iterable[object], changed: Event) -> None:
    """Note each change of a watch, until it ends: without one, looking now and then has to do."""
    with suppress(RegistryError):
        for _ in changes:
            changed.set()


@verb(app, "uptime")
def uptime(client: "Client", printer: Printer, id: IdArgument) -> None:
    """Print how a cluster has spent the last 90 days."""
    days = client.nodes.uptime(id_of(client, id))["days"]
    printer.many(days, Columns(tuple(days[0]) if days else ("day",), name="day"))
