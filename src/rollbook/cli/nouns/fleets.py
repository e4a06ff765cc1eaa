"""``rollbook fleet``: the clusters as a whole, counted, tabulated, fitted and followed."""

from typing import TYPE_CHECKING, Annotated, Any

from rollbook.cli.exits import CLASHED
from rollbook.cli.nouns.declaring import argument, option
from rollbook.cli.nouns.printing import Columns, Printer, write
from rollbook.cli.nouns.verbs import FilterOption, WordsArgument, group, parsed_json, question_of, verb
from rollbook.cli.terminal import say

if TYPE_CHECKING:
    from rollbook.client import Client

CHANGES = Columns(("revision", "time", "id", "event", "actor", "reason"), name="revision")
COUNTS = Columns(("value", "count"), name="value")
FITS = Columns(("id", "nodes", "left"))

fleet = group("The fleet as a whole.")


@verb(fleet, "status")
def status(client: "Client", printer: Printer) -> None:
    """Print how many clusters have which status."""
    printer.many(client.clusters.facets(["status"])["facets"]["status"]["values"], COUNTS)


@verb(fleet, "count")
def count(client: "Client", printer: Printer, words: WordsArgument = None, filter: FilterOption = None) -> None:
    """Print how many clusters match."""
    question = question_of(words, filter)
    write(str(client.clusters.count(question.pop("query", None), **question)))


@verb(fleet, "facets")
def facets(
    client: "Client",
    printer: Printer,
    path: Annotated[str, argument(metavar="PATH", help="The field, or gpuModels.")],
    filter: FilterOption = None,
    limit: Annotated[int, option("--limit", min=1, max=1000, help="At most.")] = 20,
) -> None:
    """Print the most frequent values of a field."""
    query = None if filter is None else parsed_json(filter, "the filter")
    printer.many(client.clusters.facets([path], query, limit=limit)["facets"][path]["values"], COUNTS)


@verb(fleet, "table")
def table(
    client: "Client",
    printer: Printer,
    words: WordsArgument = None,
    columns: Annotated[
        str, option("--columns", metavar="PATHS", help="Dotted paths, with commas.")
    ] = "id,regionId,status,nodes.count,gpus.count,memory",
    filter: FilterOption = None,
    sort: Annotated[str, option("--sort", metavar="PATHS", help="Paths; - before one turns it round.")] = "id",
    limit: Annotated[int, option("--limit", min=0, help="At most; 0 means all.")] = 0,
) -> None:
    """Print columns of the clusters that match, made by the registry's indexes: quick for any number of them."""
    paths = [each for each in columns.split(",") if each]
    options: dict[str, Any] = {"sort": sort_of(sort)} | ({"limit": limit} if limit else {})
    question = question_of(words, filter)
    found = client.clusters.table(paths, question.pop("query", None), **question, **options)
    printer.many(list(found.rows()), Columns(tuple(paths), name=paths[0]))


@verb(fleet, "fit")
def fit(
    client: "Client",
    printer: Printer,
    words: WordsArgument = None,
    filter: FilterOption = None,
    nodes: Annotated[int | None, option("--nodes", min=0, help="On each of this many nodes.")] = None,
    gpus: Annotated[int | None, option("--gpus", min=0, help="GPUs.")] = None,
    gpu_model: Annotated[str | None, option("--gpu-model", metavar="NAME", help="Of this model.")] = None,
    gpu_memory: Annotated[float | None, option("--gpu-memory", metavar="MB", help="Each with this.")] = None,
    vcpus: Annotated[float | None, option("--vcpus", help="Virtual CPUs.")] = None,
    memory: Annotated[float | None, option("--memory", metavar="MB", help="Memory.")] = None,
    on_one_node: Annotated[bool, option("--on-one-node", help="All on one node.")] = False,
    limit: Annotated[int, option("--limit", min=1, max=1000, help="At most.")] = 10,
) -> None:
    """Print the clusters that can place something, the tightest fit first; the exit code is 4 when none can."""
    given = {
        "nodes": nodes,
        "gpus": gpus,
        "gpuModel": gpu_model,
        "gpuMemory": gpu_memory,
        "vcpus": vcpus,
        "memory": memory,
        "onOneNode": on_one_node or None,
    }
    needs = {name: value for name, value in given.items() if value is not None}
    question = question_of(words, filter)
    found = client.clusters.fit(question.pop("query", None), **question, **needs, limit=limit)
    show_fit(printer, found)


def show_fit(printer: Printer, found: dict[str, Any]) -> None:
    """Print a fit, and end with CLASHED when there is none."""
    if printer.wants_documents:
        printer.one(found, FITS)
    else:
        printer.many(found["matches"], FITS)
    if not found["matches"]:
        for each in found["whyNot"]:
            say(f"{each['clause']} leaves out {each['removes']} clusters, {each['removesAlone']} of them alone")
        raise SystemExit(CLASHED)


@verb(fleet, "changes")
def changes(
    client: "Client",
    printer: Printer,
    since: Annotated[int | None, option("--since", metavar="REV", help="After this revision.")] = None,
    follow: Annotated[bool, option("--follow", help="Go on with what happens, until Ctrl-C.")] = False,
    limit: Annotated[int, option("--limit", min=1, help="At most, without --follow.")] = 50,
) -> None:
    """Print changes of all clusters, oldest first; the newest ones without --since."""
    if since is None:
        since = max(0, client.history.newest() - limit)
    page = client.history.changes(since=since, limit=limit).items
    printer.many(page, CHANGES)
    if follow:
        since = page[-1]["revision"] if page else since
        for event in client.watch(since=since, detail="patch"):
            printer.another(event, CHANGES)


@verb(fleet, "top")
def top(
    client: "Client",
    printer: Printer,
    words: WordsArgument = None,
    filter: FilterOption = None,
    every: Annotated[float, option("--every", min=0.2, metavar="SECONDS", help="How often.")] = 2.0,
    once: Annotated[bool, option("--once", help="Print it once; so it is where there is no terminal.")] = False,
) -> None:
    """Show the fleet as it is now, until q or Ctrl-C: statuses, liveness, GPUs, and the largest clusters."""
    from rollbook.cli.nouns.topping import show

    show(client, question_of(words, filter), every, once=once)


def sort_of(paths: str) -> dict[str, int]:
    """The order that ``--sort`` means."""
    return {each.lstrip("-"): -1 if each.startswith("-") else 1 for each in paths.split(",")}
