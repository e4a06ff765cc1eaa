"""The search server's language of conditions, as a MongoDB filter.

    {"variable": "gpus.count", "operator": ">", "value": "5"}
    {"logicalOperator": "AND", "conditions": [...]}

One rule: what can't be carried over is refused, never left out, so a search finds no more than it asked for. The filter
is JSON: ``parse_filter`` judges it as any other, and numbers sent as text are cast where filters on clusters are.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager

from msgspec import Struct

from rollbook.documents.values import Document, Value, type_name
from rollbook.errors import FilterRefused, below
from rollbook.limits import DEFAULT_LIMITS, Limits

BAD_VALUE, FAILED_TO_PARSE, TYPE_MISMATCH = 2, 9, 14


def translate_search(json: Value, *, at: str = "", limits: Limits = DEFAULT_LIMITS) -> Document:
    """The MongoDB filter that a condition means. Refuses (FilterRefused) what is no condition."""
    return _Translation(limits).filter_of(json, at, depth=1)


def cluster_search_in(values: Value, *, at: str = "") -> tuple[Value, str]:
    """The condition of ``{"matchType": "cluster", "filter": {"clusterQuery": condition}}``, and where it stands.

    Refuses (FilterRefused) a search for blocks, and conditions on metrics or blocks beside that on clusters: this
    registry knows neither, and without them more clusters would be found than were asked for.
    """
    search = _object(values, SEARCH_KEYS, at)
    if search["matchType"] != "cluster":
        problem = 'this registry finds clusters only: "matchType" must be "cluster"'
        raise FilterRefused(problem, at=below(at, "matchType"), mongo_code=BAD_VALUE)
    at, queries = below(at, "filter"), search["filter"]
    if isinstance(queries, dict):
        for name in UNANSWERABLE_QUERIES:
            if queries.get(name) is not None:
                raise FilterRefused(
                    f"this registry does not know what {name} asks about; look that up first, "
                    'and send its clusters in clusterQuery, as a condition on "id" with the operator IN',
                    at=below(at, name),
                    mongo_code=BAD_VALUE,
                )
        queries = {name: query for name, query in queries.items() if name not in UNANSWERABLE_QUERIES}
    return _object(queries, QUERY_KEYS, at)["clusterQuery"], below(at, "clusterQuery")


@contextmanager
def refusals_in_search(at: str) -> Iterator[None]:
    """Makes refusals of a translated filter, parsed with ``at=""``, say where in the condition at ``at`` they are."""
    try:
        yield
    except FilterRefused as refused:
        place = at + place_in_search(refused.at)
        raise FilterRefused(refused.message, at=place, mongo_code=refused.mongo_code) from None


def place_in_search(at: str) -> str:
    """Where a condition says what its filter has at ``at``: ``/$and/0/memory/$gt`` is ``/conditions/0/value``."""
    joints = JOINTS.match(at)
    assert joints is not None
    place = joints[0].replace("/$and/", "/conditions/").replace("/$or/", "/conditions/")
    return place if joints.end() == len(at) else f"{place}/value"


class _Translation(Struct):
    """One search being translated, and how many conditions it has had."""

    limits: Limits
    conditions: int = 0

    def filter_of(self, json: Value, at: str, *, depth: int) -> Document:
        self.conditions += 1
        if self.conditions > self.limits.filter_clauses_max:
            raise FilterRefused(
                f"there are more than {self.limits.filter_clauses_max} conditions", at=at, mongo_code=BAD_VALUE
            )
        if depth > self.limits.filter_depth_max:
            raise FilterRefused(
                f"conditions are nested more than {self.limits.filter_depth_max} levels deep",
                at=at,
                mongo_code=BAD_VALUE,
            )
        if isinstance(json, dict) and "logicalOperator" in json:
            return self._joined(_object(json, JOINED_KEYS, at), at, depth)
        return _compared(_object(json, COMPARED_KEYS, at), at)

    def _joined(self, json: Document, at: str, depth: int) -> Document:
        name = _known(json["logicalOperator"], LOGICAL_OPERATORS, below(at, "logicalOperator"))
        conditions, place = json["conditions"], below(at, "conditions")
        if not isinstance(conditions, list):
            raise FilterRefused(
                f"conditions is a list, not a value of type {type_name(conditions)}", at=place, mongo_code=TYPE_MISMATCH
            )
        if not conditions:
            raise FilterRefused(
                f"{name} takes at least one condition, and this list is empty", at=place, mongo_code=BAD_VALUE
            )
        inner = [self.filter_of(each, below(place, i), depth=depth + 1) for i, each in enumerate(conditions)]
        return {LOGICAL_OPERATORS[name]: [*inner]}


def _compared(json: Document, at: str) -> Document:
    variable, place = json["variable"], below(at, "variable")
    if not isinstance(variable, str):
        raise FilterRefused(
            f"variable is a dotted path, not a value of type {type_name(variable)}", at=place, mongo_code=TYPE_MISMATCH
        )
    if any(not component or component.startswith("$") for component in variable.split(".")):
        raise FilterRefused(
            f"{variable!r} is no dotted path: a component of one is not empty and does not begin with '$'",
            at=place,
            mongo_code=BAD_VALUE,
        )
    operator = OPERATORS[_known(json["operator"], OPERATORS, below(at, "operator"))]
    return {variable: operator(json["value"], below(at, "value"))}


def equal_to(value: Value, at: str) -> Value:
    """Finds clusters whose field equals the value."""
    return {"$eq": value} if isinstance(value, dict) else value


def one_of(value: Value, at: str) -> Value:
    """Finds clusters whose field equals a value of the list."""
    if not isinstance(value, list):
        raise FilterRefused(f"IN takes a list, not a value of type {type_name(value)}", at=at, mongo_code=BAD_VALUE)
    return {"$in": value}


def like(value: Value, at: str) -> Value:
    """Finds clusters whose field holds the text somewhere; ``*`` stands for any characters, all else for itself."""
    if not isinstance(value, str):
        raise FilterRefused(f"LIKE takes a text, not a value of type {type_name(value)}", at=at, mongo_code=BAD_VALUE)
    return {"$regex": "".join(PATTERNS.get(character, character) for character in value)}


def _comparison(operator: str) -> Callable[[Value, str], Value]:
    return lambda value, at: {operator: value}


def _object(json: Value, keys: Collection[str], at: str) -> Document:
    """The value, when it is an object with exactly these keys."""
    wanted = ", ".join(keys)
    if not isinstance(json, dict):
        raise FilterRefused(
            f"expected an object with {wanted}, not a value of type {type_name(json)}", at=at, mongo_code=TYPE_MISMATCH
        )
    for name in keys:
        if name not in json:
            raise FilterRefused(
                f'"{name}" is missing; expected an object with {wanted}', at=at, mongo_code=FAILED_TO_PARSE
            )
    for name in json:
        if name not in keys:
            raise FilterRefused(
                f'"{name}" can\'t stand here; expected an object with {wanted}',
                at=below(at, name),
                mongo_code=FAILED_TO_PARSE,
            )
    return json


def _known(name: Value, table: Mapping[str, object], at: str) -> str:
    if isinstance(name, str) and name in table:
        return name
    given = f'"{name}"' if isinstance(name, str) else f"a value of type {type_name(name)}"
    raise FilterRefused(
        f"{given} is no operator of searches; there are {', '.join(table)}", at=at, mongo_code=BAD_VALUE
    )


SEARCH_KEYS = ("matchType", "filter")
QUERY_KEYS = ("clusterQuery",)
JOINED_KEYS = ("logicalOperator", "conditions")
COMPARED_KEYS = ("variable", "operator", "value")
UNANSWERABLE_QUERIES = ("clusterMetricsQuery", "blockQuery", "blockMetricsQuery")

LOGICAL_OPERATORS = {"AND": "$and", "OR": "$or"}

JOINTS = re.compile(r"(?:/\$(?:and|or)/[0-9]+)*")

OPERATORS: Mapping[str, Callable[[Value, str], Value]] = {
    "==": equal_to,
    "!=": _comparison("$ne"),
    "IN": one_of,
    "<": _comparison("$lt"),
    "<=": _comparison("$lte"),
    ">": _comparison("$gt"),
    ">=": _comparison("$gte"),
    "LIKE": like,
}

PATTERNS = {"*": ".*", **{character: f"\\{character}" for character in "\\.^$|?+()[]{}"}}
"""What the characters of a LIKE become in a regular expression; any other stands for itself."""
