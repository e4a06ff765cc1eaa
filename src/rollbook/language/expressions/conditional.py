"""Conditional operators: ``$cond $ifNull $switch``.

One rule: only the branch that is chosen is evaluated.
"""

from rollbook.documents.values import Maybe, Value
from rollbook.language.expressions.nodes import Constant, Expression
from rollbook.language.expressions.numbers import is_null
from rollbook.language.expressions.operators import Argument, Compiling, Parsing, Signature, SpecialForm, refused
from rollbook.language.expressions.scopes import Evaluate, Scope
from rollbook.language.expressions.truth import is_true

_COND = Signature((Argument("if", 17080), Argument("then", 17081), Argument("else", 17082)), 16020, 17083)
_SWITCH = Signature((Argument("branches", 40068), Argument("default")), 40060, 40067)
_BRANCH = Signature((Argument("case", 40064), Argument("then", 40065)), 40062, 40063)

Branch = tuple[Expression, Expression]


def parse_cond(json: Value, parsing: Parsing) -> tuple[Expression, Expression, Expression]:
    """Condition, then, else: from an array of three or an object of ``if``, ``then`` and ``else``."""
    if isinstance(json, dict):
        members = _COND.members_of(json, parsing)
        condition, then, otherwise = [parsing.child(members[name], name) for name in ("if", "then", "else")]
        return condition, then, otherwise
    if not isinstance(json, list) or len(json) != 3:
        raise parsing.refused(16020, "takes {if, then, else} or an array of three: condition, then, else")
    condition, then, otherwise = [parsing.child(part, place) for place, part in enumerate(json)]
    return condition, then, otherwise


def chosen(parts: tuple[Expression, Expression, Expression], compiling: Compiling) -> Evaluate:
    """One of two expressions, as a condition counts as true or not."""
    condition, then, otherwise = [compiling.child(part) for part in parts]
    return lambda scope: then(scope) if is_true(condition(scope)) else otherwise(scope)


def parse_if_null(json: Value, parsing: Parsing) -> tuple[Expression, ...]:
    """The expressions in their order: two or more."""
    if not isinstance(json, list) or len(json) < 2:
        raise parsing.refused(1257300, "takes an array of two or more: the values to try, and what stands for them")
    return tuple([parsing.child(part, place) for place, part in enumerate(json)])


def first_not_null(parts: tuple[Expression, ...], compiling: Compiling) -> Evaluate:
    """The first of the values that is neither null nor missing, else the last as it is."""
    *tried, last = [compiling.child(part) for part in parts]

    def alternative(scope: Scope) -> Maybe:
        for evaluate in tried:
            value = evaluate(scope)
            if not is_null(value):
                return value
        return last(scope)

    return alternative


def parse_switch(json: Value, parsing: Parsing) -> tuple[tuple[Branch, ...], Expression | None]:
    """The branches, and the default when there is one."""
    members = _SWITCH.members_of(json, parsing)
    branches = members["branches"]
    if not isinstance(branches, list):
        raise parsing.refused(40061, "takes an array of branches", "branches")
    if not branches:
        raise parsing.refused(40068, "needs at least one branch", "branches")
    default = parsing.child(members["default"], "default") if "default" in members else None
    return tuple([_parse_branch(branch, place, parsing) for place, branch in enumerate(branches)]), default


def _parse_branch(json: Value, place: int, parsing: Parsing) -> Branch:
    members = _BRANCH.members_of(json, parsing, "branches", place)
    case, then = [parsing.child(members[name], "branches", place, name) for name in ("case", "then")]
    return case, then


def switched(parts: tuple[tuple[Branch, ...], Expression | None], compiling: Compiling) -> Evaluate:
    """The ``then`` of the first branch whose ``case`` counts as true, else the default; refused when there is none."""
    branches, default = parts
    compiled = [(compiling.child(case), compiling.child(then)) for case, then in _reachable(branches, compiling)]
    otherwise = compiling.child(default) if default is not None else None

    def branch(scope: Scope) -> Maybe:
        for case, then in compiled:
            if is_true(case(scope)):
                return then(scope)
        if otherwise is None:
            raise refused(40069, "no branch applies, and there is no default")
        return otherwise(scope)

    return branch


def _reachable(branches: tuple[Branch, ...], compiling: Compiling) -> list[Branch]:
    """The branches without those that a constant case rules out: as in MongoDB, what is wrong in them is not seen."""
    reachable = []
    for case, then in branches:
        folded = compiling.folded(case)
        if isinstance(folded, Constant) and not is_true(folded.value):
            continue
        reachable.append((folded, then))
        if isinstance(folded, Constant):
            break
    return reachable


OPERATORS = (
    SpecialForm("$cond", parse_cond, chosen),
    SpecialForm("$ifNull", parse_if_null, first_not_null),
    SpecialForm("$switch", parse_switch, switched),
)
