"""A selection is of one moment, whatever changes while it is walked; walking it copies nothing."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollbook.journal.changes import Change
from rollbook.view.entries import Bodies, Entry
from rollbook.view.selections import Selection
from rollbook.view.views import AT_ONCE_MAX, View

COUNT = AT_ONCE_MAX + 2


def many(count: int = COUNT) -> View:
    view = View()
    view.apply([Change(n, f"c{n}", "created", n, None, body(n, 0)) for n in range(1, count + 1)])
    return view


def body(number: int, value: int) -> bytes:
    return b'{"id":"c%d","value":%d}' % (number, value)


def change(view: View, random: Random) -> None:
    """Update, delete or create one of the documents, some of them often."""
    number = random.randint(1, COUNT + 3) if random.random() < 0.5 else random.randint(1, 3)
    current, revision = view.entry(f"c{number}"), view.revision + 1
    if current is None:
        view.apply([Change(revision, f"c{number}", "created", revision, None, body(number, revision))])
    elif random.random() < 0.3:
        view.apply([Change(revision, current.id, "deleted", revision, current.body, None)])
    else:
        view.apply([Change(revision, current.id, "updated", revision, current.body, body(number, revision))])


@settings(max_examples=40, deadline=None)
@given(random=st.randoms(use_true_random=False))
def test_what_changes_while_a_selection_is_walked_is_not_seen(random: Random) -> None:
    view = many()
    selections: list[tuple[Selection, list[Entry]]] = []
    for _ in range(3):
        for _ in range(random.randint(0, 20)):
            change(view, random)
        selected = view.select(None)
        if isinstance(selected, Selection):
            selections.append((selected, list(selected)))
    for selected, expected in selections:
        walked = []
        for entry in selected:
            walked.append(entry)
            if len(walked) % 300 == 0:
                change(view, random)
        assert walked == expected
        assert (selected[0], selected[-1]) == (expected[0], expected[-1])
        assert selected[5:9] == expected[5:9]
        assert len(selected) == len(expected)


@pytest.mark.parametrize("count", [AT_ONCE_MAX, AT_ONCE_MAX + 1])
def test_few_and_many_are_selected_alike(count: int) -> None:
    view = many(count)
    selected = view.select(None)
    assert isinstance(selected, Selection) == (count > AT_ONCE_MAX)
    assert [entry.number for entry in selected] == list(range(count))


def test_a_selection_is_forgotten_with_its_last_holder() -> None:
    view = many()
    walk = iter(view.select(None))
    next(walk)
    view.apply([Change(view.revision + 1, "c2", "deleted", 1, body(2, 0), None)])
    assert next(walk).body == body(2, 0)
    del walk
    view.apply([Change(view.revision + 1, "c3", "deleted", 1, body(3, 0), None)])
    assert not view._selections


def test_bodies_are_those_of_the_entries() -> None:
    view = many(3)
    bodies = Bodies(view.select(None))
    assert list(bodies) == [body(1, 0), body(2, 0), body(3, 0)]
    assert (bodies[2], list(bodies[1:]), len(bodies)) == (body(3, 0), [body(2, 0), body(3, 0)], 3)
