from itertools import count

import pytest

from rollbook.errors import WorkExceeded
from rollbook.language.filters import parse_filter
from rollbook.language.updates import compile_update, parse_update
from rollbook.limits import Limits, RequestBudget
from tests.language.updates.applying import refused_code, updated


@pytest.mark.parametrize(
    ("document", "filter", "update", "after"),
    [
        ({"a": [1, 2, 3]}, {"a": 2}, {"$set": {"a.$": 9}}, {"a": [1, 9, 3]}),
        ({"a": [1, 2, 3]}, {"a": {"$gte": 2}}, {"$inc": {"a.$": 5}}, {"a": [1, 7, 3]}),
        ({"a": [1, 2, 3]}, {"a": 2}, {"$unset": {"a.$": ""}}, {"a": [1, None, 3]}),
        ({"a": [{"b": 1}, {"b": 2}]}, {"a.b": 2}, {"$set": {"a.$.c.d": 9}}, {"a": [{"b": 1}, {"b": 2, "c": {"d": 9}}]}),
        ({"a": [{"b": [1]}]}, {"a.b": 1}, {"$push": {"a.$.b": 2}}, {"a": [{"b": [1, 2]}]}),
        ({"a": [1, 2], "b": [3, 4]}, {"a": 2}, {"$set": {"b.$": 9}}, {"a": [1, 2], "b": [3, 9]}),
        ({"a": [1, 2]}, {"a": 2}, {"$set": {"b.$": 9}}, {"a": [1, 2], "b": {"1": 9}}),
        (
            {"a": [{"b": [1]}, {"b": [2, 3]}]},
            {"a.b": 3},
            {"$inc": {"a.$.b.$[]": 1}},
            {"a": [{"b": [1]}, {"b": [3, 4]}]},
        ),
    ],
)
def test_the_dollar_is_the_element_that_the_filter_matched(document, filter, update, after):
    assert updated(document, update, filter=filter) == after


def test_the_dollar_stands_for_one_element_only():
    assert refused_code({"a": [{"b": [1]}]}, {"$set": {"a.$.b.$": 9}}, filter={"a.b": 1}) == (2, "/$set/a.$.b.$")


@pytest.mark.parametrize("filter", [None, {}, {"id": "x"}, {"a": {"$exists": True}}, {"a": {"$ne": 5}}])
def test_without_a_matched_element_the_dollar_is_refused(filter):
    assert refused_code({"id": "x", "a": [1, 2]}, {"$set": {"a.$": 9}}, filter=filter) == (2, "/$set/a.$")


def test_a_document_that_the_filter_does_not_match_is_left_alone():
    document = {"a": [1, 2]}
    assert updated(document, {"$set": {"a.$": 9}}, filter={"a": 5}) is document
    assert updated(document, {"$set": {"b": 9}}, filter={"a": 5}) is document


@pytest.mark.parametrize(
    ("document", "update", "after"),
    [
        ({"a": [1, 2]}, {"$inc": {"a.$[]": 10}}, {"a": [11, 12]}),
        ({"a": []}, {"$inc": {"a.$[]": 10}}, {"a": []}),
        ({"a": [{"b": 1}, {}]}, {"$inc": {"a.$[].b": 10}}, {"a": [{"b": 11}, {"b": 10}]}),
        ({"a": [[1, 2], [3], []]}, {"$inc": {"a.$[].$[]": 1}}, {"a": [[2, 3], [4], []]}),
        ({"a": [{"b": [1]}, {"b": [2]}]}, {"$mul": {"a.$[].b.$[]": 5}}, {"a": [{"b": [5]}, {"b": [10]}]}),
        ({"a": [[1, 2], [3]]}, {"$push": {"a.$[]": 9}}, {"a": [[1, 2, 9], [3, 9]]}),
        ({"a": [{"b": 1}, {"c": 2}]}, {"$unset": {"a.$[].b": ""}}, {"a": [{}, {"c": 2}]}),
        ({"a": [1, None]}, {"$unset": {"a.$[]": ""}}, {"a": [None, None]}),
        ({"a": [1, None]}, {"$set": {"a.$[]": 9}}, {"a": [9, 9]}),
    ],
)
def test_the_brackets_are_every_element(document, update, after):
    assert updated(document, update) == after


@pytest.mark.parametrize("operator", ["$set", "$unset", "$pull", "$setOnInsert"])
@pytest.mark.parametrize("document", [{}, {"a": 1}, {"a": None}, {"a": {}}, {"a": {"0": 1}}, {"a": "text"}])
def test_the_brackets_need_an_array(document, operator):
    assert refused_code(document, {operator: {"a.$[]": 9}}) == (2, f"/{operator}/a.$[]")
    assert refused_code(document, {operator: {"a.b.$[].c": 9}}) == (2, f"/{operator}/a.b.$[].c")


def test_an_element_that_the_path_can_not_go_on_through_refuses_the_whole_update():
    assert refused_code({"a": [{"b": 1}, 5]}, {"$set": {"a.$[].b": 9}}) == (28, "/$set/a.$[].b")


@pytest.mark.parametrize(
    ("document", "update", "filters", "after"),
    [
        ({"a": [1, 5, 9]}, {"$set": {"a.$[e]": 0}}, [{"e": {"$gte": 5}}], {"a": [1, 0, 0]}),
        ({"a": [1, 5, 9]}, {"$set": {"a.$[e]": 0}}, [{"e": {"$gte": 10}}], {"a": [1, 5, 9]}),
        ({"a": [1, 5, 9]}, {"$set": {"a.$[e]": 0}}, [{"$or": [{"e": 1}, {"e": 9}]}], {"a": [0, 5, 0]}),
        ({"a": [{"b": 1}, {"b": 2}]}, {"$inc": {"a.$[e].c": 1}}, [{"e.b": 2}], {"a": [{"b": 1}, {"b": 2, "c": 1}]}),
        ({"a": [{"b": 1}, {"b": 2}]}, {"$set": {"a.$[e]": 0}}, [{"e": {"b": 1}}], {"a": [0, {"b": 2}]}),
        ({"a": [{"b": 1}, 5]}, {"$set": {"a.$[e]": 0}}, [{"e.b": {"$exists": False}}], {"a": [{"b": 1}, 0]}),
        (
            {"a": [{"b": 1, "c": [1, 2]}, {"b": 2, "c": [1, 2]}]},
            {"$mul": {"a.$[x].c.$[y]": 10}},
            [{"x.b": 2}, {"y": {"$gt": 1}}],
            {"a": [{"b": 1, "c": [1, 2]}, {"b": 2, "c": [1, 20]}]},
        ),
        (
            {"a": [{"c": [1, 2]}, {"c": [3]}]},
            {"$set": {"a.$[].c.$[big]": 0}},
            [{"big": {"$gt": 1}}],
            {"a": [{"c": [1, 0]}, {"c": [0]}]},
        ),
        ({"a": [1, 5]}, {"$set": {"a.$[e]": 0}}, [{"e": 5, "$comment": "the last"}], {"a": [1, 0]}),
        ({"a": [[1, 5], [6]]}, {"$push": {"a.$[e]": 0}}, [{"e": 5}], {"a": [[1, 5, 0], [6]]}),
        ({"a": [1], "b": [1]}, {"$set": {"a.$[e]": 0, "b.$[e]": 0}}, [{"e": 1}], {"a": [0], "b": [0]}),
    ],
)
def test_an_identifier_is_the_elements_that_its_filter_selects(document, update, filters, after):
    assert updated(document, update, array_filters=filters) == after


SET_E = {"$set": {"a.$[e]": 0}}


@pytest.mark.parametrize(
    ("update", "filters", "code", "at"),
    [
        (SET_E, [], 2, "/$set/a.$[e]"),
        (SET_E, [{"other": 1}], 2, "/$set/a.$[e]"),
        (SET_E, None, 14, "/arrayFilters"),
        (SET_E, {"e": 1}, 14, "/arrayFilters"),
        (SET_E, [1], 14, "/arrayFilters/0"),
        (SET_E, [None], 14, "/arrayFilters/0"),
        (SET_E, [{}], 9, "/arrayFilters/0"),
        (SET_E, [{"e": 1, "f": 1}], 9, "/arrayFilters/0"),
        (SET_E, [{"$or": [{"e": 1}, {"f.g": 1}]}], 9, "/arrayFilters/0"),
        (SET_E, [{"e": 1}, {"e.b": 2}], 9, "/arrayFilters/1"),
        (SET_E, [{"e": 1}, {"f": 2}], 9, "/arrayFilters/1"),
        ({"$set": {"a": 1}}, [{"e": 1}], 9, "/arrayFilters/0"),
        ({"$set": {}}, [{"e": 1}], 9, "/arrayFilters/0"),
        ({"$set": {"a.$[E]": 1}}, [{"E": 1}], 2, "/arrayFilters/0"),
        ({"$set": {"a.$[1]": 1}}, [{"1": 1}], 2, "/arrayFilters/0"),
        ({"$set": {"a.$[e_f]": 1}}, [{"e_f": 1}], 2, "/arrayFilters/0"),
        ({"$set": {"a": 1}}, [{"": 1}], 2, "/arrayFilters/0"),
        (SET_E, [{"e": {"$unknown": 1}}], 2, "/arrayFilters/0/e/$unknown"),
        (SET_E, [{"e": 1, "$expr": {"$eq": ["$e", 1]}}], 224, "/arrayFilters/0/$expr"),
        (SET_E, [{"e": 1, "$expr": ["$e"]}], 224, "/arrayFilters/0/$expr"),
        (SET_E, [{"$or": [{"e": 1}, {"$expr": True}]}], 224, "/arrayFilters/0/$expr"),
    ],
)
def test_array_filters_that_do_not_fit_the_update_are_refused(update, filters, code, at):
    assert refused_code({"a": [1]}, update, array_filters=filters) == (code, at)


def test_there_may_be_so_many_array_filters():
    filters = [{f"e{number}": number} for number in range(101)]
    assert refused_code({}, {"$set": {"a": 1}}, array_filters=filters) == (9, "/arrayFilters")


def test_fields_outside_operators_may_use_identifiers():
    assert updated({"a": [1, 5]}, {"a.$[e]": 0}, array_filters=[{"e": 5}]) == {"a": [1, 0]}


def test_there_may_be_100_array_filters():
    filters = [{f"e{number}": number} for number in range(100)]
    update = {"$set": {f"a{number}.$[e{number}]": -1 for number in range(100)}}
    arrays = {f"a{number}": [number] for number in range(100)}
    assert updated(arrays, update, array_filters=filters) == {name: [-1] for name in arrays}


def test_array_filters_have_the_limits_of_the_request():
    limits = Limits(in_values_max=1)
    assert updated({"a": [1]}, SET_E, array_filters=[{"e": {"$in": [1]}}], limits=limits) == {"a": [0]}
    assert refused_code({"a": [1]}, SET_E, array_filters=[{"e": {"$in": [1, 2]}}], limits=limits)[0] == 2


def test_looking_for_the_matched_element_is_work():
    document, filter = {"a": list(range(3000))}, parse_filter({"a": 2999})
    update = {"$set": {"b": 1}}
    assert compile_update(parse_update(update), filter=filter, work=two_checks())(document) == {**document, "b": 1}
    with pytest.raises(WorkExceeded):
        compile_update(parse_update({"$set": {"a.$": 1}}), filter=filter, work=two_checks())(document)


def test_every_element_is_work():
    apply = compile_update(parse_update({"$inc": {"a.$[]": 1}}), work=two_checks())
    assert apply({"a": [0] * 1000}) == {"a": [1] * 1000}
    with pytest.raises(WorkExceeded):
        apply({"a": [0] * 2000})


def test_selecting_elements_is_work():
    update = parse_update({"$set": {"a.$[e]": 0}}, array_filters=[{"e": {"$gt": 5}}])
    with pytest.raises(WorkExceeded):
        compile_update(update, work=two_checks())({"a": [[0] * 2000, [0] * 2000]})


def test_the_filter_beside_an_update_is_work():
    past_it = RequestBudget(deadline=2.0, clock=lambda: 3.0)
    with pytest.raises(WorkExceeded):
        compile_update(parse_update({"$set": {"b": 1}}), filter=parse_filter({"a": 5}), work=past_it)({"a": [0] * 2000})


def two_checks() -> RequestBudget:
    """Work whose deadline has passed when it is looked at a second time: after 1024 steps."""
    return RequestBudget(deadline=1.5, clock=count(1).__next__)
