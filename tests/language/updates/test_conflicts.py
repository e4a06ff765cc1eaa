import pytest

from tests.language.updates.applying import refusal, refused_code, updated


@pytest.mark.parametrize(
    ("update", "at"),
    [
        ({"$set": {"a": 1}, "$inc": {"a": 1}}, "/$inc/a"),
        ({"$set": {"a": 1}, "$unset": {"a": 1}}, "/$unset/a"),
        ({"$set": {"a": 1, "a.b": 1}}, "/$set/a.b"),
        ({"$set": {"a.b": 1, "a": 1}}, "/$set/a"),
        ({"$set": {"a.b.c": 1}, "$push": {"a.b": 1}}, "/$push/a.b"),
        ({"$set": {"a.$.b": 1}, "$inc": {"a.$": 1}}, "/$inc/a.$"),
        ({"$set": {"a.0": 1, "a.$[]": 1}}, "/$set/a.$[]"),
        ({"$set": {"a.$[].b": 1, "a.0.c": 1}}, "/$set/a.0.c"),
        ({"$set": {"a.$[]": 1, "a.$[].b": 1}}, "/$set/a.$[].b"),
        ({"$set": {"a.$": 1, "a.$[]": 1}}, "/$set/a.$[]"),
        ({"$set": {"a": 1}, "$rename": {"a": "b"}}, "/$rename/a"),
        ({"$set": {"b.c": 1}, "$rename": {"a": "b"}}, "/$rename/a"),
        ({"$rename": {"a": "b", "b": "c"}}, "/$rename/b"),
        ({"$rename": {"a": "c", "b": "c"}}, "/$rename/b"),
    ],
)
def test_two_changes_at_one_place_are_refused_whatever_the_document(update, at):
    assert refused_code({}, update) == (40, at)


@pytest.mark.parametrize(
    ("update", "words"),
    [
        ({"$set": {"a.b": 1, "a.b.c.d": 1}}, "$set of 'a.b.c.d' is in conflict with another change at 'a.b'"),
        ({"$set": {"a.b.c": 1}, "$inc": {"a.b": 1}}, "$inc of 'a.b' is in conflict with another change at 'a.b'"),
    ],
)
def test_a_conflict_says_where_the_two_meet(update, words):
    assert refusal({}, update).message == words


def test_changes_side_by_side_are_no_conflict():
    after = updated(
        {"a": {"b": 1, "bc": 1}, "x": [1, 2]}, {"$inc": {"a.b": 1, "x.0": 1}, "$set": {"a.bc": 5, "a.c": 6, "x.1": 7}}
    )
    assert after == {"a": {"b": 2, "bc": 5, "c": 6}, "x": [2, 7]}


def test_a_conflict_is_refused_before_a_wrong_operand():
    assert refused_code({}, {"$set": {"a": 1}, "$inc": {"a": "text"}}) == (40, "/$inc/a")


def test_a_position_that_turns_out_to_be_a_named_index_is_a_conflict():
    update = {"$set": {"a.$": 1, "a.2": 1}}
    assert updated({"a": [5, 6, 7]}, update, filter={"a": 6}) == {"a": [5, 1, 1]}
    assert refused_code({"a": [5, 6, 7]}, update, filter={"a": 7}) == (40, "/$set/a.2")


def test_a_position_and_a_named_index_share_an_element_where_their_fields_differ():
    update = {"$set": {"a.$.b": 1, "a.0.c": 2}}
    assert updated({"a": [{"b": 0}]}, update, filter={"a.b": 0}) == {"a": [{"b": 1, "c": 2}]}


def test_identifiers_that_select_one_element_twice_are_a_conflict():
    update = {"$set": {"a.$[low]": 0, "a.$[even]": 1}}
    filters = [{"low": {"$lt": 3}}, {"even": {"$mod": [2, 0]}}]
    assert updated({"a": [1, 4]}, update, array_filters=filters) == {"a": [0, 1]}
    assert refused_code({"a": [1, 2]}, update, array_filters=filters) == (40, "/$set/a.$[even]")


def test_identifiers_share_an_object_in_an_element():
    update = {"$set": {"a.$[i].b.x": 1, "a.$[j].b.y": 2}}
    filters = [{"i.n": {"$gte": 1}}, {"j.n": {"$lte": 1}}]
    assert updated({"a": [{"n": 1}, {"n": 2}]}, update, array_filters=filters) == {
        "a": [{"n": 1, "b": {"x": 1, "y": 2}}, {"n": 2, "b": {"x": 1}}]
    }
    update["$set"]["a.$[j].b.x"] = 3
    assert refused_code({"a": [{"n": 2}, {"n": 1}]}, update, array_filters=filters) == (40, "/$set/a.$[j].b.x")


def test_identifiers_share_an_element_where_their_fields_differ():
    update = {"$set": {"a.$[i].y": 1, "a.$[j].x": 2, "a.$[].z": 3}}
    filters = [{"i.b": {"$gte": 1}}, {"j.b": {"$lte": 1}}]
    assert updated({"a": [{"b": 0}, {"b": 1}, {"b": 2}]}, update, array_filters=filters) == {
        "a": [{"b": 0, "x": 2, "z": 3}, {"b": 1, "x": 2, "y": 1, "z": 3}, {"b": 2, "y": 1, "z": 3}]
    }
