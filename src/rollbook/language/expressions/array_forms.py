"""Forms over arrays: they evaluate an expression once for each element, which a variable stands for.

One rule: elements are bound in one copy of the scope, made when the form begins, so nothing is seen outside of it.
"""

from msgspec import Struct

from rollbook.documents.values import MISSING, Maybe, Value
from rollbook.language.expressions.arguments import array_or_null, whole_number
from rollbook.language.expressions.growth import make_elements
from rollbook.language.expressions.nodes import Constant, Expression
from rollbook.language.expressions.operators import Argument, Compiling, Parsing, Signature, SpecialForm, refused
from rollbook.language.expressions.scopes import Evaluate, Scope
from rollbook.language.expressions.truth import is_true
from rollbook.language.expressions.variables import bound_name

_MAP = Signature(
    (Argument("input", absent=16880), Argument("as"), Argument("in", absent=16882)), not_an_object=16878, unknown=16879
)
_FILTER = Signature(
    (Argument("input", absent=28648), Argument("as"), Argument("cond", absent=28650), Argument("limit")),
    not_an_object=28646,
    unknown=28647,
)
_REDUCE = Signature(
    (Argument("input", absent=40077), Argument("initialValue", absent=40078), Argument("in", absent=40079)),
    not_an_object=40075,
    unknown=40076,
)


class ForEach(Struct, frozen=True):
    """An array, and an expression for each of its elements, which ``variable`` stands for."""

    input: Expression
    variable: str
    expression: Expression
    limit: Expression


class Reduction(Struct, frozen=True):
    """An array, a first value, and an expression of each element (``this``) and the value so far (``value``)."""

    input: Expression
    first: Expression
    expression: Expression


def parse_map(json: Value, parsing: Parsing) -> ForEach:
    """The array, the name of the variable and the expression."""
    members = _MAP.members_of(json, parsing)
    variable = _variable(members, parsing)
    return ForEach(
        parsing.child(members["input"], "input"),
        variable,
        parsing.child(members["in"], "in", variables=frozenset({variable})),
        Constant(None),
    )


def compile_map(form: ForEach, compiling: Compiling) -> Evaluate:
    """What an expression makes of each element of an array; null for null or missing."""
    input_in, result_in = compiling.child(form.input), compiling.child(form.expression)
    variable, work = form.variable, compiling.work

    def mapped(scope: Scope) -> Maybe:
        array = array_or_null(input_in(scope), 16883)
        if array is None:
            return None
        make_elements(work, len(array))
        inner, results = dict(scope), list[Value]()
        for element in array:
            work.spend()
            inner[variable] = element
            result = result_in(inner)
            results.append(None if result is MISSING else result)
        return results

    return mapped


def parse_filter(json: Value, parsing: Parsing) -> ForEach:
    """The array, the name of the variable, the condition and the limit."""
    members = _FILTER.members_of(json, parsing)
    variable = _variable(members, parsing)
    return ForEach(
        parsing.child(members["input"], "input"),
        variable,
        parsing.child(members["cond"], "cond", variables=frozenset({variable})),
        parsing.child(members.get("limit"), "limit"),
    )


def compile_filter(form: ForEach, compiling: Compiling) -> Evaluate:
    """The elements of an array for which a condition is true, or the first N; null for null or missing."""
    input_in, is_wanted = compiling.child(form.input), compiling.child(form.expression)
    limit_in, variable, work = compiling.child(form.limit), form.variable, compiling.work

    def filtered(scope: Scope) -> Maybe:
        array = array_or_null(input_in(scope), 28651)
        if array is None:
            return None
        limit = _limit(limit_in(scope), len(array)) if array else 0
        make_elements(work, len(array))
        inner, elements = dict(scope), list[Value]()
        for element in array:
            work.spend()
            inner[variable] = element
            if is_true(is_wanted(inner)):
                elements.append(element)
                if len(elements) == limit:
                    break
        return elements

    return filtered


def _limit(value: Maybe, without: int) -> int:
    if value is None or value is MISSING:
        return without
    limit = whole_number(value, "limit", not_a_number=327391, not_whole=327391)
    if limit < 1:
        raise refused(327392, f"needs a limit that is positive, not {limit}")
    return limit


def parse_reduce(json: Value, parsing: Parsing) -> Reduction:
    """The array, the first value and the expression."""
    members = _REDUCE.members_of(json, parsing)
    return Reduction(
        parsing.child(members["input"], "input"),
        parsing.child(members["initialValue"], "initialValue"),
        parsing.child(members["in"], "in", variables=frozenset({"this", "value"})),
    )


def compile_reduce(form: Reduction, compiling: Compiling) -> Evaluate:
    """What an expression of each element and the value so far makes of a first value; null for null or missing."""
    input_in, first_in, next_in = map(compiling.child, (form.input, form.first, form.expression))
    work = compiling.work

    def reduced(scope: Scope) -> Maybe:
        array = array_or_null(input_in(scope), 40080)
        if array is None:
            return None
        inner = {**scope, "value": first_in(scope)}
        for element in array:
            work.spend()
            inner["this"] = element
            inner["value"] = next_in(inner)
        return inner["value"]

    return reduced


def _variable(members: dict[str, Value], parsing: Parsing) -> str:
    return bound_name(members["as"], parsing, "as") if "as" in members else "this"


OPERATORS = (
    SpecialForm("$map", parse_map, compile_map),
    SpecialForm("$filter", parse_filter, compile_filter),
    SpecialForm("$reduce", parse_reduce, compile_reduce),
)
