"""Where the servers of the API's tests keep their registries: in data directories, or in PostgreSQL.

With ``ROLLBOOK_TEST_ENGINE=postgresql`` (``make test-postgresql``) each data directory is the cache of a registry of
its own in PostgreSQL, unless a test asks for the embedded journal.
"""

from pathlib import Path

from rollbook.journal.opening import (
    open_copyable_journal,
    open_shared_journal,
    open_shared_token_store,
    open_token_store,
)
from rollbook.journal.token_store import TokenStore
from rollbook.journal.transfers import CopyableJournal
from tests.postgresql import IS_SHARED, shared_schemas

EMBEDDED = {"ROLLBOOK_JOURNAL": ""}
"""For a server whose files a test looks at."""

NOT_YET = 412 if IS_SHARED else 400
"""How a revision that has not come is refused: another process may have given it."""

_JOURNALS: dict[Path, str] = {}


def journal_beside(data: Path) -> dict[str, str]:
    """The setting that leads to the registry of a server with this data directory."""
    if not IS_SHARED:
        return {}
    if data not in _JOURNALS:
        _JOURNALS[data] = shared_schemas().new()
    return {"ROLLBOOK_JOURNAL": _JOURNALS[data]}


def journal_of(data: Path) -> CopyableJournal:
    """The journal of a server with this data directory, which does not run."""
    setting = journal_beside(data)
    return open_shared_journal(setting["ROLLBOOK_JOURNAL"]) if setting else open_copyable_journal(data)


def token_store_of(data: Path) -> TokenStore:
    """The tokens and roles of a server with this data directory, which does not run."""
    setting = journal_beside(data)
    if not setting:
        return open_token_store(data)
    journal_of(data).close()  # the tables are there from now on
    return open_shared_token_store(setting["ROLLBOOK_JOURNAL"])
