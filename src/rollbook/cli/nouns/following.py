"""``rollbook cluster history``, ``watch``, ``wait`` and ``uptime``: clusters over time."""

import json
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rollbook.cli.exits import CLASHED
from rollbook.cli.nouns.clusters import app
from rollbook.cli.nouns.printing import Columns, Printer
from rollbook.cli.nouns.verbs import FilterOption, IdArgument, id_of, parsed_json, seconds_of, verb
from rollbook.cli.terminal import say

if TYPE_CHECKING:
    from rollbook.client import Client

EVENTS = Columns(("revision", "time", "event", "id", "actor", "reason"))
CHANGES = Columns(("revision", "time", "event", "actor", "reason"), name="revision")


@verb(app, "history")
def history(
    client: "Client",
    printer: Printer,
    id: Annotated[str, typer.Argument(metavar="ID")],
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most.")] = 50,
) -> None:
    """Print the changes of a cluster, newest first."""
    printer.many(client.history.of(id, limit=limit).items, CHANGES)


@verb(app, "watch")
def watch(
    client: "Client",
    printer: Printer,
    filter: FilterOption = None,
    since: Annotated[int | None, typer.Option("--since", metavar="REV", help="Begin after this revision.")] = None,
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
    condition: Annotated[str, typer.Option("--for", metavar="FILTER", help="A filter, as JSON or in words.")],
    timeout: Annotated[str, typer.Option("--timeout", metavar="TIME", help="How long to wait, such as 5m.")] = "60s",
) -> None:
    """Wait until a cluster matches. The exit code is 4 when the time is over."""
    deadline = time.monotonic() + seconds_of(timeout, "--timeout")
    id = id_of(client, id)
    is_filter = condition.lstrip().startswith("{")
    query = {"$and": [{"id": id}, parsed_json(condition, "--for")]} if is_filter else None
    words: dict[str, Any] = {} if is_filter else {"where": f"id = {json.dumps(id)} and ({condition})"}
    while True:
        if list(client.clusters.query(query, **words, limit=1)):
            return
        if time.monotonic() >= deadline:
            say(f"{id} does not match after {timeout}")
            raise SystemExit(CLASHED)
        time.sleep(min(0.5, max(0.0, deadline - time.monotonic())))


@verb(app, "uptime")
def uptime(client: "Client", printer: Printer, id: IdArgument) -> None:
    """Print how a cluster has spent the last 90 days."""
    days = client.nodes.uptime(id_of(client, id))["days"]
    printer.many(days, Columns(tuple(days[0]) if days else ("day",), name="day"))
