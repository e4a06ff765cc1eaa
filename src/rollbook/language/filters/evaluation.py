"""Evaluation: ``$mod $regex $expr $jsonSchema``, and what says the same of every document.

One rule: what is given to another language (expressions, patterns, schemas) is parsed when the filter is, so that
nothing is refused while documents are being matched.
"""

import math
from typing import Any

from rollbook.documents.values import INT64_MAX, INT64_MIN, Value, is_number
from rollbook.language.expressions import parse_expression
from rollbook.language.filters.json_schema import check_schema
from rollbook.language.filters.nodes import Computed, Constant, Field, Filter, JsonSchema
from rollbook.language.filters.operators import Fault, FilterForm, Operator, Test, described
from rollbook.language.filters.sites import FAILED_TO_PARSE, TYPE_MISMATCH, Site
from rollbook.language.regular_expressions import compile_pattern, problem_with_options
from rollbook.limits import RequestBudget


def leaving(operand: list[int | float]) -> Test:
    """Matches numbers that leave the given remainder when divided by the given divisor: [divisor, remainder]."""
    divisor, remainder = (abs(math.trunc(operand[0])), math.trunc(operand[1]))

    def test(value: Any) -> bool:
        if not is_number(value) or (isinstance(value, float) and not math.isfinite(value)):
            return False
        dividend = math.trunc(value)
        # The remainder has the dividend's sign, as in C: -5 divided by 3 leaves -2.
        left = dividend % divisor if dividend >= 0 else -(-dividend % divisor)
        return left == remainder and INT64_MIN <= dividend <= INT64_MAX

    return test


def not_a_division(operand: Value) -> Fault | None:
    """``$mod`` takes a divisor that is not 0 and a remainder."""
    if not isinstance(operand, list) or len(operand) != 2:
        return Fault(f"takes a list of two numbers, divisor and remainder; it got {described(operand)}")
    for position, number in enumerate(operand):
        if not is_number(number):
            return Fault(f"takes numbers; it got {described(number)}", key=position)
        if not _fits(number):
            return Fault(f"takes numbers of 64 bits; it got {number}", key=position)
        if position == 0 and math.trunc(number) == 0:
            return Fault("can't divide by 0", key=0)
    return None


def _fits(number: int | float) -> bool:
    # MongoDB takes the least number of 64 bits as an integer, but not as a double.
    return INT64_MIN <= number <= INT64_MAX if isinstance(number, int) else INT64_MIN < number <= INT64_MAX


def matching(pattern: str, options: str = "", *, work: RequestBudget | None = None) -> Test:
    """Matches texts in which the regular expression finds a match; $options takes i, m, s and x."""
    matches = compile_pattern(pattern, options).counted_within(work)
    return lambda value: value.__class__ is str and matches(value)


def regular_expression(operand: Value, site: Site) -> Filter:
    """Matches texts in which the regular expression finds a match; $options takes i, m, s and x."""
    options = site.beside.get("$options", "")
    if not isinstance(operand, str):
        raise site.refused(f"$regex takes a text; it got {described(operand)}")
    if not isinstance(options, str):
        raise site.neighbour("$options").refused(f"$options takes a text; it got {described(options)}")
    if (problem := problem_with_options(options)) is not None:
        raise site.neighbour("$options").refused(problem.message, mongo_code=problem.mongo_code)
    site.check_pattern(operand, options)
    return Field(site.path, "$regex", operand, options, at=site.at)


def pattern_options(_: Value, site: Site) -> None:
    """Options of the $regex beside it: i ignores case, m is by line, s lets . match newlines, x skips white space."""
    if "$regex" not in site.beside:
        raise site.refused("$options needs a $regex beside it")


def computed(operand: Value, site: Site) -> Filter:
    """Matches documents for which the aggregation expression gives something true."""
    if site.in_elements:
        raise site.refused("$expr takes whole documents: it can't be used within $elemMatch")
    return Computed(parse_expression(operand, at=site.at, limits=site.reading.limits))


def satisfying_schema(operand: Value, site: Site) -> Filter:
    """Matches documents that satisfy the JSON Schema (draft 4, as MongoDB has it, with bsonType)."""
    if not isinstance(operand, dict):
        raise site.refused(f"$jsonSchema takes an object; it got {described(operand)}", mongo_code=TYPE_MISMATCH)
    check_schema(operand, site)
    return JsonSchema(operand)


def comment(_: Value, __: Site) -> None:
    """Says something to who reads the filter; matches every document."""


def always_true(operand: Value, site: Site) -> Filter:
    """Matches every document: {"$alwaysTrue": 1}."""
    return _constant(operand, site, matches=True)


def always_false(operand: Value, site: Site) -> Filter:
    """Matches no document: {"$alwaysFalse": 1}."""
    return _constant(operand, site, matches=False)


def _constant(operand: Value, site: Site, *, matches: bool) -> Filter:
    if not is_number(operand) or operand != 1:
        name = "$alwaysTrue" if matches else "$alwaysFalse"
        raise site.refused(f"{name} takes the number 1; it got {described(operand)}", mongo_code=FAILED_TO_PARSE)
    return Constant(matches)


OPERATORS = (
    Operator("$mod", leaving, problem_with=not_a_division),
    Operator("$regex", matching, spends=True),
)

FORMS = (
    FilterForm("$regex", regular_expression),
    FilterForm("$options", pattern_options),
)

TOP_FORMS = (
    FilterForm("$expr", computed),
    FilterForm("$jsonSchema", satisfying_schema),
    FilterForm("$comment", comment),
    FilterForm("$alwaysTrue", always_true),
    FilterForm("$alwaysFalse", always_false),
)
