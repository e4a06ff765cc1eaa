"""``$zip``: arrays side by side become an array of rows.

One rule: how many arrays there are is known before there is a document, for ``inputs`` is written as an array.
"""

from msgspec import Struct

from rollbook.documents.values import MISSING, Maybe, Value
from rollbook.language.expressions.arguments import array_or_null
from rollbook.language.expressions.growth import make_elements
from rollbook.language.expressions.nodes import Expression
from rollbook.language.expressions.operators import Argument, Compiling, Parsing, Signature, SpecialForm
from rollbook.language.expressions.scopes import Evaluate, Scope

_ZIP = Signature(
    (Argument("inputs"), Argument("useLongestLength"), Argument("defaults")), not_an_object=34460, unknown=34464
)


class Zip(Struct, frozen=True):
    """The arrays, whether the longest decides the number of rows, and what stands for what the shorter lack."""

    inputs: tuple[Expression, ...]
    is_longest: bool
    defaults: tuple[Expression, ...]


def parse_zip(json: Value, parsing: Parsing) -> Zip:
    """The arrays, and what stands for what the shorter lack."""
    members = _ZIP.members_of(json, parsing)
    inputs = _expressions(members, "inputs", 34461, parsing)
    is_longest = members.get("useLongestLength", False)
    defaults = _expressions(members, "defaults", 34462, parsing)
    if not isinstance(is_longest, bool):
        raise parsing.refused(34463, "needs true or false as useLongestLength", "useLongestLength")
    if not inputs:
        raise parsing.refused(34465, "needs at least one array in inputs")
    if defaults and not is_longest:
        raise parsing.refused(34466, "has defaults only with useLongestLength: true", "defaults")
    if defaults and len(defaults) != len(inputs):
        raise parsing.refused(34467, "needs as many defaults as inputs", "defaults")
    return Zip(inputs, is_longest, defaults)


def _expressions(members: dict[str, Value], name: str, code: int, parsing: Parsing) -> tuple[Expression, ...]:
    written = members.get(name, [])
    if not isinstance(written, list):
        raise parsing.refused(code, f"needs an array of expressions as {name}", name)
    return tuple([parsing.child(element, name, place) for place, element in enumerate(written)])


def compile_zip(form: Zip, compiling: Compiling) -> Evaluate:
    """The rows of arrays side by side, the first of their first elements; null when one is null or missing."""
    inputs = [compiling.child(expression) for expression in form.inputs]
    fillings = [compiling.child(expression) for expression in form.defaults]
    count_rows, work = max if form.is_longest else min, compiling.work

    def zipped(scope: Scope) -> Maybe:
        columns: list[list[Value]] = []
        for evaluate in inputs:
            column = array_or_null(evaluate(scope), 34468)
            if column is None:
                return None
            columns.append(column)
        height = count_rows(map(len, columns))
        make_elements(work, height * len(columns))
        return _rows(columns, height, [_or_null(evaluate(scope)) for evaluate in fillings])

    return zipped


def _or_null(value: Maybe) -> Value:
    return None if value is MISSING else value


def _rows(columns: list[list[Value]], height: int, fillings: list[Value]) -> list[Value]:
    filled = list(zip(columns, fillings or [None] * len(columns), strict=True))
    return [[column[row] if row < len(column) else filling for column, filling in filled] for row in range(height)]


OPERATORS = (SpecialForm("$zip", parse_zip, compile_zip),)
