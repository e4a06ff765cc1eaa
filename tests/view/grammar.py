"""Random documents, and filters that meet them: few names, few values, every shape.

Filters are made from the paths and values of the documents they are tried on, for a filter that matches nothing for
want of a value tests little. ``random`` is Hypothesis's, which remembers and shrinks what it gave.
"""

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

Json = Any

LONG_TEXT = "long " * 40
SCALARS = (None, True, False, 0, 1, 1.0, -1, 2.5, 2**53 + 1, 2**53, 1e300, "", "x", "xy", "X", LONG_TEXT)
STRANGE_PATHS = (
    "_registry.revision",
    "z",
    "a.z",
    "n.d.z",
    "a.",
    ".a",
    "a..b",
    "with.dot",
    "0",
    "a.0.0",
    "n.d.0.a",
    "n.d.1",
)
INNER_PATHS = ("a", "b", "id", "a.b", "b.a", "0", "z")
PATTERNS = ("^x", "x", "^$", "y$", ".", "^x?", "z|^x", "^xy*", r"^\x78", "(?i)X", "g l", "^long l", "^x{0}", "^x{1}")
TYPES = ("string", "number", "int", "double", "long", "null", "object", "array", "bool", 2, "date", ["null", "string"])
RARELY, SOMETIMES, MOSTLY = 0.1, 0.3, 0.8


def scalar(random: Random) -> Json:
    return random.choice(SCALARS)


def value(random: Random, depth: int = 2) -> Json:
    """A scalar, or an array or object of few members."""
    shape = random.random()
    if shape < 0.4 or depth == 0:
        return scalar(random)
    if shape < 0.7:
        return [value(random, depth - 1) for _ in range(random.randint(0, 3))]
    return members(random, ("a", "b", "0"), depth - 1)


def members(random: Random, names: tuple[str, ...], depth: int) -> dict[str, Json]:
    return {random.choice(names): value(random, depth) for _ in range(random.randint(0, 2))}


def element(random: Random) -> Json:
    return members(random, ("a", "b", "id"), 2) if random.random() < MOSTLY else value(random)


def elements(random: Random) -> Json:
    return [element(random) for _ in range(random.randint(0, 3))]


def document(random: Random) -> dict[str, Json]:
    """The elements of ``n.d``, where it is an array below objects as it mostly is, have an index of their own."""
    made: dict[str, Json] = {}
    for name in ("a", "b"):
        if random.random() < MOSTLY:
            made[name] = value(random)
    shape = random.random()
    if shape < MOSTLY:
        made["n"] = {"d": elements(random), "e": scalar(random)}
    elif shape < 0.9:
        made["n"] = random.choice(({"d": value(random)}, value(random)))
    elif shape < 0.95:
        made["n"] = [{"d": elements(random)} for _ in range(random.randint(0, 2))]
    if random.random() < RARELY:
        made[random.choice(("with.dot", "", "0"))] = value(random)
    return made


def changed(random: Random, before: dict[str, Json]) -> dict[str, Json]:
    """Another document, which mostly shares much with ``before``: a member, an element or a member of one differs."""
    other = document(random)
    nodes = before.get("n")
    if random.random() < SOMETIMES or not isinstance(nodes, dict) or not isinstance(nodes.get("d"), list):
        return other if random.random() < SOMETIMES else {**before, **dict(list(other.items())[:1])}
    array = list(nodes["d"])
    place = random.randint(0, len(array))
    match random.choice(("insert", "remove", "replace", "edit", "shuffle")):
        case "insert":
            array.insert(place, element(random))
        case "remove":
            del array[place : place + 1]
        case "replace":
            array[place : place + 1] = [element(random)]
        case "edit" if place < len(array) and isinstance(array[place], dict):
            array[place] = {**array[place], "a": value(random)}
        case _:
            random.shuffle(array)
    return {**before, "n": {**nodes, "d": array}}


class FilterMaker:
    """Makes filters, some of which are refused, on documents like these."""

    def __init__(self, random: Random, documents: list[Json]) -> None:
        self.random = random
        self.met = [(path, value) for path, value in paths_and_values(documents) if path] + [("a", 1)]

    def filter(self, depth: int = 2) -> Json:
        """Leaves on one path, elements of arrays, and logic over them."""
        random = self.random
        if depth and random.random() < SOMETIMES:
            return {self._logic(): [self.filter(depth - 1) for _ in range(random.randint(1, 3))]}
        path, met = random.choice(self.met)
        match random.choice(("equal", "operators", "operators", "elements", "elements", "strange")):
            case "equal":
                return {path: random.choice((met, {"$ne": met}))}
            case "operators":
                return {path: self._operators(met)}
            case "elements":
                condition = {"$elemMatch": self._clause(2)}
                path = "n.d" if random.random() < 0.5 else path
                return {path: condition if random.random() < MOSTLY else {"$not": condition}}
        return {random.choice(STRANGE_PATHS): self._operators(met)}

    def _clause(self, depth: int) -> Json:
        """What an element is asked."""
        random = self.random
        shape = random.random()
        if shape < SOMETIMES:
            return self._operators(self._value())
        if depth and shape < 0.5:
            return {self._logic(): [self._clause_on_fields(depth - 1) for _ in range(random.randint(1, 2))]}
        return {**self._clause_on_fields(depth), **(self._clause_on_fields(depth) if shape > MOSTLY else {})}

    def _clause_on_fields(self, depth: int) -> Json:
        path = self.random.choice(INNER_PATHS)
        if depth and self.random.random() < RARELY:
            return {path: {"$elemMatch": self._clause(depth - 1)}}
        return {path: self._operators(self._value()) if self.random.random() < 0.6 else self._value()}

    def _logic(self) -> str:
        return self.random.choice(("$and", "$or", "$nor"))

    def _value(self) -> Json:
        return self.random.choice(self.met)[1] if self.random.random() < MOSTLY else value(self.random)

    def _operators(self, met: Json) -> Json:
        conditions = dict(self._operator(met) for _ in range(1 if self.random.random() < MOSTLY else 2))
        return {"$not": conditions} if self.random.random() < 0.2 else conditions

    def _operator(self, met: Json) -> tuple[str, Json]:
        random = self.random
        name = random.choice(tuple(OPERANDS))
        return name, OPERANDS[name](random, met)


def paths_and_values(value: Json, path: str = "") -> Iterator[tuple[str, Json]]:
    """Every value of the documents with the paths that lead to it: over elements, and by their index."""
    if isinstance(value, list):
        for index, element in enumerate(value):
            yield path, element
            yield from paths_and_values(element, path)
            if path:
                yield from paths_and_values(element, f"{path}.{index}")
    elif isinstance(value, dict):
        for name, member in value.items():
            below = f"{path}.{name}" if path else name
            yield below, member
            yield from paths_and_values(member, below)


def _itself(random: Random, met: Json) -> Json:
    return met


def _some(random: Random, met: Json) -> Json:
    return [met, *(value(random, 1) for _ in range(random.randint(0, 2)))][random.randint(0, 1) :]


OPERANDS: dict[str, Callable[[Random, Json], Json]] = {
    **dict.fromkeys(("$eq", "$ne", "$gt", "$gte", "$lt", "$lte"), _itself),
    **dict.fromkeys(("$in", "$nin", "$all"), _some),
    "$exists": lambda random, met: random.random() < 0.5,
    "$type": lambda random, met: random.choice(TYPES),
    "$size": lambda random, met: len(met) if isinstance(met, list) else random.randint(0, 3),
    "$mod": lambda random, met: random.choice(([2, 1], [5, 0], [-3, -1])),
    "$bitsAllSet": lambda random, met: random.choice((1, 5, [0, 2])),
    "$bitsAnyClear": lambda random, met: random.choice((1, 5, [0, 2])),
    "$regex": lambda random, met: random.choice(PATTERNS),
}
