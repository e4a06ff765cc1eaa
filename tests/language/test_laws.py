"""Laws between the parts of the language: what two of them say about the same documents, they say alike."""

from typing import Any

from hypothesis import assume, example, given
from hypothesis import strategies as st

from rollbook.documents.editing import identical
from rollbook.documents.values import type_name
from rollbook.errors import LanguageRefused
from rollbook.language import aggregate, find, matches, update
from tests.language.filters.values import DOCUMENTS, SCALARS, VALUES

NAMES = st.sampled_from(["a", "b", "c"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map(".".join)
NUMBERED = st.lists(DOCUMENTS, max_size=6).map(
    lambda documents: [{"id": place, **document} for place, document in enumerate(documents)]
)
CONDITIONS = st.one_of(
    st.tuples(st.sampled_from(["$eq", "$ne", "$gt", "$gte", "$lt", "$lte"]), SCALARS).map(lambda pair: dict([pair])),
    st.lists(SCALARS, max_size=3).map(lambda values: {"$in": values}),
    st.lists(SCALARS, max_size=3).map(lambda values: {"$nin": values}),
    st.sampled_from(["number", "string", "null", "bool"]).map(lambda name: {"$type": name}),
    st.sampled_from(["a", "^a", "b$"]).map(lambda pattern: {"$regex": pattern}),
)
FILTERS = st.dictionaries(st.sampled_from(["a", "b", "a.b", "a.0"]), CONDITIONS | SCALARS, max_size=2)
SORTS = st.dictionaries(st.sampled_from(["a", "b", "a.b"]), st.sampled_from([1, -1]), min_size=1, max_size=2)
PROJECTIONS = st.sampled_from([{"a": 1}, {"a.b": 1, "id": 0}, {"b": 0}, {"a.b": 0, "id": 0}, {"id": 1}])
ELEMENTS = st.lists(SCALARS, max_size=5)
NEW = "a value that no document has"


def outcome(act: Any, *arguments: Any, **options: Any) -> Any:
    """What a call gives, or that it is refused."""
    try:
        return act(*arguments, **options)
    except LanguageRefused:
        return LanguageRefused


# Queries and pipelines.


@given(NUMBERED, FILTERS, SORTS, st.integers(0, 3), st.integers(1, 4), PROJECTIONS)
def test_a_query_is_a_pipeline(documents, filter, sort, skip, limit, projection):
    stages = [{"$match": filter}, {"$sort": sort}, {"$skip": skip}, {"$limit": limit}, {"$project": projection}]
    found = find(documents, filter, sort=sort, skip=skip, limit=limit, projection=projection)
    assert identical(aggregate(documents, stages), found)


@given(NUMBERED, FILTERS)
def test_the_documents_that_match_and_those_that_do_not_are_all(documents, filter):
    found, others = find(documents, filter), find(documents, {"$nor": [filter]})
    assert sorted(document["id"] for document in found + others) == list(range(len(documents)))
    assert aggregate(documents, [{"$match": filter}, {"$count": "n"}]) == ([{"n": len(found)}] if found else [])


@given(ELEMENTS, st.sampled_from([1, -1]))
def test_elements_are_sorted_like_documents(elements, direction):
    assume(None not in elements)
    documents = [{"a": element} for element in elements]
    ordered = [document["a"] for document in find(documents, {}, sort={"a": direction})]
    pushed = update({"a": elements}, {"$push": {"a": {"$each": [], "$sort": direction}}})
    by_expression = update({"a": elements}, [{"$set": {"a": {"$sortArray": {"input": "$a", "sortBy": direction}}}}])
    assert identical(pushed["a"], ordered)
    assert identical(by_expression["a"], ordered)


# Filters and expressions: alike on single values other than null.


@given(SCALARS, SCALARS)
def test_an_expression_compares_scalars_as_a_filter_does(value, operand):
    assume(value is not None)
    document = {"a": value}
    literal = {"$literal": operand}
    assert matches(document, {"$expr": {"$eq": ["$a", literal]}}) is matches(document, {"a": operand})
    assert matches(document, {"$expr": {"$ne": ["$a", literal]}}) is matches(document, {"a": {"$ne": operand}})


@given(SCALARS, SCALARS, st.sampled_from(["$gt", "$gte", "$lt", "$lte"]))
def test_a_filter_compares_as_an_expression_does_within_one_type(value, operand, operator):
    kinds = {"int": "number", "double": "number"}
    one, other = (kinds.get(type_name(each), type_name(each)) for each in (value, operand))
    by_filter = matches({"a": value}, {"a": {operator: operand}})
    by_expression = matches({"a": value}, {"$expr": {operator: ["$a", {"$literal": operand}]}})
    assert by_filter is (by_expression and one == other)


@given(VALUES)
def test_the_type_of_a_value_is_the_same_in_filters_and_expressions(value):
    name = aggregate([{"a": value}], [{"$set": {"a": {"$type": "$a"}}}])[0]["a"]
    assert name == type_name(value)
    assert matches({"a": value}, {"a": {"$type": name}})


@given(st.lists(VALUES, max_size=4), st.integers(0, 4))
def test_the_size_of_an_array_is_the_same_in_filters_and_expressions(elements, size):
    document = {"a": elements}
    assert matches(document, {"a": {"$size": size}}) is matches(document, {"$expr": {"$eq": [{"$size": "$a"}, size]}})


@given(st.text("ab\n", max_size=5), st.sampled_from(["a", "^b", "a$", "^a.b", "b+$"]), st.sampled_from(["", "m", "s"]))
def test_a_pattern_means_the_same_in_filters_and_expressions(text, pattern, options):
    document = {"a": text}
    by_expression = {"$regexMatch": {"input": "$a", "regex": pattern, "options": options}}
    by_filter = {"a": {"$regex": pattern, "$options": options}}
    assert matches(document, {"$expr": by_expression}) is matches(document, by_filter)


# Filters and updates.


@given(DOCUMENTS, PATHS, VALUES)
def test_what_is_set_is_found(document, path, value):
    after = outcome(update, document, {"$set": {path: value}})
    assume(after is not LanguageRefused)
    assert matches(after, {path: value})


@given(ELEMENTS, SCALARS)
def test_what_is_added_to_a_set_is_there_once_and_what_is_pulled_is_gone(elements, value):
    added = update({"a": elements}, {"$addToSet": {"a": value}})
    assert matches(added, {"a": {"$elemMatch": {"$eq": value}}})
    assert len(added["a"]) - len(elements) == (not matches({"a": elements}, {"a": {"$elemMatch": {"$eq": value}}}))
    assert not matches(update(added, {"$pull": {"a": value}}), {"a": {"$elemMatch": {"$eq": value}}})


@given(ELEMENTS, CONDITIONS)
def test_pull_array_filters_and_elem_match_choose_the_same_elements(elements, condition):
    document = {"a": elements}
    meets = [matches({"a": [element]}, {"a": {"$elemMatch": condition}}) for element in elements]
    kept = [element for element, met in zip(elements, meets, strict=True) if not met]
    marked = [NEW if met else element for element, met in zip(elements, meets, strict=True)]
    assert identical(update(document, {"$pull": {"a": condition}}), {"a": kept})
    assert identical(update(document, {"$set": {"a.$[e]": NEW}}, array_filters=[{"e": condition}]), {"a": marked})
    assert matches(document, {"a": {"$elemMatch": condition}}) is any(meets)


@given(ELEMENTS, CONDITIONS)
def test_elem_match_shows_the_first_element_that_an_update_would_change(elements, condition):
    document = {"a": elements}
    shown = find([document], {}, projection={"a": {"$elemMatch": condition}})[0]
    changed = update(document, {"$set": {"a.$[e]": NEW}}, array_filters=[{"e": condition}])["a"]
    first = next((element for element, after in zip(elements, changed, strict=True) if after is NEW), NEW)
    assert identical(shown, {} if first is NEW else {"a": [first]})


@given(ELEMENTS, st.dictionaries(st.just("a"), CONDITIONS | CONDITIONS.map(lambda each: {"$elemMatch": each})))
def test_the_position_of_an_update_is_that_of_a_projection(elements, filter):
    document = {"a": elements}
    assume(matches(document, filter))
    shown = outcome(find, [document], filter, projection={"a.$": 1})
    changed = outcome(update, document, {"$set": {"a.$": NEW}}, filter=filter)
    if LanguageRefused in (shown, changed):
        assert shown is changed
        return
    places = [place for place, after in enumerate(changed["a"]) if after is NEW]
    assert len(places) == 1
    assert identical(shown, [{"a": [elements[places[0]]]}])


# Updates by operators and by pipelines.


@given(DOCUMENTS, NAMES, VALUES)
def test_operators_and_stages_set_and_unset_fields_alike(document, name, value):
    stages = [{"$set": {name: {"$literal": value}}}]
    assert identical(update(document, {"$set": {name: value}}), update(document, stages))
    assert identical(update(document, {"$unset": {name: ""}}), update(document, [{"$unset": name}]))


@given(st.integers(-(2**61), 2**61), st.integers(-(2**61), 2**61) | st.floats(-1e9, 1e9))
@example(2305842987738857477, -2305842989886340485)  # a long that would fit 32 bits
def test_operators_and_expressions_calculate_alike(number, operand):
    added = update({"a": number}, {"$inc": {"a": operand}})
    assert identical(added, update({"a": number}, [{"$set": {"a": {"$add": ["$a", operand]}}}]))


@given(SCALARS, SCALARS, st.sampled_from(["$min", "$max"]))
def test_operators_and_expressions_choose_the_extreme_alike(value, operand, operator):
    assume(value is not None and operand is not None)
    chosen = update({"a": value}, {operator: {"a": operand}})
    assert identical(chosen, update({"a": value}, [{"$set": {"a": {operator: ["$a", {"$literal": operand}]}}}]))
