import time
from datetime import UTC, datetime, timedelta, timezone

import pytest

from rollbook.language.updates import compile_update, parse_update
from tests.language.updates.applying import refused_code, updated

EVERY_TYPE = [None, False, True, 0, 5, 2**40, -0.5, "", "text", [], [1, [2]], {}, {"b": {"c": 1}}]


@pytest.mark.parametrize("value", EVERY_TYPE)
@pytest.mark.parametrize("old", EVERY_TYPE)
def test_set_puts_any_value_over_any_value(old, value):
    assert repr(updated({"a": old, "z": 1}, {"$set": {"a": value}})) == repr({"a": value, "z": 1})


@pytest.mark.parametrize("old", EVERY_TYPE)
def test_unset_removes_any_value_and_ignores_its_operand(old):
    assert updated({"a": old, "z": 1}, {"$unset": {"a": {"any": "thing"}}}) == {"z": 1}


@pytest.mark.parametrize(
    ("document", "path"),
    [({}, "a"), ({"a": 1}, "a.b"), ({"a": "text"}, "a.b.c"), ({"a": [1]}, "a.b"), ({"a": [1]}, "a.1"), ({}, "a.b.c")],
)
def test_unset_of_what_is_not_there_changes_nothing(document, path):
    assert updated(document, {"$unset": {path: ""}}) is document


def test_unset_of_an_array_element_leaves_null_so_that_the_others_keep_their_places():
    assert updated({"a": [1, 2, 3]}, {"$unset": {"a.1": ""}}) == {"a": [1, None, 3]}
    assert updated({"a": [{"b": 1}, {"b": 2}]}, {"$unset": {"a.1.b": ""}}) == {"a": [{"b": 1}, {}]}


def test_unset_leaves_an_emptied_object_behind():
    assert updated({"a": {"b": 1}}, {"$unset": {"a.b": ""}}) == {"a": {}}


@pytest.mark.parametrize("document", [{}, {"a": 1}, {"a": {"b": 1}}])
def test_set_on_insert_does_nothing_to_a_document_that_exists(document):
    assert updated(document, {"$setOnInsert": {"a.b.c": 2}}) is document


def test_set_on_insert_still_takes_part_in_conflicts():
    assert refused_code({}, {"$set": {"a": 1}, "$setOnInsert": {"a.b": 2}}) == (40, "/$setOnInsert/a.b")


@pytest.mark.parametrize(
    ("old", "operand", "least", "most"),
    [
        (5, 4, 4, 5),
        (5, 6, 5, 6),
        (5, 5.0, 5, 5),  # equal: the old value stays, with its type
        (5, None, None, 5),
        (5, "1", 5, "1"),
        ("b", "B", "B", "b"),
        ("a", {"x": 1}, "a", {"x": 1}),
        ({"x": 1}, {"x": 0, "y": 9}, {"x": 0, "y": 9}, {"x": 1}),
        ([1, 2], [1], [1], [1, 2]),
        ([9], {"x": 1}, {"x": 1}, [9]),
        ([9], False, [9], False),
        (None, 0, None, 0),
        (True, False, False, True),
    ],
)
def test_min_and_max_keep_the_lesser_and_the_greater_in_the_order_of_all_values(old, operand, least, most):
    assert repr(updated({"a": old}, {"$min": {"a": operand}})) == repr({"a": least})
    assert repr(updated({"a": old}, {"$max": {"a": operand}})) == repr({"a": most})


@pytest.mark.parametrize("operator", ["$min", "$max"])
def test_min_and_max_set_a_missing_field_even_to_null(operator):
    assert updated({}, {operator: {"a.b": None}}) == {"a": {"b": None}}


@pytest.mark.parametrize("operand", [True, False, {"$type": "date"}, {"$type": "timestamp"}])
def test_the_current_date_is_text_in_utc(operand):
    assert updated({"a": 1}, {"$currentDate": {"a": operand, "b.c": operand}}) == {
        "a": "2024-02-29T12:00:00.000Z",
        "b": {"c": "2024-02-29T12:00:00.000Z"},
    }


@pytest.mark.parametrize(
    ("operand", "at"),
    [
        (1, "/$currentDate/a"),
        (None, "/$currentDate/a"),
        ("date", "/$currentDate/a"),
        ([], "/$currentDate/a"),
        ({}, "/$currentDate/a"),
        ({"$type": "time"}, "/$currentDate/a/$type"),
        ({"$type": 9}, "/$currentDate/a/$type"),
        ({"type": "date"}, "/$currentDate/a/type"),
    ],
)
def test_the_current_date_takes_a_boolean_or_a_type(operand, at):
    assert refused_code({}, {"$currentDate": {"a": operand}}) == (2, at)


def test_the_current_date_is_in_utc_wherever_the_clock_and_the_machine_are(monkeypatch):
    with monkeypatch.context() as patched:
        patched.setenv("TZ", "JST-9")
        time.tzset()
        ahead = datetime(2024, 2, 29, 17, 30, tzinfo=timezone(timedelta(hours=5, minutes=30)))
        apply = compile_update(parse_update({"$currentDate": {"a": True}}), clock=lambda: ahead)
        assert apply({}) == {"a": "2024-02-29T12:00:00.000Z"}
    time.tzset()


def test_the_current_date_is_the_time_of_the_machine():
    before = datetime.now(UTC).replace(microsecond=0)
    written = compile_update(parse_update({"$currentDate": {"a": True}}))({})["a"]
    assert before <= datetime.fromisoformat(str(written)) <= datetime.now(UTC)
