"""Leases and uptime in the database; the keeper stores them."""

from collections.abc import Mapping

from rollbook.clusters.uptime import Spent, day_of_slot
from rollbook.journal.lease_store import Counted, LeaseBatch, LeaseRow
from rollbook.journal.postgresql.connecting import Session
from rollbook.journal.postgresql.storing import StoreSession

LOAD = (
    "SELECT id, life, ttl_seconds, observed_at_ms, noted, mark, turns, nodes, slot, live, unreachable, unknown "
    "FROM leases"
)
SAVE = f"""
INSERT INTO leases VALUES ({", ".join(["%s"] * 12)}) ON CONFLICT (id) DO UPDATE SET
    life = excluded.life, ttl_seconds = excluded.ttl_seconds, observed_at_ms = excluded.observed_at_ms,
    noted = excluded.noted, mark = excluded.mark, turns = excluded.turns, nodes = excluded.nodes, slot = excluded.slot,
    live = excluded.live, unreachable = excluded.unreachable, unknown = excluded.unknown
"""  # noqa: S608
ADD = """
INSERT INTO {table} AS kept VALUES (%s, %s, %s, %s, %s) ON CONFLICT (id, number) DO UPDATE SET
    live = kept.live + excluded.live, unreachable = kept.unreachable + excluded.unreachable,
    unknown = kept.unknown + excluded.unknown
"""
COUNTED = "SELECT number, live, unreachable, unknown FROM {table} WHERE id = %s AND number >= %s ORDER BY number"
TABLES = ("leases", "uptime_slots", "uptime_days")


class PostgresqlLeaseStore:
    """A store (see ``lease_store.LeaseStore``) in the tables of a registry."""

    def __init__(self, sessions: StoreSession) -> None:
        self._sessions = sessions

    def load(self) -> list[LeaseRow]:
        """See ``LeaseStore.load``."""
        with self._sessions.reading("leases can't be read") as session:
            return [LeaseRow._make((*row[:9], Spent._make(row[9:]))) for row in session.rows(LOAD)]

    def save(self, batch: LeaseBatch) -> None:
        """See ``LeaseStore.save``."""
        with self._sessions.writing("leases can't be stored") as session:
            if batch.gone:
                for table in TABLES:
                    session.run(f"DELETE FROM {table} WHERE id = ANY (%s)", (list(batch.gone),))  # noqa: S608
            with session.connection.cursor() as cursor:
                cursor.executemany(SAVE, [(*row[:9], *row.spent) for row in batch.leases])
            _add(session, batch.finished)

    def forget_before(self, *, slot: int, day: int) -> None:
        """See ``LeaseStore.forget_before``."""
        with self._sessions.writing("uptime can't be stored") as session:
            session.run("DELETE FROM uptime_slots WHERE number < %s", (slot,))
            session.run("DELETE FROM uptime_days WHERE number < %s", (day,))

    def uptime(self, id: str, *, slot: int, day: int) -> tuple[list[Counted], list[Counted]]:
        """See ``LeaseStore.uptime``."""
        with self._sessions.reading("uptime can't be read") as session:
            return _counted(session, "uptime_slots", id, slot), _counted(session, "uptime_days", id, day)

    def close(self) -> None:
        """Release the connection. Closing twice is harmless."""
        self._sessions.close()


def _add(session: Session, finished: Mapping[str, Mapping[int, Spent]]) -> None:
    slots = [(id, slot, *spent) for id, each in finished.items() for slot, spent in each.items()]
    days = [(id, day_of_slot(slot), *spent) for id, slot, *spent in slots]
    with session.connection.cursor() as cursor:
        for table, rows in (("uptime_slots", slots), ("uptime_days", days)):
            cursor.executemany(ADD.format(table=table).encode(), rows)


def _counted(session: Session, table: str, id: str, first: int) -> list[Counted]:
    return [(number, Spent._make(spent)) for number, *spent in session.rows(COUNTED.format(table=table), (id, first))]
