"""``rollbook import`` and ``rollbook export``: documents into and out of a registry, one JSON document a line."""

import asyncio
import os
import sys
from itertools import islice
from typing import Annotated, BinaryIO

import typer
from msgspec import Struct

from rollbook.cli.directories import DataOption, existing_directory
from rollbook.cli.exits import FAILED
from rollbook.cli.files import reading, size_bytes
from rollbook.cli.lines import Line, read_lines
from rollbook.cli.places import ImportTarget, Outcome, open_place
from rollbook.cli.terminal import explain, progress, say, warn
from rollbook.documents.lines import one_line
from rollbook.errors import RegistryError, SettingRefused
from rollbook.settings import Settings, settings_from

BATCH_DOCUMENTS = 64

UrlOption = Annotated[
    str | None, typer.Option("--url", metavar="URL", help="Use the running server at this address, over HTTP.")
]


def import_(
    file: Annotated[str, typer.Argument(metavar="FILE", help="NDJSON or JSON, .gz or .zst too; - is standard input.")],
    data: DataOption = None,
    url: UrlOption = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Let a document take the place of one with its id.")
    ] = False,
    reason: Annotated[str | None, typer.Option(metavar="TEXT", help="Why, for the history of each cluster.")] = None,
) -> None:
    """Enrol the clusters of a file.

    The file holds one JSON document a line, or one JSON array of documents, or one document. A document that is
    refused is told of with its line, and the others go on; the exit code is 1 then.
    """
    settings = _settings(data, url)
    with reading(file) as stream:
        tally = asyncio.run(_import(stream, settings=settings, url=url, replace=replace, reason=reason))
    if tally.refused:
        raise typer.Exit(FAILED)


def export(data: DataOption = None, url: UrlOption = None) -> None:
    """Write every document to standard output.

    One JSON document a line (NDJSON), in order of creation, all as of one moment.
    """
    settings = _settings(data, url)
    if url is None:
        existing_directory(settings)
    asyncio.run(_export(settings=settings, url=url))


class Tally(Struct):
    """How an import went."""

    enrolled: int = 0
    refused: int = 0

    def __str__(self) -> str:
        return f"{self.enrolled} imported, {self.refused} refused"


async def _import(stream: BinaryIO, *, settings: Settings, url: str | None, replace: bool, reason: str | None) -> Tally:
    tally = Tally()
    lines = read_lines(stream, limits=settings.limits)
    try:
        async with open_place(settings, url, reason=reason) as place:
            with progress("importing", total=size_bytes(stream)) as advance:
                while batch := list(islice(lines, BATCH_DOCUMENTS)):
                    await _enrol(batch, place, replace=replace, tally=tally)
                    advance(sum(line.size_bytes for line in batch), len(batch))
    finally:
        say(str(tally))
    return tally


async def _enrol(batch: list[Line], place: ImportTarget, *, replace: bool, tally: Tally) -> None:
    readable = [line.content for line in batch if not isinstance(line.content, RegistryError)]
    outcomes = place.put(readable, replace=replace)
    for line in batch:
        outcome = line.content if isinstance(line.content, RegistryError) else await anext(outcomes)
        _tell(line.place, outcome)
        if isinstance(outcome, RegistryError):
            tally.refused += 1
        else:
            tally.enrolled += 1


def _tell(place: str, outcome: Outcome) -> None:
    if isinstance(outcome, RegistryError):
        explain(outcome, place=place)
    else:
        for warning in outcome:
            warn(f"{place}: {warning}")


async def _export(*, settings: Settings, url: str | None) -> None:
    out = sys.stdout.buffer
    async with open_place(settings, url) as place:
        with progress("exporting", total=None, hidden=out.isatty()) as advance:
            for body in place.bodies():
                out.write(one_line(body) + b"\n")
                advance(len(body), 1)
    out.flush()


def _settings(data: str | None, url: str | None) -> Settings:
    if data is not None and url is not None:
        raise SettingRefused("--data and --url exclude each other: it is one registry or the other")
    return settings_from(os.environ, data=data)
