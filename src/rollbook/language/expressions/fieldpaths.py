"""Field paths and variables: ``"$a.b"``, ``"$$x"``, ``"$$x.y"``, as they are written and what they give.

One rule: a path goes through arrays element by element (``"$nodes.name"`` is the array of the names), skipping elements
that are no objects; a component is always a field's name, never an index.
"""

from rollbook.documents.paths import Path
from rollbook.documents.values import MISSING, Maybe, Value
from rollbook.errors import ExpressionRefused
from rollbook.language.expressions.nodes import Constant, Expression, Variable
from rollbook.language.expressions.scopes import Evaluate, Scope
from rollbook.language.expressions.variables import is_readable
from rollbook.language.foreign import VARIABLES, suggestion

_NAMES_MAX = 200


def parse_field_path(text: str, known: frozenset[str], *, at: str) -> Expression:
    """The variable that ``text``, a string that begins with ``$``, stands for; ``known`` are the names in scope."""
    if text == "$":
        raise ExpressionRefused("'$' alone is no field path: use {$literal: \"$\"}", at=at, mongo_code=16872)
    if not text.startswith("$$"):
        return Variable("CURRENT", _path(text[1:].split("."), at=at))
    name, *components = text[2:].split(".")
    if not is_readable(name):
        raise ExpressionRefused(f"'{text}' names no variable: names are letters and digits", at=at, mongo_code=9)
    if name not in known:
        reason = f": {VARIABLES[name]}" if name in VARIABLES else suggestion(name, known)
        raise ExpressionRefused(f"there is no variable '$${name}' here{reason}", at=at, mongo_code=17276)
    path = _path(components, at=at)
    return Constant(MISSING) if name == "REMOVE" else Variable(name, path)


def _path(components: list[str], *, at: str) -> Path:
    if len(components) > _NAMES_MAX:
        raise ExpressionRefused(f"a field path has at most {_NAMES_MAX} names", at=at, mongo_code=15)
    if components and not components[-1]:
        raise ExpressionRefused("a field path doesn't end with a dot", at=at, mongo_code=40353)
    for component in components:
        if not component:
            raise ExpressionRefused("a field path has no empty names", at=at, mongo_code=15998)
        if component[0] == "$":
            raise ExpressionRefused(f"the name '{component}' begins with '$': use $getField", at=at, mongo_code=16410)
        if "\0" in component:
            raise ExpressionRefused("a name in a field path has a null byte", at=at, mongo_code=16411)
    return tuple(components)


def compile_path(name: str, path: Path) -> Evaluate:
    """The function that looks ``path`` up in the variable ``name``."""
    if not path:
        return lambda scope: scope[name]
    first, rest = path[0], path[1:]
    if rest:
        return lambda scope: value_at(scope[name], path)

    def field(scope: Scope) -> Maybe:
        value = scope[name]
        if isinstance(value, dict):
            return value.get(first, MISSING)
        return value_at(value, path)

    return field


def value_at(value: Maybe, path: Path) -> Maybe:
    """What ``path`` gives in ``value``: MISSING, a value, or for each array on the way the array of what is in it."""
    for place, component in enumerate(path):
        if isinstance(value, dict):
            value = value.get(component, MISSING)
        elif isinstance(value, list):
            return _values_in(value, path[place:])
        else:
            return MISSING
    return value


def _values_in(array: list[Value], path: Path) -> Value:
    found = [value_at(element, path) for element in array if isinstance(element, dict)]
    return [value for value in found if value is not MISSING]
