"""``rollbook cluster create``, ``apply`` and ``diff``: clusters from files, and their differences."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from rollbook.cli.exits import DIFFERS
from rollbook.cli.nouns.clusters import app
from rollbook.cli.nouns.declaring import option
from rollbook.cli.nouns.printing import Printer, write
from rollbook.cli.nouns.verbs import FileOption, IdArgument, ReasonOption, id_of, read_document, verb
from rollbook.cli.terminal import say, warn
from rollbook.errors import ClusterNotFound, RequestRefused

if TYPE_CHECKING:
    from rollbook.client import Client
    from rollbook.client.replies import Reply


@verb(app, "create")
def create(client: "Client", printer: Printer, file: FileOption, reason: ReasonOption = None) -> None:
    """Create the cluster, or the clusters, in a file."""
    for document in _documents(read_document(file)):
        reply = client.clusters.create(document, reason=reason)
        say(f"{reply.document['id']} created")


@verb(app, "apply")
def apply(
    client: "Client",
    printer: Printer,
    file: Annotated[str, option("-f", "--file", metavar="PATH", help="A file, or a folder of files.")],
    diff: Annotated[bool, option("--diff", help="Print what would change, and change nothing.")] = False,
    dry_run: Annotated[bool, option("--dry-run", help="Say what would change, and change nothing.")] = False,
    reason: ReasonOption = None,
) -> None:
    """Make clusters what files say: create those that are missing, merge files into those that differ.

    The server is asked first what would become of each, and only that is done: to what it was asked about.
    """
    differs, is_dry = False, diff or dry_run
    for document in _files(file):
        id = document.get("id") if isinstance(document, dict) else None
        if not isinstance(id, str):
            raise RequestRefused(f"a document in {file} has no id")
        try:
            current = client.clusters.read(id)
        except ClusterNotFound:
            differs = True
            made = client.clusters.create(document, reason=reason, dry_run=is_dry)
            _warn_if(is_dry, made)
            if diff:
                _difference({}, made.document, id)
            say(f"{id} {'would be created' if is_dry else 'created'}")
            continue
        planned = client.clusters.patch(id, document, if_match=current.etag, dry_run=True)
        if planned.document == current.document:
            say(f"{id} unchanged")
            continue
        differs = True
        _warn_if(is_dry, planned)
        if diff:
            _difference(current.document, planned.document, id)
        if not is_dry:
            client.clusters.patch(id, document, if_match=current.etag, reason=reason)
        say(f"{id} {'would be changed' if is_dry else 'changed'}")
    if diff and differs:
        raise SystemExit(DIFFERS)


def _warn_if(is_dry: bool, rehearsed: "Reply") -> None:
    """Say what the registry would warn of; where it is done after all, the client hears the same once more."""
    for warning in rehearsed.warnings if is_dry else ():
        warn(warning)


@verb(app, "diff")
def diff(
    client: "Client",
    printer: Printer,
    id: IdArgument,
    since: Annotated[int, option("--from", metavar="REV", help="The older revision.")],
    until: Annotated[int | None, option("--to", metavar="REV", help="The newer one; now without it.")] = None,
) -> None:
    """Compare two moments of a cluster. The exit code is 6 when they differ."""
    id = id_of(client, id)
    before = client.clusters.read(id, revision=since).document
    after = client.clusters.read(id, revision=until).document
    if before != after:
        _difference(before, after, id)
        raise SystemExit(DIFFERS)


def _documents(read: Any) -> list[Any]:
    return read if isinstance(read, list) else [read]


def _files(place: str) -> Iterator[Any]:
    path = Path(place)
    if place == "-" or not path.is_dir():
        yield from _documents(read_document(place))
        return
    for each in sorted(path.iterdir()):
        if each.suffix in (".json", ".yaml", ".yml"):
            yield from _documents(read_document(str(each)))


def _difference(before: Any, after: Any, id: str) -> None:
    old, new = (json.dumps(each, indent=2, ensure_ascii=True).splitlines() for each in (before, after))
    import difflib  # only where something differs

    for line in difflib.unified_diff(old, new, f"{id} (stored)", f"{id} (new)", lineterm=""):
        write(line)
