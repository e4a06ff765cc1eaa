"""``rollbook import`` and ``rollbook export``: documents into and out of a registry, one JSON document a line."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Annotated

import typer
from msgspec import Struct

from rollbook.cli.arriving import batches_of_file, batches_of_pipe
from rollbook.cli.exits import FAILED
from rollbook.cli.files import STANDARD, pipe_of, reading, size_bytes, writing
from rollbook.cli.lines import Line, read_lines
from rollbook.cli.options import DataOption, UrlOption
from rollbook.cli.places import ImportTarget, Outcome
from rollbook.cli.terminal import explain, progress, say, warn
from rollbook.documents.lines import one_line, safe_on_terminals
from rollbook.errors import RegistryError, SettingRefused
from rollbook.settings import Settings, settings_from

DOCUMENTS_BETWEEN_LOOKS = 64
GIVING_UP_SECONDS = 0.5
STOPPED = 130
"""The exit code after SIGINT or SIGTERM, as shells have it."""


def import_(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="NDJSON or JSON, also .gz and .zst; - is standard input.")
    ],
    data: DataOption = None,
    url: UrlOption = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Let a document take the place of one with its id.")
    ] = False,
    reason: Annotated[str | None, typer.Option(metavar="TEXT", help="Why, for the history of each cluster.")] = None,
) -> None:
    """Import the clusters of a file.

    The file holds one JSON document a line, or one JSON array of documents, or one document. A document that is
    refused is reported with its line, and the others are imported; the exit code is 1 then.
    """
    tally = asyncio.run(_import(file, settings=_settings(data, url), url=url, replace=replace, reason=reason))
    if tally.refused:
        raise typer.Exit(FAILED)


def export(
    data: DataOption = None,
    url: UrlOption = None,
    output: Annotated[
        str, typer.Option("--output", metavar="FILE", help="Write this file, compressed where it ends in .gz or .zst.")
    ] = STANDARD,
) -> None:
    """Write every document to standard output, or to a file.

    One JSON document a line (NDJSON), in order of creation, all as of one moment.
    """
    settings = _settings(data, url)
    if url is None:
        from rollbook.cli.directories import existing_directory

        existing_directory(settings)
    asyncio.run(_export(output, settings=settings, url=url))


class Tally(Struct):
    """How an import went."""

    imported: int = 0
    refused: int = 0
    last: str = ""

    def __str__(self) -> str:
        return f"{self.imported} imported, {self.refused} refused"


async def _import(file: str, *, settings: Settings, url: str | None, replace: bool, reason: str | None) -> Tally:
    tally = Tally()
    with reading(file) as stream, stopping() as stop:
        try:
            lines, pipe = read_lines(stream, limits=settings.limits), pipe_of(stream)
            batches = batches_of_file(lines, stop) if pipe is None else batches_of_pipe(lines, stop, pipe.interrupt)
            async with open_place(settings, url, reason=reason) as place:
                with progress("importing", total=size_bytes(stream)) as advance:
                    async for batch in batches:
                        await _put(batch, place, replace=replace, tally=tally)
                        advance(sum(line.size_bytes for line in batch), len(batch))
        finally:
            say(str(tally))
    if stop.is_set():
        say(f"stopped after {tally.last or 'no line'}: run the command again with --replace to go on")
        raise typer.Exit(STOPPED)
    return tally


@contextmanager
def stopping() -> Iterator[asyncio.Event]:
    """An event that is set at SIGINT and SIGTERM: the work in hand is finished and counted, and no more is begun.

    Work that does not end soon, because a server says nothing more, is given up: the block ends there.
    """
    loop, stop, task = asyncio.get_running_loop(), asyncio.Event(), asyncio.current_task()
    assert task is not None
    giving_up: list[asyncio.TimerHandle] = []

    def begin() -> None:
        stop.set()
        giving_up.append(loop.call_later(GIVING_UP_SECONDS, task.cancel))

    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, begin)
    try:
        yield stop
    except asyncio.CancelledError:
        if not stop.is_set():
            raise
        task.uncancel()
    finally:
        for timer in giving_up:
            timer.cancel()
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(name)


async def _put(batch: list[Line], place: ImportTarget, *, replace: bool, tally: Tally) -> None:
    readable = [line.content for line in batch if not isinstance(line.content, RegistryError)]
    outcomes = place.put(readable, replace=replace)
    for line in batch:
        outcome = line.content if isinstance(line.content, RegistryError) else await anext(outcomes)
        _tell(line.place, outcome)
        tally.last = line.place
        if isinstance(outcome, RegistryError):
            tally.refused += 1
        else:
            tally.imported += 1


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


@asynccontextmanager
async def open_place(settings: Settings, url: str | None, *, reason: str | None = None) -> AsyncIterator[ImportTarget]:
    """The server at ``url``, or without one the data directory of ``settings``. Only that which is used is imported."""
    if url is not None:
        from rollbook.cli.remote import open_server

        async with open_server(url, reason) as server:
            yield server
    else:
        from rollbook.cli.local import open_directory

        async with open_directory(settings, reason) as directory:
            yield directory


def _settings(data: str | None, url: str | None) -> Settings:
    if data is not None and url is not None:
        raise SettingRefused("--data and --url exclude each other: it is one registry or the other")
    return settings_from(os.environ, data=data)
