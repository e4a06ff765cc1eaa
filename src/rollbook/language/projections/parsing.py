"""JSON to the tree of a projection: the only place that refuses how one is written.

One rule: a projection includes or excludes, and the first field that says which decides. An identity may be kept or
dropped in either; ``$slice`` and ``$elemMatch`` fit both.
"""

from msgspec import Struct, field

from rollbook.documents.paths import Path, parse_path
from rollbook.documents.values import Value, is_number, type_name
from rollbook.errors import ExpressionRefused, ProjectionRefused, below
from rollbook.language.expressions import Expression, parse_expression
from rollbook.language.projections.arrays import parse_first_match, parse_slice
from rollbook.language.projections.field_paths import problem_with_path
from rollbook.language.projections.nodes import (
    Computed,
    Excluded,
    FirstMatch,
    Included,
    Leaf,
    Mode,
    Positional,
    Projection,
    Sliced,
)
from rollbook.language.projections.trees import Collision, Tree, add_leaf, branch_of
from rollbook.limits import DEFAULT_LIMITS, Limits


def parse_projection(json: Value, *, at: str = "", identity: str = "id", limits: Limits = DEFAULT_LIMITS) -> Projection:
    """The projection of a query: beside what ``$project`` takes, ``$slice``, ``$elemMatch`` and positional ``$``.

    The field ``identity`` is included unless it is excluded, and so is ``_id``, where groups have their key. An empty
    projection shows everything.
    """
    if not isinstance(json, dict):
        raise ProjectionRefused("a projection is an object of paths", at=at, mongo_code=14)
    return _Reading(frozenset((identity, GROUP_KEY)), limits, of_query=True).projection(json, at)


def parse_project_stage(
    json: Value, *, at: str = "", identity: str = "id", limits: Limits = DEFAULT_LIMITS
) -> Projection:
    """The projection of a ``$project`` stage."""
    if not isinstance(json, dict):
        raise ProjectionRefused("$project takes an object of paths", at=at, mongo_code=15969)
    if not json:
        raise ProjectionRefused("$project names at least one path", at=at, mongo_code=51272)
    return _Reading(frozenset((identity, GROUP_KEY)), limits, of_query=False).projection(json, at)


class _Reading(Struct):
    """Reads one projection: what it has said so far."""

    identities: frozenset[str]
    limits: Limits
    of_query: bool
    mode: Mode | None = None
    tree: Tree = field(default_factory=dict)
    kinds: set[type[Leaf]] = field(default_factory=set)

    def projection(self, json: dict[str, Value], at: str) -> Projection:
        for name, said in json.items():
            self._field((), name, said, below(at, name))
        mode = self.mode or self._mode_unsaid()
        for identity in self.identities:
            if mode is Mode.INCLUSION:
                self.tree.setdefault(identity, Included())
            if isinstance(self.tree.get(identity), Excluded if mode is Mode.INCLUSION else Included):
                del self.tree[identity]
        return Projection(mode, branch_of(self.tree))

    def _mode_unsaid(self) -> Mode | None:
        if any(isinstance(self.tree.get(identity), Included) for identity in self.identities):
            return Mode.INCLUSION
        if FirstMatch in self.kinds and Sliced not in self.kinds:
            return Mode.INCLUSION
        return Mode.EXCLUSION if self.tree else None

    def _field(self, parents: Path, name: str, said: Value, at: str) -> None:
        if ".$." in name or name.endswith(".$"):
            self._positional(parents, name, said, at)
            return
        path = self._path(parents, name, at)
        if isinstance(said, bool) or is_number(said):
            self._flag(path, bool(said), at)
        elif isinstance(said, dict):
            self._object(path, said, at)
        else:
            self._compute(path, said, 31310, at)

    def _flag(self, path: Path, stays: bool, at: str) -> None:
        self._add(path, Included() if stays else Excluded(), at)
        if len(path) > 1 or path[0] not in self.identities:
            code = 31253 if stays else 31254
            self._decide(Mode.INCLUSION if stays else Mode.EXCLUSION, code, at)

    def _object(self, path: Path, said: dict[str, Value], at: str) -> None:
        operator = next(iter(said), None)
        if operator is None:
            raise ProjectionRefused("an empty object says nothing about the field", at=at, mongo_code=51270)
        if operator[:1] != "$" or len(said) > 1:
            for name, inner in said.items():
                self._field(path, name, inner, below(at, name))
        elif self.of_query and operator == "$elemMatch":
            self._first_match(path, said[operator], below(at, operator))
        elif self.of_query and operator == "$slice" and (cut := parse_slice(said[operator], below(at, operator))):
            self._add(path, cut, at)
        else:
            self._compute(path, said, 31252, at)

    def _compute(self, path: Path, said: Value, code: int, at: str) -> None:
        self._decide(Mode.INCLUSION, code, at)
        self._add(path, Computed(self._expression(said, at), at), at)

    def _expression(self, said: Value, at: str) -> Expression:
        try:
            return parse_expression(said, at=at, limits=self.limits)
        except ExpressionRefused as refusal:
            # MongoDB has a code of its own for an operator that does not exist where a projection expects one.
            if refusal.mongo_code == 168 and isinstance(said, dict) and refusal.at == below(at, next(iter(said))):
                refusal.mongo_code = 168 if "$elemMatch" in said else 31325
            raise

    def _first_match(self, path: Path, condition: Value, at: str) -> None:
        if not isinstance(condition, dict):
            why = f"$elemMatch takes an object of conditions, not {type_name(condition)}"
            raise ProjectionRefused(why, at=at, mongo_code=31274)
        if Positional in self.kinds:
            raise ProjectionRefused("$elemMatch and positional '$' can't be used together", at=at, mongo_code=31255)
        if len(path) > 1:
            raise ProjectionRefused("$elemMatch is for fields of the document itself", at=at, mongo_code=31275)
        self._add(path, parse_first_match(path[0], condition, at=at, limits=self.limits), at)

    def _positional(self, parents: Path, name: str, said: Value, at: str) -> None:
        if not self.of_query:
            raise ProjectionRefused("positional '$' is for projections of queries", at=at, mongo_code=31324)
        if ".$." in name:
            raise ProjectionRefused("positional '$' stands at the end of a path only", at=at, mongo_code=31394)
        path = self._path(parents, name.removesuffix(".$"), at)
        match said:
            case dict():
                raise ProjectionRefused("positional '$' takes 1, no object", at=at, mongo_code=31271)
            case None | str() | list():
                raise ProjectionRefused("positional '$' takes 1, no value", at=at, mongo_code=31308)
        if not said:
            raise ProjectionRefused("positional '$' can't exclude", at=at, mongo_code=31395)
        if Positional in self.kinds:
            raise ProjectionRefused("positional '$' can be used once", at=at, mongo_code=31276)
        if FirstMatch in self.kinds:
            raise ProjectionRefused("positional '$' and $elemMatch can't be used together", at=at, mongo_code=31256)
        self._add(path, Positional(at), at)
        self._decide(Mode.INCLUSION, 31253, at)

    def _path(self, parents: Path, name: str, at: str) -> Path:
        if problem := problem_with_path(name, parents=parents, dollars_below=self.of_query):
            code, why = problem
            raise ProjectionRefused(why, at=at, mongo_code=code)
        return parents + parse_path(name)

    def _add(self, path: Path, leaf: Leaf, at: str) -> None:
        collision = add_leaf(self.tree, path, leaf)
        if collision is not None:
            code = 31249 if collision is Collision.PASSES_AN_END else 31250
            raise ProjectionRefused(f"this path collides: {collision.value}", at=at, mongo_code=code)
        self.kinds.add(type(leaf))

    def _decide(self, mode: Mode, code: int, at: str) -> None:
        if self.mode is not None and self.mode is not mode:
            why = f"a projection with an {self.mode.value} can't have this {mode.value}: only the identity may differ"
            raise ProjectionRefused(why, at=at, mongo_code=code)
        self.mode = mode


GROUP_KEY = "_id"
