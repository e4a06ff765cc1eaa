"""``rollbook cluster``: list, read, create, change, follow and delete clusters."""

import json
from typing import TYPE_CHECKING, Annotated, Any

from rollbook.cli.nouns.declaring import argument, option
from rollbook.cli.nouns.fleets import sort_of
from rollbook.cli.nouns.printing import Columns, Printer, meant_by
from rollbook.cli.nouns.verbs import (
    FilterOption,
    IdArgument,
    IdsArgument,
    ReasonOption,
    WordsArgument,
    filter_of,
    group,
    id_of,
    parsed_json,
    question_of,
    verb,
)
from rollbook.cli.terminal import confirm, say, warn
from rollbook.errors import RequestRefused

if TYPE_CHECKING:
    from rollbook.client import Client

COLUMNS = Columns(
    ("id", "regionId", "status", "_registry.liveness", "nodes.count", "gpus.count", "tags"),
    ("nodes.nodeData.gpus.modelNames", "vcpus.count", "memory", "clusterMetadata.owner", "_registry.updatedAt"),
)

YesOption = Annotated[bool, option("--yes", "-y", help="Do not ask.")]
AtOption = Annotated[str | None, option("--at", metavar="TIME", help="As of this time (ISO 8601).")]

app = group("Clusters: list, read, create, change, follow and delete them.")


@verb(app, "ls")
def list_clusters(
    client: "Client",
    printer: Printer,
    words: WordsArgument = None,
    filter: FilterOption = None,
    sort: Annotated[str, option("--sort", metavar="PATHS", help="Paths; - before one turns it round.")] = "id",
    limit: Annotated[int, option("--limit", min=0, help="At most; 0 means all.")] = 0,
    at: AtOption = None,
    watch: Annotated[bool, option("--watch", "-w", help="Go on with each change, until Ctrl-C.")] = False,
) -> None:
    """List the clusters that match words or a filter."""
    options: dict[str, Any] = {"sort": sort_of(sort), "at": at} | ({"limit": limit} if limit else {})
    question = question_of(words, filter)
    if watch:
        if at is not None:
            raise RequestRefused("--at is a moment that is over: --watch can't go on from it")
        question = {"query": filter_of(question)}
        since = client.history.newest()
    if not printer.wants_documents:
        for path in printer.paths:
            _doubt_field(path)
        options["projection"] = dict.fromkeys(_apart(printer.columns(COLUMNS)), 1)
    query = question.pop("query", None)
    printer.many(client.clusters.query(query, **question, **options), COLUMNS)
    if watch:
        changed = Columns(("event", *COLUMNS.narrow), COLUMNS.wide)
        for event in client.watch(query, since=since):
            printer.another({"event": event["event"], "id": event["id"], **event.get("document", {})}, changed)


@verb(app, "get")
def get(client: "Client", printer: Printer, ids: IdsArgument, at: AtOption = None) -> None:
    """Print clusters, as JSON unless -o says otherwise."""
    for id in ids:
        printer.one(client.clusters.read(id_of(client, id), at=at).document, COLUMNS)


@verb(app, "set")
def set_fields(
    client: "Client",
    printer: Printer,
    id: IdArgument,
    assignments: Annotated[list[str], argument(metavar="PATH=VALUE...", help="Values are JSON, else text.")],
    reason: ReasonOption = None,
) -> None:
    """Set fields of a cluster: rollbook cluster set west status=draining reputation=90."""
    fields = dict(map(_assignment, assignments))
    for path, value in fields.items():
        _doubt(path, value)
    reply = client.clusters.update(id_of(client, id), {"$set": fields}, reason=reason)
    say(f"{reply.document['id']} changed")


@verb(app, "update")
def update(
    client: "Client",
    printer: Printer,
    id: IdArgument,
    update: Annotated[str, argument(metavar="JSON", help="An update in MongoDB's update language.")],
    reason: ReasonOption = None,
) -> None:
    """Apply an update, and print the cluster after it."""
    reply = client.clusters.update(id_of(client, id), parsed_json(update, "the update"), reason=reason)
    printer.one(reply.document, COLUMNS)


@verb(app, "rm")
def remove(
    client: "Client", printer: Printer, ids: IdsArgument, yes: YesOption = False, reason: ReasonOption = None
) -> None:
    """Delete clusters. More than one is asked about first."""
    if len(ids) > 1 and not yes:
        confirm(f"Delete {len(ids)} clusters: {', '.join(ids)}?")
    for id in ids:
        client.clusters.delete(id, reason=reason)
        say(f"{id} deleted")


@verb(app, "restore")
def restore(
    client: "Client",
    printer: Printer,
    id: Annotated[str, argument(metavar="ID")],
    to: Annotated[int | None, option("--to", metavar="REV", help="To this revision.")] = None,
    reason: ReasonOption = None,
) -> None:
    """Restore a deleted cluster, or a cluster to a revision."""
    client.clusters.restore(id, to, reason=reason)
    say(f"{id} restored")


@verb(app, "protect")
def protect(client: "Client", printer: Printer, id: IdArgument, reason: ReasonOption = None) -> None:
    """Protect a cluster against deletion."""
    client.clusters.protect(id_of(client, id), reason=reason)


@verb(app, "unprotect")
def unprotect(client: "Client", printer: Printer, id: IdArgument, reason: ReasonOption = None) -> None:
    """Lift the protection of a cluster."""
    client.clusters.unprotect(id_of(client, id), reason=reason)


@verb(app, "drain")
def drain(client: "Client", printer: Printer, id: IdArgument, reason: ReasonOption = None) -> None:
    """Set the status to draining: the cluster takes no new work."""
    _set_status(client, id, "draining", reason)


@verb(app, "maintain")
def maintain(client: "Client", printer: Printer, id: IdArgument, reason: ReasonOption = None) -> None:
    """Set the status to maintenance: the cluster is out of service on purpose."""
    _set_status(client, id, "maintenance", reason)


@verb(app, "activate")
def activate(client: "Client", printer: Printer, id: IdArgument, reason: ReasonOption = None) -> None:
    """Set the status to live."""
    _set_status(client, id, "live", reason)


@verb(app, "explain")
def explain(client: "Client", printer: Printer, words: WordsArgument = None, filter: FilterOption = None) -> None:
    """Print how the index answers words or a filter."""
    question = question_of(words, filter)
    printer.one(client.clusters.explain(question.pop("query", None), **question), Columns(("summary",)))


def _set_status(client: "Client", id: str, status: str, reason: str | None) -> None:
    reply = client.clusters.update(id_of(client, id), {"$set": {"status": status}}, reason=reason)
    say(f"{reply.document['id']} is {status}")


def _assignment(text: str) -> tuple[str, Any]:
    path, equals, value = text.partition("=")
    if not equals or not path:
        raise RequestRefused(f"{text!r} is not PATH=VALUE")
    try:
        return path, json.loads(value)
    except ValueError:
        return path, value


def _doubt(path: str, value: Any) -> None:
    """Warn of a field, and of a status, that is not documented but like one that is."""
    from rollbook.cli.completing import read_table

    known = read_table()
    if "." not in path:
        _doubt_field(path)
    if path == "status" and value not in known["statuses"] and (meant := meant_by(str(value), known["statuses"])):
        warn(f"{value} is not a documented status{meant}")


def _doubt_field(path: str) -> None:
    """Warn of a field that is not documented but like one that is."""
    from rollbook.cli.completing import read_table

    known = read_table()["fields"]
    asked = ".".join(each for each in path.split(".") if not each.isdecimal())
    above = max((each for each in known if asked.startswith(f"{each}.")), key=len, default="")
    is_free = above != "" and not any(each.startswith(f"{above}.") for each in known)
    is_known = asked in known or any(each.endswith(f".{asked}") for each in known)
    if not is_known and not is_free and (meant := meant_by(asked, known)):
        warn(f"{path} is not a documented field{meant}")


def _apart(paths: tuple[str, ...]) -> list[str]:
    """The paths without those that lie below another one: a projection can't name both."""
    return [path for path in paths if not any(path.startswith(f"{other}.") for other in paths)]
