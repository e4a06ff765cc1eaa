"""The newest changes in memory are those that were added last, as far as they go back."""

from hypothesis import given
from hypothesis import strategies as st

from rollbook.journal.changes import Change
from rollbook.registry.feed.recent_changes import RecentChanges


@given(kept=st.integers(0, 12), back=st.integers(0, 15), most=st.integers(0, 15))
def test_what_is_later_than_a_revision(kept: int, back: int, most: int) -> None:
    revision = 3 + kept - back
    recent = RecentChanges(3)
    recent.extend([Change(3 + number, "west", "updated", 0, b"", b"") for number in range(1, kept + 1)])
    found = recent.after(revision, most=most)
    if revision < 3:
        assert found is None
    else:
        assert found is not None
        assert [change.revision for change in found] == list(range(revision + 1, 3 + kept + 1))[:most]
