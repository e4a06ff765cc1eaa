"""The view keeps the newest document of every cluster, in order of creation."""

from rollbook.journal.changes import Change, StoredVersion
from rollbook.view.entries import Entry
from rollbook.view.views import View


def view_of(*changes: Change) -> View:
    view = View()
    view.apply(changes)
    return view


CREATIONS = (
    Change(1, "west", "created", 10, None, b'{"id":"west"}'),
    Change(2, "east", "created", 20, None, b'{"id":"east"}'),
)
RENEWAL = Change(3, "west", "updated", 30, b'{"id":"west"}', b'{"id":"west","a":1}')
DELETION = Change(4, "west", "deleted", 40, b'{"id":"west","a":1}', None)
SECOND_LIFE = Change(5, "west", "created", 50, None, b'{"id":"west","a":2}')


def test_an_update_keeps_the_place_and_the_creation() -> None:
    view = view_of(*CREATIONS, RENEWAL)
    assert view.revision == 3
    assert [entry.id for entry in view.entries()] == ["west", "east"]
    assert view.entry("west") == Entry(0, "west", 3, 1, 10, 30, 10, b'{"id":"west","a":1}')


def test_a_second_life_comes_last() -> None:
    view = view_of(*CREATIONS, RENEWAL, DELETION, SECOND_LIFE)
    assert [entry.id for entry in view.select(None)] == ["east", "west"]
    assert view.entry("west") == Entry(2, "west", 5, 5, 50, 50, 50, b'{"id":"west","a":2}')
    assert len(view) == 2


def test_a_deleted_document_is_nowhere() -> None:
    view = view_of(*CREATIONS, RENEWAL, DELETION)
    assert view.entry("west") is None
    assert [entry.id for entry in view.entries()] == ["east"]


def test_a_loaded_view_goes_on_after_its_revision() -> None:
    view = View()
    view.load([StoredVersion("west", b'{"id":"west"}', 7, 3, 10, 20, 10)], 9)
    view.apply([Change(10, "east", "created", 30, None, b'{"id":"east"}')])
    assert view.revision == 10
    assert [(entry.number, entry.id) for entry in view.entries()] == [(0, "west"), (1, "east")]


def test_walking_the_entries_sees_one_moment() -> None:
    view = view_of(*CREATIONS)
    walk = view.entries()
    next(walk)
    view.apply([RENEWAL, DELETION])
    assert [entry.id for entry in walk] == ["east"]
