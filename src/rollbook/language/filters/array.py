"""Arrays: ``$all $elemMatch $size``.

One rule: ``$elemMatch`` asks one element for everything at once, where other conditions may each be met by another.
"""

from rollbook.documents.values import Value, is_integer
from rollbook.language.filters.nodes import Constant, ElemMatch, Field, Filter, all_of
from rollbook.language.filters.operators import Fault, FilterForm, Operator, Test, described, is_operator_object
from rollbook.language.filters.sites import Site

LENGTH_MAX = 2**31 - 1

FILTER_FORMS = frozenset({"$and", "$or", "$nor", "$expr", "$jsonSchema", "$comment", "$alwaysTrue", "$alwaysFalse"})
"""Operators that begin a filter of the element's fields; any other begins a condition on the element itself."""


def contains_all(operand: Value, site: Site) -> Filter:
    """Matches arrays that contain every element of the list; with $elemMatch in it, an element for each of them."""
    if not isinstance(operand, list):
        raise site.refused(f"$all takes a list; it got {described(operand)}")
    if not operand:
        return Constant(False)
    if _is_elem_match(operand[0]):
        return all_of([_elem_match_of(value, site, position) for position, value in enumerate(operand)])
    return all_of([_equality(value, site, position) for position, value in enumerate(operand)])


def _is_elem_match(value: Value) -> bool:
    return isinstance(value, dict) and next(iter(value), "") == "$elemMatch"


def _elem_match_of(value: Value, site: Site, position: int) -> Filter:
    if not isinstance(value, dict) or not _is_elem_match(value):
        raise site.refused("$all takes either values or $elemMatch conditions, not both", position)
    return some_element(value["$elemMatch"], site.below(position, "$elemMatch"))


def _equality(value: Value, site: Site, position: int) -> Filter:
    if is_operator_object(value):
        raise site.refused("$all takes values, and no operators but $elemMatch throughout", position)
    site.count_clause()
    return Field(site.path, "$eq", value, at=site.below(position).at)


def some_element(operand: Value, site: Site) -> Filter:
    """Matches arrays with at least one element that meets all the conditions."""
    if not isinstance(operand, dict):
        raise site.refused(f"$elemMatch takes an object; it got {described(operand)}")
    first = next(iter(operand), "")
    if is_operator_object(operand) and first not in FILTER_FORMS and first not in ("$ref", "$id", "$db"):
        return ElemMatch(site.path, site.conditions(operand, path=()), on="values")
    return ElemMatch(site.path, site.filter(operand, in_elements=True), on="fields")


def of_size(operand: int | float) -> Test:
    """Matches arrays with exactly this many elements."""
    return lambda value: value.__class__ is list and len(value) == operand


def not_a_length(operand: Value) -> Fault | None:
    """``$size`` takes an integer, not negative."""
    whole = is_integer(operand) or (isinstance(operand, float) and operand.is_integer())
    if whole and isinstance(operand, (int, float)) and 0 <= operand <= LENGTH_MAX:
        return None
    return Fault(f"takes an integer that is not negative; it got {described(operand)}")


OPERATORS = (Operator("$size", of_size, problem_with=not_a_length, whole=True),)

FORMS = (
    FilterForm("$all", contains_all),
    FilterForm("$elemMatch", some_element),
)
