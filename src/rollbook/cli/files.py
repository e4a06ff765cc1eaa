"""Files that documents are read from and written to: ``.gz`` and ``.zst`` are recognized by their name.

One rule: a compressed file that is damaged or ends too early is an error, never a shorter file.
"""

import gzip
import os
import stat
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import Any, BinaryIO, cast

import zstandard

from rollbook.errors import RegistryError, SettingRefused

CHUNK_BYTES = 128 * 1024

STANDARD = "-"
"""Standard input or output."""


@contextmanager
def reading(file: str) -> Iterator[BinaryIO]:
    """The contents of a file; ``-`` is standard input."""
    try:
        with _opened(file) as stream:
            yield stream
    except (gzip.BadGzipFile, EOFError, zlib.error, zstandard.ZstdError) as error:
        raise RegistryError(f"{file} is damaged or ends too early: {error}") from None


@contextmanager
def writing(file: str) -> Iterator[BinaryIO]:
    """The file to write; ``-`` is standard output."""
    if file == STANDARD:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    try:
        stored = Path(file).open("wb")  # noqa: SIM115
    except OSError as error:
        raise SettingRefused(f"can't write {file}: {error.strerror}") from None
    with stored:
        if file.endswith(".gz"):
            with gzip.open(stored, "wb") as packed:
                yield cast(BinaryIO, packed)
        elif file.endswith(".zst"):
            with zstandard.open(stored, "wb") as packed:
                yield cast(BinaryIO, packed)
        else:
            yield stored


def is_pipe(file: str, stream: BinaryIO) -> bool:
    """Whether reading may have to wait for a writer: standard input that is no file on a disk, or a named pipe."""
    if file.endswith((".gz", ".zst")):
        return False
    return not stat.S_ISREG(os.fstat(stream.fileno()).st_mode)


def size_bytes(stream: BinaryIO) -> int | None:
    """How many bytes there are to read; None where that can't be known before the end."""
    if isinstance(stream, gzip.GzipFile) or isinstance(getattr(stream, "raw", None), Zstandard):
        return None
    status = os.fstat(stream.fileno())
    return status.st_size if stat.S_ISREG(status.st_mode) else None


class Zstandard(RawIOBase):
    """The contents of a file of Zstandard frames."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._frame: Any = None
        self._compressed = self._contents = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._contents:
            if not self._compressed and not (compressed := self._file.read(CHUNK_BYTES)):
                if self._frame is not None:
                    raise EOFError("the last frame is not complete")
                return 0
            self._decompress(self._compressed or compressed)
        given = self._contents[: len(buffer)]
        buffer[: len(given)] = given
        self._contents = self._contents[len(given) :]
        return len(given)

    def close(self) -> None:
        self._file.close()
        super().close()

    def _decompress(self, compressed: bytes) -> None:
        frame = self._frame or zstandard.ZstdDecompressor().decompressobj()
        self._contents = frame.decompress(compressed)
        self._compressed = frame.unused_data if frame.eof else b""
        self._frame = None if frame.eof else frame


def _opened(file: str) -> BinaryIO:
    if file == "-":
        return sys.stdin.buffer
    try:
        stream: BinaryIO = Path(file).open("rb")  # noqa: SIM115  (the caller closes it)
    except OSError as error:
        raise SettingRefused(f"can't read {file}: {error.strerror}") from None
    if file.endswith(".gz"):
        return cast(BinaryIO, gzip.GzipFile(fileobj=stream))
    return BufferedReader(Zstandard(stream), CHUNK_BYTES) if file.endswith(".zst") else stream
