"""What changed since a revision: how much of it is kept for the pages that follow."""

from rollbook.journal.memory.journal import MemoryJournal
from rollbook.limits import DEFAULT_LIMITS, budget_from_now
from rollbook.registry.history.earlier import TOUCHED_BYTES, EarlierVersions
from tests.registry.committers import creation, process_on

COUNT = 30


async def test_what_is_kept_is_bounded_also_where_clusters_only_came() -> None:
    journal = MemoryJournal()
    async with process_on(journal) as process:
        for number in range(COUNT):
            await process.write(creation(f"new-{number:02}"))
        one = TOUCHED_BYTES + len("new-00")
        versions = EarlierVersions(journal, process.view, kept_bytes_max=20 * one)

        def since(revision: int) -> int:
            known = versions.since(revision, budget_from_now(DEFAULT_LIMITS))
            assert len(known.touched) == COUNT - revision
            return versions.kept_bytes

        assert since(COUNT - 8) == 8 * one
        assert since(COUNT - 10) == 18 * one
        assert since(COUNT - 12) == 12 * one, "the others made room"
        assert since(0) == 12 * one, "what is too large is not kept, and nothing has to make room for it"
