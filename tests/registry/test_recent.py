"""The newest changes in memory are those that were added last, as far as they go back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollbook.journal.changes import Change
from rollbook.registry.feed import recent_changes
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


def test_changes_that_take_much_memory_are_left_to_the_journal_once_old(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(recent_changes, "UNDISTURBED_BYTES_MAX", 1000)
    recent = RecentChanges(0)
    recent.extend([Change(1, "west", "updated", 0, b"x" * 600, b"y" * 600)])
    recent.forget_aged()
    recent.extend([Change(2, "west", "updated", 0, b"", b"z" * 600)])
    assert recent.after(0, most=1) is not None, "it was new when age was looked at last"

    recent.forget_aged()

    assert recent.after(0, most=9) is None
    assert [change.revision for change in recent.after(1, most=9) or ()] == [2], "what is small enough stays"


def test_small_changes_stay_however_old_they_are() -> None:
    recent = RecentChanges(0)
    recent.extend([Change(1, "west", "updated", 0, b"", b"")])
    for _ in range(3):
        recent.forget_aged()
    assert recent.after(0, most=1)


def test_a_single_large_change_is_left_to_the_journal_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent_changes, "UNDISTURBED_BYTES_MAX", 0)
    recent = RecentChanges(0)
    recent.extend([Change(1, "west", "updated", 0, b"", b"")])
    for _ in range(2):
        recent.forget_aged()
    assert (recent.after(0, most=1), recent.after(1, most=1)) == (None, [])
