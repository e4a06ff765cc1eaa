"""Documents read from a file, with the number of the line that each came from.

Theory: the content of a file is recognised by its first line, not by its name, for many exporters write NDJSON
into ``.json`` files. A file that begins with ``[`` is one JSON array; one whose first line is no JSON by itself, but
which is JSON as a whole, is one document written over several lines (so it begins with ``{``); anything else is NDJSON,
whose lines are read as they come.
"""

import mmap
from collections.abc import Iterator
from io import BytesIO
from typing import BinaryIO, TypeAlias

from msgspec import Struct

from rollbook.documents.codec import decode_json
from rollbook.documents.values import Value
from rollbook.errors import BodyTooLarge, MalformedJson, RegistryError
from rollbook.limits import Limits

ROOM_BYTES, ROOM_PER_BYTE = 16 * 1024 * 1024, 16

SKIPPED_BYTES = 1024 * 1024
WHOLE_SHARE = 4
"""A document over several lines may take this many times what its JSON takes without its white space."""


class Undecoded(Struct, frozen=True):
    """A line as it stands in the file."""

    text: bytes


Content: TypeAlias = "Value | Undecoded | RegistryError"

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Line(Struct, frozen=True):
    """One document, or why there is none. ``place`` is for people: ``"line 3"``, or ``"document 3"`` of an array."""

    place: str
    size_bytes: int
    content: Content


def read_lines(stream: BinaryIO, *, limits: Limits, decodes: bool = True) -> Iterator[Line]:
    """Each document of a file. A line that is no JSON is given as its error; blank lines are passed over.

    Unless it ``decodes``, lines of NDJSON are given as they stand, where they are not too long.

    A line may be endless: what is longer than a document may be is skipped, and given as its error. Only an array is
    read as a whole. Refuses (MalformedJson) a file that begins as an array and is none.
    """
    longest = limits.document_bytes_max
    first = stream.readline(longest + 1).removeprefix(BYTE_ORDER_MARK)
    blank_lines = 0
    while first and not first.strip():
        first = stream.readline(longest + 1).removeprefix(BYTE_ORDER_MARK)
        blank_lines += 1
    if first.lstrip().startswith(b"["):
        return _array(first + stream.read(), limits=limits)
    text = first
    if first.lstrip().startswith(b"{") and not _is_json(first, limits=limits):
        text += stream.read(WHOLE_SHARE * longest)
        if _is_json(text, limits=limits):
            return iter([Line("the document", len(text), content_of(text, limits=limits))])
    return _lines(_Pushed(text, stream), start=blank_lines + 1, limits=limits, decodes=decodes)


class _Pushed:
    """A stream of which some has been read already, as if it had not."""

    def __init__(self, text: bytes, stream: BinaryIO) -> None:
        self._text = BytesIO(text)
        self._stream = stream

    def readline(self, size: int) -> bytes:
        """The next line, or what there is of it in ``size`` bytes."""
        line = self._text.readline(size)
        if len(line) == size or line.endswith(b"\n"):
            return line
        return line + self._stream.readline(size - len(line))


def _lines(stream: _Pushed, *, start: int, limits: Limits, decodes: bool) -> Iterator[Line]:
    number, longest = start, limits.document_bytes_max
    while line := stream.readline(longest + 1):
        size, last = len(line), line
        while last and len(line) > longest and not last.endswith(b"\n"):
            last = stream.readline(SKIPPED_BYTES)
            size += len(last)
        if line.strip():
            as_it_stands = not decodes and len(line) <= longest
            content = Undecoded(line) if as_it_stands else content_of(line, limits=limits)
            yield Line(f"line {number}", size, content)
        number += 1


def _array(body: bytes, *, limits: Limits) -> Iterator[Line]:
    elements = decode_json(body, limits=limits, name="the array")
    assert isinstance(elements, list)
    share_bytes = len(body) // max(len(elements), 1)
    for number, element in enumerate(elements, 1):
        yield Line(f"document {number}", share_bytes, element)


def content_of(body: bytes, *, limits: Limits) -> "Value | RegistryError":
    """The document that a line holds, or why it holds none. Raises MemoryError where there is no room to read it."""
    if len(body) > limits.document_bytes_max:
        return BodyTooLarge(f"the document is larger than {limits.document_bytes_max} bytes")
    see_room_for(len(body))
    try:
        return decode_json(body.rstrip(b"\r\n"), limits=limits, name="it")
    except RegistryError as error:
        return error


def see_room_for(size_bytes: int) -> None:
    """Raise MemoryError where there is no room to read a document of this size, and to write it.

    The decoder ends the whole process, without a word, when it is refused memory; so it is asked for here before, by a
    mapping that is never touched.
    """
    try:
        mmap.mmap(-1, ROOM_BYTES + ROOM_PER_BYTE * size_bytes).close()
    except OSError:
        raise MemoryError from None


def _is_json(body: bytes, *, limits: Limits) -> bool:
    """Whether it is JSON, however large: a file of many lines is none, and must not count as one large document."""
    try:
        decode_json(body, limits=limits)
    except RegistryError as error:
        return not isinstance(error, MalformedJson)
    return True
