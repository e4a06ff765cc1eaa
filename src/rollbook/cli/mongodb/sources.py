"""Where documents of the original come from: a server, or a file of ``mongoexport`` or ``mongodump``.

Theory: a file is recognised by its first bytes, not by its name: those of gzip and Zstandard, those of an archive, the
length that begins a document of BSON. Anything else is JSON.
"""

import gzip
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import Any, BinaryIO, cast

from msgspec import Struct

from rollbook.cli.files import Zstandard, pipe_of, reading, size_bytes
from rollbook.cli.lines import Line, Undecoded, read_lines
from rollbook.cli.mongodb.collections import DEFAULT_NAME, is_address, opened, shown
from rollbook.cli.mongodb.dumps import ARCHIVE, begins_as_bson, read_archive, read_documents
from rollbook.cli.mongodb.extended_json import json_of_extended
from rollbook.cli.mongodb.values import Notes, decode_bson
from rollbook.documents.values import Value
from rollbook.errors import RegistryError, SettingRefused
from rollbook.limits import Limits

FIRST_BYTES = 5
GZIP, ZSTANDARD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"


class Named(Struct, frozen=True):
    """What is read: a connection string, or a file, or a directory of ``mongodump``; and which collection of it."""

    place: str
    database: str | None = None
    collection: str = DEFAULT_NAME

    @property
    def shown(self) -> str:
        """The place, without a password."""
        return f"mongodb://{shown(self.place)}" if is_address(self.place) else self.place


class Source(Struct):
    """Documents on their way. ``interrupt`` ends what waits for the next one; None where nothing waits.

    ``total``: how many bytes there are, or documents where ``counts_documents``; None where that is not known.
    """

    lines: Iterator[Line]
    notes: Notes
    total: int | None
    counts_documents: bool = False
    interrupt: Callable[[], None] | None = None


@contextmanager
def open_source(named: Named, *, limits: Limits) -> Iterator[Source]:
    """The documents of a source, as plain JSON. Raises what ``collections.opened`` and ``files.reading`` raise."""
    notes: Notes = Notes()
    if is_address(named.place):
        with opened(named.place, database=named.database, collection=named.collection, to_read=True) as there:
            lines = _decoded(there.documents(), limits, notes)
            yield Source(lines, notes, there.count(), counts_documents=True, interrupt=there.close)
        return
    file = _file_of(named)
    with reading(file) as stream:
        pipe, total = pipe_of(stream), size_bytes(stream)
        lines = _lines_of(stream, named, file, limits, notes)
        yield Source(lines, notes, total, interrupt=None if pipe is None else pipe.interrupt)


def _file_of(named: Named) -> str:
    """The file that holds the collection. Refuses (SettingRefused) a directory without one, or with several."""
    directory = Path(named.place)
    if not directory.is_dir():
        return named.place
    there = sorted(directory.glob("*.bson*")) + sorted(directory.glob("*/*.bson*"))
    found = [
        path
        for path in there
        if path.name in (f"{named.collection}.bson", f"{named.collection}.bson.gz")
        and named.database in (None, path.parent.name)
    ]
    if len(found) == 1:
        return str(found[0])
    listed = ", ".join(str(path.relative_to(directory)) for path in (found or there)[:20]) or "no file of mongodump"
    if found:
        raise SettingRefused(f"{directory} has several collections {named.collection}: name one of {listed}")
    raise SettingRefused(f"{directory} has no {named.collection}.bson; it has {listed}")


def _lines_of(stream: BinaryIO, named: Named, file: str, limits: Limits, notes: Notes) -> Iterator[Line]:
    """The documents of a file. The first bytes are read when the first document is asked for: a pipe may wait."""
    first, stream = _peeked(stream)
    while first.startswith((GZIP, ZSTANDARD)):
        first, stream = _peeked(_unpacked(first, stream))
    if first.startswith(ARCHIVE):
        stream.read(len(ARCHIVE))
        bodies = read_archive(stream, file=file, database=named.database, collection=named.collection)
        yield from _decoded(bodies, limits, notes)
    elif begins_as_bson(first):
        yield from _decoded(read_documents(stream, file=file), limits, notes)
    else:
        yield from _from_json(stream, file, limits, notes)


def _from_json(stream: BinaryIO, file: str, limits: Limits, notes: Notes) -> Iterator[Line]:
    is_first = True
    for line in read_lines(stream, limits=limits):
        if is_first and isinstance(line.content, RegistryError) and line.place == "line 1":
            message = "is neither extended JSON nor BSON nor an archive of mongodump"
            raise RegistryError(f"{file} {message}: {line.content.message}")
        is_first = False
        assert not isinstance(line.content, Undecoded), "lines are decoded"
        yield Line(line.place, line.size_bytes, _attempted(line.content, limits, notes))


def _attempted(content: "Value | RegistryError", limits: Limits, notes: Notes) -> "Value | RegistryError":
    if isinstance(content, RegistryError):
        return content
    try:
        return json_of_extended(content, limits=limits, notes=notes)
    except RegistryError as error:
        return error


def _decoded(bodies: Iterator[bytes], limits: Limits, notes: Notes) -> Iterator[Line]:
    for number, body in enumerate(bodies, 1):
        try:
            content: Value | RegistryError = decode_bson(body, limits=limits, notes=notes)
        except RegistryError as error:
            content = error
        yield Line(f"document {number}", len(body), content)


def _unpacked(first: bytes, stream: BinaryIO) -> BinaryIO:
    if first.startswith(GZIP):
        return cast(BinaryIO, gzip.GzipFile(fileobj=stream))
    return BufferedReader(Zstandard(stream))


def _peeked(stream: BinaryIO) -> tuple[bytes, BinaryIO]:
    """The first bytes of a stream, and a stream that begins with them."""
    first = b""
    while len(first) < FIRST_BYTES and (more := stream.read(FIRST_BYTES - len(first))):
        first += more
    return first, BufferedReader(_Rejoined(first, stream), 128 * 1024)


class _Rejoined(RawIOBase):
    """A stream whose first bytes were read."""

    def __init__(self, first: bytes, rest: BinaryIO) -> None:
        self._first = first
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._first[: len(buffer)] if self._first else self._rest.read1(len(buffer))  # type: ignore[attr-defined]
        self._first = self._first[len(data) :]
        buffer[: len(data)] = data
        return len(data)
