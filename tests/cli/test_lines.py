"""Documents are found in NDJSON, in an array, or alone, and each knows its line."""

import tracemalloc
from io import BufferedReader, BytesIO, RawIOBase
from itertools import chain, repeat
from typing import Any, BinaryIO, cast

import pytest

from rollbook.cli.lines import read_lines
from rollbook.errors import BodyTooLarge, MalformedJson, RegistryError
from rollbook.limits import DEFAULT_LIMITS, Limits


def read(text: str, *, limits: Limits = DEFAULT_LIMITS) -> list:
    """(place, value or class of error) of each document."""
    lines = read_lines(BytesIO(text.encode()), limits=limits)
    return [
        (line.place, type(line.content) if isinstance(line.content, RegistryError) else line.content) for line in lines
    ]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", []),
        ("\n \n", []),
        ('{"id":"a"}', [("line 1", {"id": "a"})]),
        ('{"id":"a"}\n{"id":"b"}\n', [("line 1", {"id": "a"}), ("line 2", {"id": "b"})]),
        ('{"id":"a"}\r\n\r\n{"id":"b"}\r\n', [("line 1", {"id": "a"}), ("line 3", {"id": "b"})]),
        ('\n\n{"id":"a"}\n', [("line 3", {"id": "a"})]),
        ('\ufeff{"id":"a"}\n', [("line 1", {"id": "a"})]),
        ('\n\ufeff{"id":"a"}\n', [("line 2", {"id": "a"})]),
        ('\ufeff\n\n[{"id":"a"}]\n', [("document 1", {"id": "a"})]),
        (
            '{"id":"a"}\n{"id":\n{"id":"c"}',
            [("line 1", {"id": "a"}), ("line 2", MalformedJson), ("line 3", {"id": "c"})],
        ),
        ('{"id":\n{"id":"b"}\n', [("line 1", MalformedJson), ("line 2", {"id": "b"})]),
        ('\n{"id":\n{"id":"b"}\n', [("line 2", MalformedJson), ("line 3", {"id": "b"})]),
        ('5\n"text"\n', [("line 1", 5), ("line 2", "text")]),
        ("[]", []),
        ('[{"id":"a"},\n 5]', [("document 1", {"id": "a"}), ("document 2", 5)]),
        ('\n [\n{"id":"a"}]\n', [("document 1", {"id": "a"})]),
        ('{\n  "id": "a"\n}\n', [("the document", {"id": "a"})]),
    ],
)
def test_the_first_line_tells_what_the_file_holds(text, lines) -> None:
    assert read(text) == lines


def test_a_bad_line_is_not_called_a_body_and_ends_where_its_text_does() -> None:
    _, bad = read_lines(BytesIO(b'{"id":"a"}\n{"id":\n'), limits=DEFAULT_LIMITS)
    assert isinstance(bad.content, MalformedJson)
    assert bad.content.message == "it is not JSON: unexpected end of data: line 1 column 7 (char 6)"


def test_an_array_that_is_none_is_refused_whole() -> None:
    with pytest.raises(MalformedJson):
        read('[{"id":"a"},\n{"id":')


def test_bytes_that_are_no_utf_8_are_one_bad_line() -> None:
    lines = list(read_lines(BytesIO(b'{"id":"a"}\n{"id":"\xff"}\n'), limits=DEFAULT_LIMITS))
    assert isinstance(lines[1].content, MalformedJson)


def test_a_document_may_be_as_large_as_the_registry_keeps_and_no_larger() -> None:
    limits = Limits(body_bytes_max=5, document_bytes_max=10)
    assert read('{"id":"a"}', limits=limits) == [("line 1", {"id": "a"})]
    assert read('{"id":"ab"}', limits=limits) == [("line 1", BodyTooLarge)]
    assert read('{\n"id":\n"a"}', limits=limits) == [("the document", BodyTooLarge)]


def test_a_bad_first_line_costs_no_other_line_of_a_large_file() -> None:
    limits = Limits(body_bytes_max=12, document_bytes_max=12)
    assert read('{"id":\n{"id":"b"}\n{"id":"c"}\n', limits=limits) == [
        ("line 1", MalformedJson),
        ("line 2", {"id": "b"}),
        ("line 3", {"id": "c"}),
    ]


def test_the_sizes_of_the_lines_add_up_to_the_file() -> None:
    text = b'{"id":"a"}\n{"id":"bc"}\n'
    assert sum(line.size_bytes for line in read_lines(BytesIO(text), limits=DEFAULT_LIMITS)) == len(text)


@pytest.mark.parametrize("first", ["no JSON", '{"id":'])
def test_a_first_line_that_is_no_json_loses_no_other_line_of_a_larger_file(first) -> None:
    line = b'{"id":"%s"}\n' % (b"x" * 1_000_000)
    lines = list(read_lines(BytesIO(first.encode() + b"\n" + line * 20), limits=DEFAULT_LIMITS))
    assert isinstance(lines[0].content, MalformedJson)
    assert [line.place for line in lines] == [f"line {number}" for number in range(1, 22)]
    assert all(isinstance(line.content, dict) for line in lines[1:])


class Endless(RawIOBase):
    """A stream of one line that ends after far more than a process could hold, and then one document."""

    def __init__(self, first: bytes, size: int) -> None:
        self._pieces = chain([first], repeat(b"x" * 65536, size // 65536), [b'\n{"id":"last"}\n'])

    def readable(self) -> bool:
        """It is read only."""
        return True

    def readinto(self, room: Any) -> int:
        """The next piece."""
        piece = next(self._pieces, b"")
        assert len(piece) <= len(room)
        room[: len(piece)] = piece
        return len(piece)


@pytest.mark.parametrize("first", [b'{"id":"', b'"', b'{"id":"a"}\n{"id":"'])
def test_a_line_without_an_end_is_skipped_and_never_held(first: bytes) -> None:
    limits = Limits(document_bytes_max=100_000)
    stream = BufferedReader(Endless(first, 64 * 1024 * 1024), buffer_size=65536)
    tracemalloc.start()
    try:
        *_, long, last = read_lines(cast(BinaryIO, stream), limits=limits)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert isinstance(long.content, BodyTooLarge)
    assert last.content == {"id": "last"}
    assert most < 8 * 1024 * 1024


def test_lines_after_a_broken_one_are_whole_wherever_reading_ahead_stopped() -> None:
    limits = Limits(document_bytes_max=30)
    text = b'{"id":\n' + b"".join(b'{"id":"%d"}\n' % number for number in range(100))
    _, *others = read_lines(BytesIO(text), limits=limits)
    assert [line.content for line in others] == [{"id": str(number)} for number in range(100)]
    assert [others[0].place, others[-1].place] == ["line 2", "line 101"]
