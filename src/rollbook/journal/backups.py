"""Backups: everything that a registry keeps, as of one moment, in one file that says whether it is whole.

One rule: a file is used whole or not at all. It ends with the SHA-256 of all before it, and nothing of it is unpacked
before that was compared.

Theory: the file is ``MAGIC``, then a tar archive compressed with zstd, then the digest. The first member of the archive
is ``manifest.json``, which says as of which revision and time it is; the others are the files of a data directory, the
journal the newest of them: a directory whose journal is older than the stores beside it would be refused.
"""

import contextlib
import hashlib
import os
import shutil
import tarfile
import tempfile
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, cast

import msgspec
import zstandard
from msgspec import Struct

from rollbook.errors import BackupRefused, DataDirectoryUnsound
from rollbook.journal.interface import DirectoryJournal
from rollbook.journal.opening import (
    copy_beside,
    open_journal,
    problems_beside,
    turn_back,
    turn_back_beside,
)

MAGIC = b"rollbook-backup-1\n"
DIGEST_BYTES = hashlib.sha256().digest_size
MANIFEST = "manifest.json"
PIECE_BYTES = 1024 * 1024
LEVEL = 3
PLAIN_FILES = ("clock", "cursor.key", "audit*.ndjson")
"""What else of a data directory is kept: the newest known time, the key of cursors, and the audit log."""


class Manifest(Struct, frozen=True, rename="camel"):
    """What a backup is of: the newest revision in it, how many clusters, and when it was made (Unix ms)."""

    format: int
    revision: int
    clusters: int
    at_ms: int


def make_backup(journal: DirectoryJournal, directory: Path, into: BinaryIO, *, at_ms: int) -> Manifest:
    """Write a backup of the registry in ``directory``, which this process holds, while it goes on being written.

    It needs room beside the data for a copy of it, for as long as this takes. Fails (JournalUnavailable) as disks do.
    """
    with tempfile.TemporaryDirectory(prefix="backup-", dir=directory) as scratch:
        copies = Path(scratch)
        copy_plain_files(directory, copies)
        copy_beside(directory, copies)
        journal.copy(copies)
        manifest = _manifest_of(copies, at_ms)
        hashing = _Hashing(into)
        hashing.write(MAGIC)
        compressor = zstandard.ZstdCompressor(level=LEVEL)
        with (
            compressor.stream_writer(cast(BinaryIO, hashing), closefd=False) as packed,
            tarfile.open(fileobj=packed, mode="w|") as archive,
        ):
            _add(archive, MANIFEST, msgspec.json.encode(manifest))
            for path in sorted(copies.iterdir()):
                archive.add(path, path.name)
        into.write(hashing.digest.digest())
    return manifest


def verify_backup(path: Path) -> Manifest:
    """What a backup is of. Refuses (BackupRefused) one that is not whole, or that does not hold a sound registry."""
    with tempfile.TemporaryDirectory(prefix="rollbook-") as scratch:
        manifest = unpack_backup(path, Path(scratch))
        _check(Path(scratch), manifest, path)
    return manifest


def restore_backup(path: Path, directory: Path, *, to_revision: int | None = None, to_ms: int | None = None) -> int:
    """Make the data directory ``directory`` of a backup; the revision that it is at.

    With ``to_revision`` or ``to_ms`` (Unix ms) it is as it was then. Refuses (BackupRefused) a backup that is not
    whole or sound, (DataDirectoryUnsound) a directory that holds something, and (Compacted) a moment that the history
    in the backup does not reach; nothing is left in the directory then.
    """
    if directory.exists() and any(directory.iterdir()):
        raise DataDirectoryUnsound(f"{directory} holds something already: restore into a new directory")
    directory.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{directory.name}-", dir=directory.parent) as scratch:
        made = Path(scratch) / "data"
        made.mkdir(mode=0o700)
        manifest = unpack_backup(path, made)
        _check(made, manifest, path)
        revision = manifest.revision
        if to_revision is not None or to_ms is not None:
            revision = turn_back(made, revision=to_revision, at_ms=to_ms)
            turn_back_beside(made, revision)
        if directory.exists():
            directory.rmdir()
        made.rename(directory)
    return revision


def unpack_backup(path: Path, into: Path) -> Manifest:
    """Unpack the files of a backup. Refuses (BackupRefused) one that is not whole, before anything is unpacked."""
    manifest = None
    with path.open("rb") as file:
        packed = _Part(file, _checked_size(file, path))
        decompressor = zstandard.ZstdDecompressor()
        with (
            decompressor.stream_reader(cast(BinaryIO, packed)) as stream,
            tarfile.open(fileobj=stream, mode="r|") as archive,
        ):
            for member in archive:
                content = archive.extractfile(member)
                if content is None or "/" in member.name or member.name.startswith("."):
                    raise BackupRefused(f"{path} holds {member.name!r}, which is no file of a registry")
                if member.name == MANIFEST:
                    manifest = msgspec.json.decode(content.read(), type=Manifest)
                else:
                    descriptor = os.open(into / member.name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                    with os.fdopen(descriptor, "wb") as out:
                        shutil.copyfileobj(content, out, PIECE_BYTES)
    if manifest is None:
        raise BackupRefused(f"{path} does not say what it is of")
    return manifest


def copy_plain_files(directory: Path, into: Path) -> None:
    """Copy the files that are read and written as a whole, or line by line. A line that is not whole is left out."""
    listed: list[Path] = []
    while (there := _plain_files_in(directory)) != listed:  # again where the audit log went on in another file
        listed = there
        for path in there:
            with contextlib.suppress(FileNotFoundError):
                content = path.read_bytes()
                whole = content[: content.rfind(b"\n") + 1] if path.suffix == ".ndjson" else content
                (into / path.name).write_bytes(whole)


def _plain_files_in(directory: Path) -> list[Path]:
    return sorted(path for pattern in PLAIN_FILES for path in directory.glob(pattern))


def _manifest_of(copies: Path, at_ms: int) -> Manifest:
    journal = open_journal(copies)
    try:
        return Manifest(1, journal.newest(), journal.inspection.count(), at_ms)
    finally:
        journal.close()
        (copies / "lock").unlink(missing_ok=True)


def _check(directory: Path, manifest: Manifest, path: Path) -> None:
    """Refuses (BackupRefused) files that are not sound, or not of the revision that the manifest says."""
    journal = open_journal(directory)
    try:
        problems = [*journal.inspection.problems(), *problems_beside(directory)]
        if journal.newest() != manifest.revision or journal.inspection.count() != manifest.clusters:
            problems.append(f"it is at revision {journal.newest()}, and should be at {manifest.revision}")
    finally:
        journal.close()
    if problems:
        raise BackupRefused(f"{path} does not hold a sound registry: {problems[0]}")


def _checked_size(file: BinaryIO, path: Path) -> int:
    """The bytes of the archive in a file that is whole; it stands at their beginning then."""
    size_bytes = path.stat().st_size - len(MAGIC) - DIGEST_BYTES
    if file.read(len(MAGIC)) != MAGIC or size_bytes < 0:
        raise BackupRefused(f"{path} is no backup of a registry")
    digest, left = hashlib.sha256(MAGIC), size_bytes
    while left > 0:
        piece = file.read(min(left, PIECE_BYTES))
        if not piece:
            break
        digest.update(piece)
        left -= len(piece)
    if left or file.read() != digest.digest():
        raise BackupRefused(f"{path} is damaged, or was cut off: it is not what was written; use another backup")
    file.seek(len(MAGIC))
    return size_bytes


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    archive.addfile(member, BytesIO(content))


class _Hashing:
    """A file that is written, and the digest of what was."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def write(self, data: bytes) -> int:
        """Write, and count it in."""
        self.digest.update(data)
        return self._file.write(data)

    def flush(self) -> None:
        """Pass on what is buffered."""
        self._file.flush()


class _Part:
    """The next bytes of a file, and no more."""

    def __init__(self, file: BinaryIO, size_bytes: int) -> None:
        self._file = file
        self._left = size_bytes

    def read(self, size: int = -1) -> bytes:
        """Some of them; empty at their end."""
        data = self._file.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(data)
        return data
