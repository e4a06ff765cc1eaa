"""Places in the rows of ``changes``, found by halving: revisions, times and totals only grow."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable

import apsw

from rollbook.journal.sqlite.rebuilding import Row
from rollbook.journal.sqlite.recording import Tip, tip_in

MARK = "SELECT revision, at_ms, total_bytes FROM compacted"


def mark_in(connection: apsw.Connection) -> Tip:
    """The last row that is gone: all later ones are kept. Revision 0 when none is gone."""
    rows: list[Row] = connection.execute(MARK).fetchall()
    return Tip(*rows[0])


def newest_at(connection: apsw.Connection, at_ms: int) -> int | None:
    """The newest revision that is dated ``at_ms`` or earlier; None when it is gone, 0 when there never was one."""
    places = _places(connection)
    found = bisect_right(places, at_ms, key=_reader(connection, "at_ms"))
    if found:
        return places[found - 1]
    return None if places.start else 0


def oldest_within(connection: apsw.Connection, bytes_max: int) -> int:
    """The revision after which the rows weigh ``bytes_max`` at most; not before the mark."""
    places = _places(connection)
    surplus = tip_in(connection).total_bytes - bytes_max
    return places[bisect_left(places, surplus, key=_reader(connection, "total_bytes"))]


def _places(connection: apsw.Connection) -> range:
    """The mark's revision and those of all kept rows."""
    return range(mark_in(connection).revision, tip_in(connection).revision + 1)


def _reader(connection: apsw.Connection, column: str) -> Callable[[int], int]:
    query = (
        f"SELECT {column} FROM changes WHERE revision = :place "  # noqa: S608
        f"UNION ALL SELECT {column} FROM compacted WHERE revision = :place"
    )

    def value_at(place: int) -> int:
        rows: list[Row] = connection.execute(query, {"place": place}).fetchall()
        return int(rows[0][0])

    return value_at
