"""Laws of filters, on random documents."""

from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from rollbook.documents.ordering import equal
from rollbook.language.filters import compile_condition, compile_filter, first_match, parse_condition, parse_filter
from tests.language.filters.matching import matches
from tests.language.filters.values import DOCUMENTS, SCALARS, VALUES

PATHS = st.lists(st.sampled_from(["a", "b", "0"]), min_size=1, max_size=3).map(".".join)

OPERATORS = st.one_of(
    st.tuples(st.sampled_from(["$eq", "$ne", "$gt", "$gte", "$lt", "$lte"]), VALUES),
    st.tuples(st.sampled_from(["$in", "$nin"]), st.lists(VALUES, max_size=3)),
    st.tuples(st.just("$all"), st.lists(VALUES, max_size=2)),
    st.tuples(st.just("$exists"), st.booleans()),
    st.tuples(st.just("$type"), st.sampled_from(["number", "string", "array", "object", "null", "bool"])),
    st.tuples(st.just("$size"), st.integers(0, 3)),
    st.tuples(st.just("$regex"), st.sampled_from(["a", "^a", "b$", "^$"])),
    st.tuples(st.just("$mod"), st.sampled_from([[2, 0], [3, 1]])),
)

CONDITIONS: st.SearchStrategy[Any] = st.recursive(
    st.lists(OPERATORS, min_size=1, max_size=2).map(dict),
    lambda inner: inner.map(lambda condition: {"$not": condition}) | inner.map(lambda each: {"$elemMatch": each}),
    max_leaves=3,
)

FILTERS: st.SearchStrategy[Any] = st.recursive(
    st.dictionaries(PATHS, CONDITIONS | SCALARS, max_size=2),
    lambda inner: st.tuples(st.sampled_from(["$and", "$or", "$nor"]), st.lists(inner, min_size=1, max_size=3)).map(
        lambda pair: {pair[0]: pair[1]}
    ),
    max_leaves=4,
)


@given(DOCUMENTS, PATHS, CONDITIONS)
def test_not_is_the_opposite(document, path, condition):
    assert matches({path: {"$not": condition}}, document) is not matches({path: condition}, document)


@given(DOCUMENTS, PATHS, st.lists(VALUES, max_size=3))
def test_in_is_any_equality_and_nin_its_opposite(document, path, values):
    found = any(matches({path: {"$eq": value}}, document) for value in values)
    assert matches({path: {"$in": values}}, document) is found
    assert matches({path: {"$nin": values}}, document) is not found


@given(DOCUMENTS, PATHS, st.lists(VALUES, min_size=1, max_size=3))
def test_all_is_every_equality(document, path, values):
    found = all(matches({path: {"$eq": value}}, document) for value in values)
    assert matches({path: {"$all": values}}, document) is found


@given(DOCUMENTS, FILTERS, FILTERS)
def test_logic_is_logic(document, left, right):
    one, other = matches(left, document), matches(right, document)
    assert matches({"$and": [left, right]}, document) is (one and other)
    assert matches({"$or": [left, right]}, document) is (one or other)
    assert matches({"$nor": [left, right]}, document) is (not one and not other)


@given(DOCUMENTS, FILTERS, FILTERS)
def test_de_morgan(document, left, right):
    assert matches({"$nor": [left, right]}, document) is matches(
        {"$and": [{"$nor": [left]}, {"$nor": [right]}]}, document
    )
    assert matches({"$nor": [{"$and": [left, right]}]}, document) is matches(
        {"$or": [{"$nor": [left]}, {"$nor": [right]}]}, document
    )


@given(st.lists(VALUES, max_size=3), CONDITIONS)
def test_elem_match_is_a_condition_that_some_element_meets(elements, condition):
    meets = compile_condition(parse_condition(condition), into_arrays=False)
    assert matches({"a": {"$elemMatch": condition}}, {"a": elements}) is any(map(meets, elements))


@given(st.lists(VALUES, max_size=3), FILTERS)
def test_elem_match_is_a_filter_that_some_element_matches(elements, filter):
    assume(not any(name in ("0", "0.0", "0.0.0") for name in filter))
    as_objects = [
        {str(index): value for index, value in enumerate(element)} if isinstance(element, list) else element
        for element in elements
    ]
    found = any(matches(filter, element) for element in as_objects if isinstance(element, dict))
    assert matches({"a": {"$elemMatch": filter}}, {"a": elements}) is found


@given(VALUES, VALUES)
def test_a_value_is_less_equal_or_greater_or_of_another_type(left, right):
    assume(not isinstance(left, list))
    held = [operator for operator in ("$lt", "$eq", "$gt") if matches({"a": {operator: right}}, {"a": left})]
    assert len(held) <= 1
    assert (held == ["$eq"]) is equal(left, right)
    assert matches({"a": {"$lte": right}}, {"a": left}) is (held in (["$lt"], ["$eq"]))
    assert matches({"a": {"$gte": right}}, {"a": left}) is (held in (["$gt"], ["$eq"]))


@given(DOCUMENTS, FILTERS)
def test_a_position_is_that_of_a_match(document, filter):
    parsed = parse_filter(filter)
    index = first_match(parsed, document)
    assert index is None or compile_filter(parsed)(document)
