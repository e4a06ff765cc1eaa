"""``import --from`` and ``export --to``: the commands, from what they were given to what they report."""

import asyncio
from collections.abc import AsyncIterator

import typer
from msgspec.structs import replace as replaced

from rollbook.cli.arriving import batches_of_file, batches_of_pipe
from rollbook.cli.exits import FAILED
from rollbook.cli.mongodb.exporting import ExportTarget, open_target
from rollbook.cli.mongodb.importing import Moved, Mover
from rollbook.cli.mongodb.sources import Named, Source, open_source
from rollbook.cli.mongodb.values import digest_of, digest_of_all
from rollbook.cli.opening import open_place
from rollbook.cli.stopping import STOPPED, stopping
from rollbook.cli.terminal import counted, explain, progress, say, warn
from rollbook.documents.codec import decode_stored
from rollbook.errors import DocumentInvalid
from rollbook.settings import Settings

BATCH_DOCUMENTS = 500
BATCH_BYTES = 8 * 1024 * 1024
ASKED_SHOWN_MAX = 20


def import_from(named: Named, *, settings: Settings, url: str | None, replace: bool, reason: str | None) -> None:
    """Import what a source of the original holds, and exit with the code that it deserves."""
    if url is None:
        settings = replaced(settings, schema="lenient")
    moved = asyncio.run(_import(named, settings=settings, url=url, replace=replace, reason=reason))
    if moved.refused:
        raise typer.Exit(FAILED)


def export_to(named: Named, *, settings: Settings, url: str | None, canonical: bool) -> None:
    """Export into a collection or a file of the original, and exit with the code that it deserves."""
    if not asyncio.run(_export(named, settings=settings, url=url, canonical=canonical)):
        raise typer.Exit(FAILED)


async def _import(named: Named, *, settings: Settings, url: str | None, replace: bool, reason: str | None) -> Moved:
    with open_source(named, limits=settings.limits) as source, stopping() as stop:
        async with open_place(settings, url, reason=reason) as place:
            mover = Mover(place, replace=replace)
            try:
                await _put_all(source, mover, stop)
                if not stop.is_set():
                    async for refusal in mover.verify():
                        explain(refusal.error, place=refusal.place)
            finally:
                say(str(mover.moved))
    if stop.is_set():
        say(f"stopped after {mover.moved.last or 'no document'}: run the command again to go on")
        raise typer.Exit(STOPPED)
    _report(mover, source, is_server=url is not None)
    return mover.moved


async def _put_all(source: Source, mover: Mover, stop: asyncio.Event) -> None:
    waits = source.interrupt
    batches = batches_of_file(source.lines, stop) if waits is None else batches_of_pipe(source.lines, stop, waits)
    with progress("importing", total=source.total) as advance:
        async for batch in batches:
            async for refusal in mover.put(batch):
                explain(refusal.error, place=refusal.place)
            steps = len(batch) if source.counts_documents else sum(line.size_bytes for line in batch)
            advance(steps, len(batch))


def _report(mover: Mover, source: Source, *, is_server: bool) -> None:
    moved = mover.moved
    for name, count in sorted(source.notes.items()):
        warn(f"JSON has no type {name}: {counted(count, 'value')} became strings or numbers")
    if moved.sparse:
        say(f"{counted(moved.sparse, 'document')} kept as they are, though the documented schema would ask for more:")
        asked = sorted(moved.asked.items(), key=lambda item: -item[1].documents)
        for _, each in asked[:ASKED_SHOWN_MAX]:
            say(f"  {each.problem}: {counted(each.documents, 'document')}, the first is {each.first}")
        if len(asked) > ASKED_SHOWN_MAX:
            say(f"  and at {len(asked) - ASKED_SHOWN_MAX} other places")
    if moved.undocumented:
        fields = [at.removeprefix("/").replace("/", ".") for at, _ in moved.undocumented.most_common(ASKED_SHOWN_MAX)]
        more = ", ..." if len(moved.undocumented) > ASKED_SHOWN_MAX else ""
        say(f"fields that no schema documents are kept as they are: {', '.join(fields)}{more}")
    if moved.refused and is_server:
        say("a server with ROLLBOOK_SCHEMA=lenient, or its data directory without the server, takes sparse documents")
    verified = counted(mover.count, "document")
    say(f"verified: the registry has {verified} as they were read, SHA-256 {mover.digest}")


async def _export(named: Named, *, settings: Settings, url: str | None, canonical: bool) -> bool:
    """Whether all was exported."""
    digests: dict[str, bytes] = {}
    with open_target(named, canonical=canonical, limits=settings.limits) as target, stopping() as stop:
        async with open_place(settings, url) as place:
            await asyncio.to_thread(target.prepare)
            with progress("exporting", total=None) as advance:
                async for batch in _batches(place.bodies()):
                    await _put(batch, target, digests)
                    advance(0, len(batch))
                    if stop.is_set():
                        break
        if stop.is_set():
            say(f"stopped: {target.exported}; run the command again to go on")
            raise typer.Exit(STOPPED)
        missing = await asyncio.to_thread(target.verify, digests)
    for id in missing:
        del digests[id]
        explain(DocumentInvalid(f"{id!r} is not in {named.shown} as it is in the registry"))
    say(str(target.exported))
    if target.exported.others:
        say(f"{named.shown} keeps {counted(target.exported.others, 'document')} that the registry does not have")
    whole, verified = digest_of_all(digests), counted(len(digests), "document")
    say(f"verified: {named.shown} has {verified} as in the registry, SHA-256 {whole}")
    return not missing and not target.exported.refused


async def _put(batch: list[bytes], target: ExportTarget, digests: dict[str, bytes]) -> None:
    for document in map(decode_stored, batch):
        digests[str(document["id"])] = digest_of(document)
    for id, error in await asyncio.to_thread(target.put, batch):
        target.exported.refused += 1
        explain(error, place=id)
        del digests[id]


async def _batches(bodies: AsyncIterator[bytes]) -> AsyncIterator[list[bytes]]:
    batch: list[bytes] = []
    size_bytes = 0
    async for body in bodies:
        batch.append(body)
        size_bytes += len(body)
        if len(batch) == BATCH_DOCUMENTS or size_bytes >= BATCH_BYTES:
            yield batch
            batch, size_bytes = [], 0
    if batch:
        yield batch
