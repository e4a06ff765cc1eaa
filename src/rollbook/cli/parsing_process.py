"""A process that reads and judges lines for an import: frames come in by its standard input, and go out by its output.

One rule: what is refused is not said here. A line that is not accepted is answered with nothing, and the import itself
looks at it again. It ends when its input does, so it outlives nobody.
"""

import signal
import sys
from collections.abc import Sequence
from typing import IO

import msgspec
from msgspec import Struct

from rollbook.cli.lines import content_of
from rollbook.clusters.acceptance import SchemaRules
from rollbook.collecting import settle_garbage_collection
from rollbook.errors import RegistryError
from rollbook.limits import Limits
from rollbook.registry.reading.requests import parse_creation

LENGTH_BYTES = 8


class Judging(Struct, frozen=True):
    """How lines are read and judged: what ``parse_creation`` is given beside the document."""

    rules: SchemaRules
    limits: Limits
    replace: bool


class Judged(Struct, frozen=True, array_like=True):
    """What a line that is accepted asks to create."""

    id: str
    body: bytes
    warnings: tuple[str, ...] = ()


JUDGING, LINES = msgspec.msgpack.Decoder(Judging), msgspec.msgpack.Decoder(list[bytes])
JUDGED = msgspec.msgpack.Decoder(list[Judged | None])


def write_frame(stream: IO[bytes], value: object) -> None:
    """Send a value to the other side."""
    body = msgspec.msgpack.encode(value)
    stream.write(len(body).to_bytes(LENGTH_BYTES, "big"))
    stream.write(body)
    stream.flush()


def read_frame(stream: IO[bytes]) -> bytes:
    """What the other side sent. Raises EOFError when it is gone."""
    length = stream.read(LENGTH_BYTES)
    if len(length) < LENGTH_BYTES:
        raise EOFError
    body = stream.read(size := int.from_bytes(length, "big"))
    if len(body) < size:
        raise EOFError
    return body


def judged(text: bytes, how: Judging) -> Judged | None:
    """What a line asks to create; None where it is refused, or there is no memory for it here."""
    try:
        content = content_of(text, limits=how.limits)
        if isinstance(content, RegistryError):
            return None
        creation = parse_creation(content, rules=how.rules, limits=how.limits, replace=how.replace)
    except (RegistryError, MemoryError):
        return None
    return Judged(creation.id, creation.body, creation.warnings)


def main() -> None:
    """Answer one frame of lines after another."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    settle_garbage_collection()
    come, go = sys.stdin.buffer, sys.stdout.buffer
    try:
        how = JUDGING.decode(read_frame(come))
        while True:
            lines: Sequence[bytes] = LINES.decode(read_frame(come))
            write_frame(go, [judged(line, how) for line in lines])
    except (EOFError, BrokenPipeError):
        return
