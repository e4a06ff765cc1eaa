"""A transaction of SQLite: all or nothing, and its failure is what made it fail.

Theory: where memory or the disk ends, SQLite takes a transaction back by itself. To ask for that again is an error,
which would stand before the reason; apsw's own ``with connection`` does.
"""

import contextlib
from collections.abc import Iterator

import apsw


@contextlib.contextmanager
def transaction(connection: apsw.Connection, begin: str = "BEGIN") -> Iterator[apsw.Connection]:
    """What the block reads is of one moment, and what it writes is kept as a whole at its end, or not at all."""
    connection.execute(begin)
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        roll_back(connection)
        raise


def roll_back(connection: apsw.Connection) -> None:
    """End the transaction, if there still is one."""
    with contextlib.suppress(apsw.Error):
        if connection.in_transaction:
            connection.execute("ROLLBACK")
