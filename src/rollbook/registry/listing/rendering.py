"""Tables as bytes: JSON by columns, CSV or a line a row.

One rule: rows come from the same columns as the JSON, so all forms say the same.
"""

import csv
import io
from collections.abc import Iterator

import orjson

from rollbook.documents.codec import encode_json
from rollbook.documents.values import Value
from rollbook.registry.listing.tables import Table

ROWS_AT_ONCE = 2048


def as_columns(table: Table) -> bytes:
    """``{"revision", "count", "columns"}``, as one piece."""
    columns = {name: column.as_json() for name, column in table.columns.items()}
    whole = {"revision": table.revision, "count": table.count, "columns": columns}
    return orjson.dumps(whole, option=orjson.OPT_SERIALIZE_NUMPY)


def as_lines(table: Table) -> list[bytes]:
    """A JSON object a row, whose members are the columns by name, without line ends."""
    names = list(table.columns)
    return [encode_json(dict(zip(names, row, strict=True))) for row in _rows(table)]


def as_csv(table: Table) -> list[bytes]:
    """RFC 4180: a header, then a line a row. Lists and objects are JSON; nothing and null are empty."""
    pieces, buffer = [], io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(table.columns)
    for at, row in enumerate(_rows(table), 1):
        writer.writerow(map(_text, row))
        if at % ROWS_AT_ONCE == 0:
            pieces.append(buffer.getvalue().encode())
            buffer.seek(0)
            buffer.truncate()
    return [*pieces, buffer.getvalue().encode()]


def _rows(table: Table) -> Iterator[tuple[Value, ...]]:
    return zip(*(column.values() for column in table.columns.values()), strict=True)


def _text(value: Value) -> str:
    match value:
        case None:
            return ""
        case str():
            return value
    return encode_json(value).decode()
