"""The audit log: who was refused, and what happened to tokens, roles, webhooks and backups.

Theory: ``audit.ndjson`` holds one JSON object a line. Each line carries the SHA-256 of the line before it, so that a
line which is changed, removed or put in afterwards breaks the chain from there on. A full file is renamed to its last
sequence number and a new one begins with the digest of its last line.

One rule: what is to be logged is on the disk before its caller is answered.
"""

import hashlib
import os
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from rollbook.documents.values import Document

FILE_NAME = "audit.ndjson"
BEGINNING = "0" * 64
FILE_BYTES_MAX = 64 * 1024 * 1024
FILES_KEPT = 16


class AuditEntry(NamedTuple):
    """What is to be logged: ``at`` is its time in ISO 8601, ``facts`` are further members."""

    at: str
    actor: str
    event: str
    facts: Mapping[str, Any] = {}


class AuditLog:
    """The log in one data directory, which this process has locked. Not thread-safe; its methods block."""

    def __init__(self, directory: Path, *, file_bytes_max: int = FILE_BYTES_MAX, files_kept: int = FILES_KEPT) -> None:
        self._path = directory / FILE_NAME
        self._file_bytes_max = file_bytes_max
        self._files_kept = files_kept
        self._sequence, self._previous = _end_of(self._path) or _end_of_rotated(self._path)
        self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        _end_broken_line(self._path, self._file)

    def append(self, at: str, actor: str, event: str, **facts: Any) -> int:
        """Log an event, durably, and return its sequence number. ``at`` is its time in ISO 8601."""
        self.append_all([AuditEntry(at, actor, event, facts)])
        return self._sequence

    def append_all(self, entries: Sequence[AuditEntry]) -> None:
        """Log events, durably, with one sync of the disk."""
        lines = b"".join(self._line(entry) + b"\n" for entry in entries)
        os.write(self._file, lines)
        os.fdatasync(self._file)
        if os.fstat(self._file).st_size >= self._file_bytes_max:
            self._rotate()

    def entries(self, *, since: int = 0) -> Iterator[Document]:
        """The entries after sequence number ``since``, oldest first, as far as files are kept."""
        return entries_in(self._path.parent, since=since)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def _line(self, entry: AuditEntry) -> bytes:
        self._sequence += 1
        members = {"seq": self._sequence, "at": entry.at, "actor": entry.actor, "event": entry.event, **entry.facts}
        line = orjson.dumps({**members, "previous": self._previous})
        self._previous = hashlib.sha256(line).hexdigest()
        return line

    def _rotate(self) -> None:
        os.close(self._file)
        self._path.rename(self._path.with_name(f"audit.{self._sequence:012d}.ndjson"))
        self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        for old in _rotated(self._path)[: -self._files_kept]:
            old.unlink(missing_ok=True)


def entries_in(directory: Path, *, since: int = 0) -> Iterator[Document]:
    """The entries of a directory after sequence number ``since``, oldest first, as far as files are kept."""
    current = directory / FILE_NAME
    for path in [*_rotated(current), current]:
        if path != current and _number_of(path) <= since:
            continue
        for line in _lines(path):
            entry = orjson.loads(line)
            if entry["seq"] > since:
                yield entry


class AuditDirectory:
    """The log of a data directory that no server uses, as lines (see ``journal.audit_copies.AuditLines``)."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / FILE_NAME

    def lines(self) -> Iterator[bytes]:
        """Every whole line, oldest first, as far as files are kept."""
        for path in [*_rotated(self._path), self._path]:
            yield from _lines(path)

    def write_lines(self, lines: Sequence[bytes]) -> None:
        """Append lines as they are, durably."""
        file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with open(file, "ab") as log:
            log.writelines(line + b"\n" for line in lines)
            log.flush()
            os.fdatasync(file)


def problems_in_audit(directory: Path) -> list[str]:
    """Where the chain of the audit log is broken, a sentence each; its beginning may be gone with old files."""
    path = directory / FILE_NAME
    problems: list[str] = []
    previous: str | None = None
    for file in [*_rotated(path), path]:
        for number, line in enumerate(_lines(file, whole=False), 1):
            try:
                named = orjson.loads(line)["previous"]
            except (orjson.JSONDecodeError, KeyError, TypeError):
                problems.append(f"{file}: line {number} is no entry of the audit log")
                named = previous
            if previous is not None and named != previous:
                problems.append(f"{file}: line {number} does not follow the line before it: the log was changed")
            previous = hashlib.sha256(line).hexdigest()
    return problems


def _lines(path: Path, *, whole: bool = True) -> Iterator[bytes]:
    """The lines of a file; a last one that was torn by a crash is left out where ``whole`` lines are asked for."""
    if path.exists():
        with path.open("rb") as file:
            for line in file:
                if (line.endswith(b"\n") or not whole) and line.strip():
                    yield line.rstrip(b"\n")


def _rotated(path: Path) -> list[Path]:
    return sorted(path.parent.glob("audit.[0-9]*.ndjson"))


def _number_of(path: Path) -> int:
    return int(path.name.split(".")[1])


def _end_of(path: Path) -> tuple[int, str] | None:
    """The sequence number and the digest of the last whole line; None when there is none."""
    lines = deque(_lines(path), maxlen=1)
    return (orjson.loads(lines[0])["seq"], hashlib.sha256(lines[0]).hexdigest()) if lines else None


def _end_of_rotated(path: Path) -> tuple[int, str]:
    for file in reversed(_rotated(path)):
        if (end := _end_of(file)) is not None:
            return end
    return 0, BEGINNING


def _end_broken_line(path: Path, file: int) -> None:
    """Cut off a last line that was torn by a crash: it was never answered."""
    content_bytes = path.stat().st_size
    if content_bytes:
        with path.open("rb") as reading:
            reading.seek(max(0, content_bytes - 1024 * 1024))
            tail = reading.read()
        if not tail.endswith(b"\n"):
            os.truncate(path, content_bytes - len(tail.rpartition(b"\n")[2]))
