"""Columns of values on their way to the engine, as arrays of one type each, in the engine's binary format.

One rule: the type of an array does not depend on what is in it, so a statement is prepared once, whatever it is given.
"""

from collections.abc import Callable, Iterable
from struct import Struct
from typing import Any, ClassVar

import psycopg
from psycopg import pq
from psycopg.adapt import Dumper

_HEADER = Struct("!iiIii")
_LENGTH = Struct("!i")
_BIGINT = Struct("!iq")
_INTEGER = Struct("!ii")
_NULL = _LENGTH.pack(-1)


class Column(list[Any]):
    """Values of one type; None is NULL. Use a class of the type."""


class Bigints(Column):
    """``bigint[]``."""


class Integers(Column):
    """``integer[]``."""


class Texts(Column):
    """``text[]``."""


class Blobs(Column):
    """``bytea[]``."""


class Booleans(Column):
    """``boolean[]``."""


def _sized(data: bytes) -> bytes:
    return _LENGTH.pack(len(data)) + data


class _ColumnDumper(Dumper):
    """Encodes a column; heirs say of which type."""

    format = pq.Format.BINARY
    element_oid: ClassVar[int]
    encoded: ClassVar[Callable[[Any], bytes]]

    def dump(self, obj: Iterable[Any]) -> bytes:
        """The array, of one dimension."""
        encoded = type(self).encoded
        elements = [_NULL if value is None else encoded(value) for value in obj]
        if not elements:
            return _HEADER.pack(0, 0, self.element_oid, 0, 1)[:12]
        return _HEADER.pack(1, 1, self.element_oid, len(elements), 1) + b"".join(elements)


def _dumper_of(array_oid: int, element: int, encode: Callable[[Any], bytes]) -> type[Dumper]:
    return type("Dumper", (_ColumnDumper,), {"oid": array_oid, "element_oid": element, "encoded": staticmethod(encode)})


_DUMPERS: tuple[tuple[type[Column], type[Dumper]], ...] = (
    (Bigints, _dumper_of(1016, 20, lambda value: _BIGINT.pack(8, value))),
    (Integers, _dumper_of(1007, 23, lambda value: _INTEGER.pack(4, value))),
    (Texts, _dumper_of(1009, 25, lambda value: _sized(value.encode()))),
    (Blobs, _dumper_of(1001, 17, _sized)),
    (Booleans, _dumper_of(1000, 16, lambda value: b"\0\0\0\1\1" if value else b"\0\0\0\1\0")),
)


def register_columns(connection: psycopg.Connection[Any]) -> None:
    """Let a connection send columns."""
    for column, dumper in _DUMPERS:
        connection.adapters.register_dumper(column, dumper)
