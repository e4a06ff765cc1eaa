import pytest

from tests.language.updates.applying import refused_code, updated


@pytest.mark.parametrize(
    ("document", "names", "after"),
    [
        ({"a": 1}, {"a": "b"}, {"b": 1}),
        ({"a": 1, "b": [2]}, {"a": "b"}, {"b": 1}),
        ({"a": None}, {"a": "b"}, {"b": None}),
        ({"a": {"b": 1}}, {"a.b": "a.c"}, {"a": {"c": 1}}),
        ({"a": {"b": 1}}, {"a.b": "b"}, {"a": {}, "b": 1}),
        ({"a": [1, {"x": 2}]}, {"a": "b.c"}, {"b": {"c": [1, {"x": 2}]}}),
        ({"a": {"b": 1}, "ab": 2}, {"a": "abc", "ab": "x.y"}, {"abc": {"b": 1}, "x": {"y": 2}}),
        ({"a": 1, "b": 1}, {"a": "b"}, {"b": 1}),
        ({"0": 1}, {"0": "1"}, {"1": 1}),
        ({"a": 1}, {"a": "b.$c"}, {"b": {"$c": 1}}),
    ],
)
def test_rename_moves_a_value_over_what_may_be_there(document, names, after):
    assert updated(document, {"$rename": names}) == after


@pytest.mark.parametrize(
    ("document", "source"),
    [
        ({"a": 1}, "b"),
        ({"a": {}}, "a.b.c"),
        ({"a": [1]}, "a.5"),
        ({"a": [1]}, "a.1"),
        ({"a": 1}, "$b"),
        ({"a": {"b": None}}, "a.c"),
    ],
)
def test_rename_of_what_is_not_there_changes_nothing(document, source):
    assert updated(document, {"$rename": {source: "z.y"}}) is document


def test_a_renamed_field_keeps_its_place_where_the_name_was_taken_and_comes_last_where_not():
    assert list(updated({"b": 1, "c": 2, "a": 3}, {"$rename": {"a": "b"}})) == ["b", "c"]
    assert list(updated({"a": 1, "c": 2}, {"$rename": {"a": "b"}})) == ["c", "b"]


def test_rename_beside_other_changes():
    after = updated({"a": 1, "n": 1}, {"$rename": {"a": "m"}, "$inc": {"n": 1}, "$set": {"b": 2, "z": 3}})
    assert list(after.items()) == [("n", 2), ("b", 2), ("m", 1), ("z", 3)]


@pytest.mark.parametrize(
    ("document", "source", "target", "code"),
    [
        ({"a": [1]}, "a.0", "b", 2),
        ({"a": [{"b": 1}]}, "a.0.b", "c", 2),
        ({"a": 1, "b": [1]}, "a", "b.0", 2),
        ({"a": 1, "b": [{}]}, "a", "b.0.c", 2),
        ({"a": 1, "b": {"c": [1]}}, "a", "b.c.x", 2),
        ({"a": 1}, "a.b", "c", 28),
        ({"a": [1]}, "a.b", "c", 28),
        ({"a": 1, "b": 2}, "a", "b.c", 28),
        ({"a": 1, "b": None}, "a", "b.c.d", 28),
    ],
)
def test_rename_leads_through_no_array_and_no_scalar(document, source, target, code):
    assert refused_code(document, {"$rename": {source: target}}) == (code, f"/$rename/{source}")


@pytest.mark.parametrize(
    ("source", "target", "code"),
    [
        ("a", "a", 2),
        ("a", "a.b", 2),
        ("a.b", "a", 2),
        ("a", 5, 2),
        ("a", None, 2),
        ("a", True, 2),
        ("a", ["b"], 2),
        ("a", {"b": 1}, 2),
        ("a", "", 56),
        ("a", "b.", 56),
        ("", "b", 56),
        ("a", "$b", 52),
        ("a.$", "b", 2),
        ("a.$[].b", "c", 2),
        ("a", "b.$", 2),
        ("a", "b.$[].c", 2),
    ],
)
def test_names_that_no_rename_can_have_are_refused_whatever_the_document(source, target, code):
    assert refused_code({}, {"$rename": {source: target}}) == (code, f"/$rename/{source}")
