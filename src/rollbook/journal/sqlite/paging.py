"""Pages: as much of a long walk as may be held in memory at once."""

from collections.abc import Iterable

from rollbook.journal.changes import Change

PAGE_CHANGES = 500
PAGE_BYTES = 16 * 1024 * 1024


def page_of(changes: Iterable[Change]) -> list[Change]:
    """The first changes, one at least when there is one."""
    page, left_bytes = [], PAGE_BYTES
    for change in changes:
        page.append(change)
        left_bytes -= len(change.before or b"") + len(change.after or b"")
        if left_bytes <= 0 or len(page) == PAGE_CHANGES:
            break
    return page
