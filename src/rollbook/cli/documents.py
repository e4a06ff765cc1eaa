"""``rollbook import`` and ``rollbook export``: documents into and out of a registry, one JSON document a line.

What MongoDB holds is moved by ``mongodb.moving``.
"""

import asyncio
import sys
from collections import deque
from collections.abc import AsyncIterator, Callable
from types import ModuleType
from typing import Annotated

import typer
from msgspec import Struct

from rollbook.cli.arriving import batches_of_file, batches_of_pipe
from rollbook.cli.exits import FAILED
from rollbook.cli.files import STANDARD, pipe_of, reading, size_bytes, writing
from rollbook.cli.lines import Line, read_lines
from rollbook.cli.opening import open_place, settings_of
from rollbook.cli.options import DataOption, JournalOption, UrlOption
from rollbook.cli.parsing_processes import processes_for
from rollbook.cli.places import ImportTarget, Outcome
from rollbook.cli.stopping import STOPPED, stopping
from rollbook.cli.terminal import explain, progress, say, warn
from rollbook.documents.lines import one_line, safe_on_terminals
from rollbook.errors import RegistryError, SettingRefused
from rollbook.settings import Settings

DOCUMENTS_BETWEEN_LOOKS = 64

DatabaseOption = Annotated[
    str | None, typer.Option("--database", metavar="NAME", help="The database, where the source has several.")
]
FileArgument = Annotated[
    str | None, typer.Argument(metavar="FILE", help="NDJSON or JSON, also .gz and .zst; - is standard input.")
]
CollectionOption = Annotated[str, typer.Option("--collection", metavar="NAME", help="The collection of the original.")]


def import_(
    context: typer.Context,
    file: FileArgument = None,
    data: DataOption = None,
    url: UrlOption = None,
    journal: JournalOption = None,
    source: Annotated[
        str | None,
        typer.Option("--from", metavar="SOURCE", help="mongodb://HOST/DATABASE, or a file of mongoexport, mongodump."),
    ] = None,
    database: DatabaseOption = None,
    collection: CollectionOption = "clusters",
    replace: Annotated[
        bool, typer.Option("--replace", help="Let a document take the place of one with its id.")
    ] = False,
    reason: Annotated[str | None, typer.Option(metavar="TEXT", help="Why, for the history of each cluster.")] = None,
) -> None:
    """Import the clusters of a file, or of a MongoDB.

    The file holds one JSON document a line, or one JSON array of documents, or one document. A document that is
    refused is reported with its line, and the others are imported; the exit code is 1 then.

    With --from they are documents of the original registry: in its collection, or in extended JSON, in BSON or in an
    archive, also compressed. Sparse documents are kept as they are, and what the documented schema would ask is
    reported. What was imported is read again and compared; the command may be run again, and goes on.
    """
    if (file is None) == (source is None):
        raise typer.BadParameter("name a file, or a source with --from", ctx=context)
    settings = settings_of(data, url, journal)
    if source is not None:
        moving = mongodb()
        named = moving.Named(source, database, collection)
        moving.import_from(named, settings=settings, url=url, replace=replace, reason=reason)
    else:
        assert file is not None
        tally = asyncio.run(_import(file, settings=settings, url=url, replace=replace, reason=reason))
        if tally.refused:
            raise typer.Exit(FAILED)


def export(
    data: DataOption = None,
    url: UrlOption = None,
    journal: JournalOption = None,
    output: Annotated[
        str, typer.Option("--output", metavar="FILE", help="Write this file, compressed where it ends in .gz or .zst.")
    ] = STANDARD,
    target: Annotated[
        str | None,
        typer.Option("--to", metavar="TARGET", help="mongodb://HOST/DATABASE, or a file for mongoimport; .bson: BSON."),
    ] = None,
    database: DatabaseOption = None,
    collection: CollectionOption = "clusters",
    canonical: Annotated[
        bool, typer.Option("--canonical", help="Name the type of each number in extended JSON.")
    ] = False,
) -> None:
    """Write every document to standard output, a file or a MongoDB.

    One JSON document a line (NDJSON), in order of creation, all as of one moment.

    With --to they are written as the original keeps them: into its collection, or into a file for its tools. What is
    there already, the same, is left as it is; what was written is read again and compared.
    """
    settings = settings_of(data, url, journal)
    if target is not None and output != STANDARD:
        raise SettingRefused("--output and --to exclude each other")
    if url is None and not settings.journal.is_shared:
        from rollbook.cli.directories import existing_directory

        existing_directory(settings)
    if target is not None:
        moving = mongodb()
        moving.export_to(moving.Named(target, database, collection), settings=settings, url=url, canonical=canonical)
    else:
        asyncio.run(_export(output, settings=settings, url=url))


def mongodb() -> ModuleType:
    """What speaks with MongoDB. Refuses (SettingRefused) where PyMongo is not installed."""
    try:
        import pymongo  # noqa: F401
    except ImportError:
        raise SettingRefused("this needs PyMongo: pip install 'rollbook[mongodb]'") from None
    from rollbook.cli.mongodb import moving

    return moving


class Tally(Struct):
    """How an import went."""

    imported: int = 0
    refused: int = 0
    last: str = ""

    def __str__(self) -> str:
        return f"{self.imported} imported, {self.refused} refused"


async def _import(file: str, *, settings: Settings, url: str | None, replace: bool, reason: str | None) -> Tally:
    tally, is_local = Tally(), url is None and not settings.journal.is_shared
    with reading(file) as stream, stopping(ends_by_itself=is_local) as stop:
        try:
            processes = 0 if url is not None else processes_for(size_bytes(stream))
            lines, pipe = read_lines(stream, limits=settings.limits, decodes=not processes), pipe_of(stream)
            batches = batches_of_file(lines, stop) if pipe is None else batches_of_pipe(lines, stop, pipe.interrupt)
            async with open_place(settings, url, reason=reason, processes=processes) as place:
                with progress("importing", total=size_bytes(stream)) as advance:
                    await _put_all(batches, place, tally, replace=replace, advance=advance)
        finally:
            say(str(tally))
    if stop.is_set():
        say(f"stopped after {tally.last or 'no line'}: run the command again with --replace to go on")
        raise typer.Exit(STOPPED)
    return tally


async def _put_all(
    batches: AsyncIterator[list[Line]],
    place: ImportTarget,
    tally: Tally,
    *,
    replace: bool,
    advance: Callable[[int, int], None],
) -> None:
    """Import batch after batch: the next ones are read and judged while one is written."""
    reporting: deque[asyncio.Task[None]] = deque()
    try:
        async for batch in batches:
            readable = [line.content for line in batch if not isinstance(line.content, RegistryError)]
            outcomes = place.put(readable, replace=replace)
            while len(reporting) >= place.ahead:
                await reporting.popleft()
            before = reporting[-1] if reporting else None
            reporting.append(asyncio.create_task(_report(batch, outcomes, tally, advance, before=before)))
    finally:
        for ended in await asyncio.gather(*reporting, return_exceptions=True):
            if ended is not None:
                raise ended


async def _report(
    batch: list[Line],
    outcomes: AsyncIterator[Outcome],
    tally: Tally,
    advance: Callable[[int, int], None],
    *,
    before: "asyncio.Task[None] | None",
) -> None:
    """Say what became of the lines of a batch, after those of the one ``before``, unless these could not be written."""
    if before is not None:
        await before
    for line in batch:
        outcome = line.content if isinstance(line.content, RegistryError) else await anext(outcomes)
        _tell(line.place, outcome)
        tally.last = line.place
        if isinstance(outcome, RegistryError):
            tally.refused += 1
        else:
            tally.imported += 1
    advance(sum(line.size_bytes for line in batch), len(batch))


def _tell(place: str, outcome: Outcome) -> None:
    if isinstance(outcome, RegistryError):
        explain(outcome, place=place)
    else:
        for warning in outcome:
            warn(f"{place}: {warning}")


async def _export(output: str, *, settings: Settings, url: str | None) -> None:
    count = 0
    with writing(output) as out, stopping() as stop:
        async with open_place(settings, url) as place:
            is_seen = output == STANDARD and sys.stdout.isatty()
            with progress("exporting", total=None, hidden=is_seen) as advance:
                async for body in place.bodies():
                    out.write((safe_on_terminals if is_seen else one_line)(body) + b"\n")
                    advance(len(body), 1)
                    count += 1
                    if count % DOCUMENTS_BETWEEN_LOOKS == 0:
                        await asyncio.sleep(0)  # a signal is handled then
                    if stop.is_set():
                        break
    if stop.is_set():
        say(f"stopped after {count} documents: the export is not complete")
        raise typer.Exit(STOPPED)
