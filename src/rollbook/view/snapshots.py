"""The index in a file, so that a start need not make it again.

Theory: making the index means walking every document; reading it back is mostly copying. The file says as of which
revision it is, and how that change of the journal looked; what came later is followed from there. It can always be
thrown away: the documents are in the journal.

One rule: in doubt there is no snapshot. One that was cut off, altered, made for other settings or another journal, or
by another version, is not used. Nothing is decoded before its digest was found right.
"""

import hashlib
import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
from msgspec import Struct

from rollbook.journal.changes import Change
from rollbook.limits import Limits
from rollbook.view.index.indexes import ELEMENT_MEMBERS_NOT_INDEXED, ELEMENTS_INDEXED, ONLY_DIGESTS, Index
from rollbook.view.index.records import RECORDS_VERSION, fill, records_of

logger = logging.getLogger(__name__)

FILE_NAME = "index.snapshot"
UNFINISHED = ".new"
MAGIC = b"rollbook index\n"
LENGTH_BYTES = 8
DIGEST_BYTES = 16


_FIRST_RECORD = msgspec.msgpack.Decoder(tuple[msgspec.Raw, int, bytes, msgspec.Raw, msgspec.Raw])


class _Doubtful(Exception):
    """The file is not a snapshot to rely on."""


class Snapshot(Struct, frozen=True):
    """An index as of a revision, and the ids of its documents with their numbers, in order of creation."""

    revision: int
    index: Index
    ids: Sequence[str]
    numbers: Sequence[int]


def write_snapshot(directory: Path, snapshot: Snapshot, last: Change, *, limits: Limits) -> None:
    """Write the snapshot, whose last change was ``last``: wholly or not at all. Raises OSError if the disk refuses."""
    path, new = directory / FILE_NAME, directory / f"{FILE_NAME}.{os.getpid()}{UNFINISHED}"
    try:
        with new.open("wb") as file:
            _write(file, _records(snapshot, last, limits))
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


def remove_unfinished(directory: Path) -> None:
    """Remove what was left by those who did not finish a snapshot."""
    for path in directory.glob(f"{FILE_NAME}.*{UNFINISHED}"):
        with suppress(OSError):
            path.unlink()


def read_snapshot(directory: Path, *, limits: Limits) -> tuple[Snapshot, bytes] | None:
    """The snapshot, and the mark that its last change must bear (see ``mark_of``); None without one to rely on."""
    index = Index(limits=limits)
    try:
        with (directory / FILE_NAME).open("rb") as file:
            records = _checked(file)
            settings, revision, mark, ids, numbers = next(records)
            if settings != _settings(limits):
                logger.info("the index is made anew: its snapshot was made by another version, or for other limits")
                return None
            fill(index, records, dict(zip(numbers, ids, strict=True)))
    except FileNotFoundError:
        return None
    except (
        OSError,
        _Doubtful,
        StopIteration,
        ValueError,
        TypeError,
        LookupError,
        AssertionError,
        msgspec.DecodeError,
    ) as error:
        logger.warning("the index is made anew: its snapshot is damaged, or can't be read: %r", error)
        return None
    return Snapshot(revision, index, ids, numbers), mark


def newest_in_snapshot(directory: Path) -> int:
    """The revision of the snapshot, for whatever settings it was made; 0 without one to rely on."""
    with suppress(OSError, _Doubtful, msgspec.MsgspecError), (directory / FILE_NAME).open("rb") as file:
        return _FIRST_RECORD.decode(next(_bodies(file)))[1]
    return 0


def remove_snapshot(directory: Path) -> None:
    """Remove the snapshot: the next start makes the index anew."""
    (directory / FILE_NAME).unlink(missing_ok=True)


def mark_of(change: Change) -> bytes:
    """What identifies a change: a snapshot keeps that of its last one."""
    return _digest(repr(tuple(change)).encode())


def _records(snapshot: Snapshot, last: Change, limits: Limits) -> Iterator[Any]:
    assert last.revision == snapshot.revision
    yield [_settings(limits), snapshot.revision, mark_of(last), snapshot.ids, snapshot.numbers]
    yield from records_of(snapshot.index, dict(zip(snapshot.numbers, snapshot.ids, strict=True)))


def _write(file: BinaryIO, records: Iterable[Any]) -> None:
    file.write(MAGIC)
    for record in records:
        body = msgspec.msgpack.encode(record)
        file.write(len(body).to_bytes(LENGTH_BYTES, "big") + _digest(body))
        file.write(body)
    file.write(bytes(LENGTH_BYTES))
    file.flush()
    os.fsync(file.fileno())


def _checked(file: BinaryIO) -> Iterator[list[Any]]:
    """The records; doubtful as ``_bodies``."""
    return map(msgspec.msgpack.decode, _bodies(file))


def _bodies(file: BinaryIO) -> Iterator[bytes]:
    """The records, as they stand in the file.

    Doubtful where a digest is not that of the record, or the end is not where it should be.
    """
    size = os.fstat(file.fileno()).st_size
    if file.read(len(MAGIC)) != MAGIC:
        raise _Doubtful
    while length := int.from_bytes(_read(file, LENGTH_BYTES), "big"):
        digest, body = _read(file, DIGEST_BYTES), _read(file, min(length, size))
        if _digest(body) != digest:
            raise _Doubtful
        yield body


def _read(file: BinaryIO, size: int) -> bytes:
    content = file.read(size)
    if len(content) != size:
        raise _Doubtful
    return content


def _digest(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=DIGEST_BYTES).digest()


def _settings(limits: Limits) -> list[Any]:
    """What two indexes must have in common to be one and the same."""
    bounds = [
        limits.indexed_paths_max,
        limits.indexed_members_max,
        limits.indexed_text_length_max,
        limits.indexed_array_values_max,
    ]
    rules = repr((ELEMENTS_INDEXED, ELEMENT_MEMBERS_NOT_INDEXED, ONLY_DIGESTS))
    return [RECORDS_VERSION, bounds, rules]
