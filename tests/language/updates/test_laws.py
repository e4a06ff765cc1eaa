"""The laws of updates, on documents and updates that Hypothesis makes of few names, so that they meet."""

import copy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from rollbook.documents.editing import identical
from rollbook.errors import UpdateRefused
from rollbook.language.updates import compile_update, parse_update

NAMES = st.sampled_from(["a", "b", "c", "0", "1", "10"])
SCALARS = st.sampled_from([None, True, False, 0, 1, 2, -1, 0.0, 1.0, 2.5, 2**40, "", "a", "b"])
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=6
)
DOCUMENTS = st.dictionaries(NAMES, VALUES, max_size=4)
PATHS = st.lists(NAMES | st.just("$[]"), min_size=0, max_size=2).flatmap(
    lambda rest: NAMES.map(lambda first: ".".join([first, *rest]))
)
OPERANDS = {
    "$set": VALUES,
    "$unset": st.just(""),
    "$inc": st.sampled_from([1, 0, -2, 0.5]),
    "$mul": st.sampled_from([1, 0, -2, 0.5]),
    "$min": VALUES,
    "$max": VALUES,
    "$bit": st.sampled_from([{"and": 1}, {"or": 2}, {"xor": 3}]),
    "$push": VALUES | st.lists(VALUES, max_size=3).map(lambda each: {"$each": each, "$sort": 1, "$slice": 3}),
    "$addToSet": VALUES | st.lists(VALUES, max_size=12).map(lambda each: {"$each": each}),
    "$pop": st.sampled_from([1, -1]),
    "$pull": VALUES,
    "$pullAll": st.lists(VALUES, max_size=10),
    "$rename": PATHS,
}
IDEMPOTENT = ("$set", "$unset", "$min", "$max", "$addToSet", "$pull", "$pullAll")


def changes(*operators: str) -> st.SearchStrategy[tuple[str, str, Any]]:
    """One operator on one path: (operator, path, operand)."""
    return st.sampled_from(operators).flatmap(lambda operator: st.tuples(st.just(operator), PATHS, OPERANDS[operator]))


def applied(document: Any, *some: tuple[str, str, Any]) -> Any:
    """The document after the changes together; the class UpdateRefused when they are refused."""
    update: dict[str, dict[str, Any]] = {}
    for operator, path, operand in some:
        update.setdefault(operator, {})[path] = operand
    try:
        return compile_update(parse_update(update))(document)
    except UpdateRefused:
        return UpdateRefused


@given(DOCUMENTS, st.lists(changes(*OPERANDS), min_size=1, max_size=4))
def test_an_update_never_mutates_its_document_and_unchanged_means_the_same_object(document, some):
    before = copy.deepcopy(document)
    after = applied(document, *some)
    assert identical(document, before)
    if after is not UpdateRefused and after is not document:
        assert not identical(after, document)


@given(DOCUMENTS, changes(*IDEMPOTENT))
def test_an_idempotent_operator_changes_nothing_the_second_time(document, change):
    once = applied(document, change)
    if once is not UpdateRefused:
        assert applied(once, change) is once


@given(DOCUMENTS, NAMES, VALUES)
def test_unset_after_set_of_a_new_field_gives_the_document_back(document, name, value):
    new = f"new{name}"
    there = applied(document, ("$set", new, value))
    assert there[new] is value
    assert identical(applied(there, ("$unset", new, "")), document)


@given(DOCUMENTS, changes(*OPERANDS), changes(*OPERANDS))
@settings(max_examples=200)
def test_changes_on_different_top_level_fields_commute_and_may_be_joined(document, one, other):
    tops = {path.split(".")[0] for change in (one, other) for path in _paths(change)}
    if len(tops) != len(_paths(one)) + len(_paths(other)):
        return
    first, second = applied(document, one), applied(document, other)
    if UpdateRefused in (first, second):
        assert applied(document, one, other) is UpdateRefused
        return
    assert applied(first, other) == applied(second, one) == applied(document, one, other)


@given(DOCUMENTS, changes(*OPERANDS))
def test_what_an_update_does_not_touch_is_shared(document, change):
    after = applied(document, change)
    if after is UpdateRefused:
        return
    touched = {path.split(".")[0] for path in _paths(change)}
    for name, value in document.items():
        if name not in touched:
            assert after[name] is value


def _paths(change: tuple[str, str, Any]) -> list[str]:
    operator, path, operand = change
    return [path, operand] if operator == "$rename" else [path]
