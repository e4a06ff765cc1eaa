"""Files that documents are read from and written to: ``.gz`` and ``.zst`` are recognized by their name.

One rule: a compressed file that is damaged or ends too early is an error, never a shorter file.
"""

import errno
import gzip
import os
import select
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
BUFFER_BYTES = 256 * 1024
"""How much of a file is read at once: documents are a few kilobytes each, and a call to the system costs more."""


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


def pipe_of(stream: BinaryIO) -> "Pipe | None":
    """What has to wait for a writer when the stream is read; None where nothing has."""
    raw = getattr(stream, "raw", None)
    return raw if isinstance(raw, Pipe) else None


def size_bytes(stream: BinaryIO) -> int | None:
    """How many bytes there are to read; None where that can't be known before the end."""
    if isinstance(stream, gzip.GzipFile) or isinstance(getattr(stream, "raw", None), Zstandard):
        return None
    status = os.fstat(stream.fileno())
    return status.st_size if stat.S_ISREG(status.st_mode) else None


class Pipe(RawIOBase):
    """What a writer sends: standard input that is no file on a disk, or a named pipe.

    One rule: a reader that waits on another thread can be called back. A thread that still waited at the end would hold
    the stream's lock, and the interpreter would abort.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._interrupted, self._interrupting = os.pipe()
        self._poll = select.poll()
        for each in (descriptor, self._interrupted):
            self._poll.register(each, select.POLLIN)

    def fileno(self) -> int:
        return self._descriptor

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if any(descriptor == self._interrupted for descriptor, _ in self._poll.poll()):
            return 0
        data = os.read(self._descriptor, len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def interrupt(self) -> None:
        """It ends here, also for who waits for more of it."""
        os.write(self._interrupting, b".")

    def close(self) -> None:
        if not self.closed:
            os.close(self._interrupted)
            os.close(self._interrupting)
            if self._descriptor != 0:
                os.close(self._descriptor)
        super().close()


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
    try:
        descriptor = 0 if file == STANDARD else os.open(file, os.O_RDONLY)
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not stat.S_ISREG(mode) and not file.endswith((".gz", ".zst")):
            return BufferedReader(Pipe(descriptor), CHUNK_BYTES)
        stream: BinaryIO = open(descriptor, "rb", BUFFER_BYTES, closefd=descriptor != 0)  # noqa: SIM115  (the caller closes it)
    except OSError as error:
        raise SettingRefused(f"can't read {file}: {error.strerror}") from None
    if file.endswith(".gz"):
        return cast(BinaryIO, gzip.GzipFile(fileobj=stream))
    return BufferedReader(Zstandard(stream), CHUNK_BYTES) if file.endswith(".zst") else stream
