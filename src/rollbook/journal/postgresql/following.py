"""The changes after a revision, in pages, each read as of one moment.

One rule: a page begins right after where the reader is, and its entries name the predecessors that this process knows.
"""

from collections.abc import Iterator

from rollbook.errors import Compacted
from rollbook.journal.changes import Change
from rollbook.journal.postgresql.appending import other_history
from rollbook.journal.postgresql.batches import Position
from rollbook.journal.postgresql.chain import Chain
from rollbook.journal.postgresql.connecting import Session, Sessions
from rollbook.journal.postgresql.past import CHANGE, change_of

PAGE_CHANGES = 512
PAGE_BYTES = 16 * 1024 * 1024

FOLLOW = f"""
WITH page AS MATERIALIZED (
    SELECT {CHANGE}, total_bytes FROM changes WHERE revision > %(after)s ORDER BY revision LIMIT {PAGE_CHANGES}
)
SELECT registry.mark, entry.first, entry.last, entry.token, entry.at_ms, entry.total_bytes, entry.previous,
    {", ".join(f"page.{name}" for name in CHANGE.split(", "))}
FROM registry
LEFT JOIN page ON page.total_bytes - (SELECT min(total_bytes) FROM page) <= {PAGE_BYTES}
LEFT JOIN LATERAL (SELECT * FROM log WHERE last >= page.revision ORDER BY last LIMIT 1) entry ON true
ORDER BY page.revision
"""  # noqa: S608
CHANGE_AT = 7
NEWEST = "SELECT last, token, at_ms, total_bytes FROM log ORDER BY last DESC LIMIT 1"


def follow(readers: Sessions, chain: Chain, after: int) -> Iterator[Change]:
    """See ``interface.Journal.follow``."""
    position = after
    while page := _page(readers, chain, position):
        yield from page
        position = page[-1].revision


def newest_in(session: Session) -> Position:
    """The newest entry of the log."""
    return Position._make(session.rows(NEWEST)[0])


def check_newest(chain: Chain, after: int, newest: Position) -> None:
    """Refuses (Compacted) a log that does not go on from where this process stands."""
    known = chain.at(after)
    if newest.revision < after or (newest.revision == after and known is not None and newest.token != known.token):
        raise other_history(after)


def _page(readers: Sessions, chain: Chain, after: int) -> list[Change]:
    with readers.borrowed() as session:
        rows = session.rows(FOLLOW, {"after": after})
    if rows[0][0] > after or (rows[0][1] is not None and rows[0][CHANGE_AT] != after + 1):
        raise Compacted(f"the changes after revision {after} are no longer kept")
    if rows[0][1] is None:
        return []
    former = 0
    for row in rows:
        first, last, token, at_ms, total_bytes, previous = row[1:CHANGE_AT]
        if last != former:
            chain.check_predecessor(first - 1, previous)
            chain.add(Position(last, token, at_ms, total_bytes))
            former = last
    return [change_of(row[CHANGE_AT:]) for row in rows]
