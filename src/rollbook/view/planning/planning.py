"""From a filter to an answer: which documents match for certain, and which may.

Theory: the planner walks the filter as the compiler does, on bitmaps instead of values. It knows the laws of MongoDB
that decide *whether an index can know*: what arrays on the way make of missing values, what ``$elemMatch`` asks of one
element, which values compare. It never decides what a value means: where postings alone don't suffice, its answer is a
superset, and the predicate decides.

A caller from whom paths are hidden is answered as if nothing were there (``Veil``). What the index knows at a path that
is shown is true of the masked documents too; what it knows at any other path is not used.

One rule: when unsure, ``possible`` is larger and ``certain`` smaller. "An indexed find equals a scan" is a test.
"""

from collections.abc import Iterable, Mapping
from typing import assert_never

from msgspec import Struct, field
from msgspec.structs import replace
from pyroaring import BitMap

from rollbook.documents.paths import Path
from rollbook.language.filters.nodes import All, Any, Computed, Constant, ElemMatch, Field, Filter, JsonSchema, Not
from rollbook.view.index.elements import ElementIndex
from rollbook.view.index.indexes import Index
from rollbook.view.index.keys import ARRAY, NESTED
from rollbook.view.index.postings import EMPTY
from rollbook.view.index.resolved_paths import NOTHING, ResolvedPath, is_numeric, nested_on, place_of, readings
from rollbook.view.index.trees import PathIndex
from rollbook.view.planning.answers import NONE, Answer, any_of, at_most, exactly
from rollbook.view.planning.fields import Domain, answer_of_field, matches_missing
from rollbook.view.planning.planning_budgets import UNBOUNDED, PlanningBudget, effort_from_now
from rollbook.view.planning.veils import Veil, VeilBelow

FEW = 16
"""So few documents are looked at sooner than a costly clause is planned."""

NARROW_SHARE = 8
"""Below this fraction of the documents it is quicker to look at their elements alone than at all elements."""

CHEAP, MODERATE, COSTLY, UNKNOWABLE = range(4)

ELEMENT_OPERATORS = frozenset({"$eq", "$in", "$gt", "$gte", "$lt", "$lte", "$regex", "$mod"})


class Planner(Struct, frozen=True):
    """Answers filters from one tree: that of documents, or that of the elements of an array."""

    root: PathIndex
    domain: Domain
    places: dict[Path, ResolvedPath]
    """Where paths were found before: a node that is there stays. They are the index's own; plans add to them."""
    elements: Mapping[PathIndex, ElementIndex] = field(default_factory=dict)
    veil: Veil | None = None

    def answer(self, filter: Filter, within: BitMap) -> Answer:
        """The answer to ``filter`` among the documents ``within``."""
        if self.domain.effort.spent():
            return at_most(within)
        match filter:
            case Field():
                return self._field(filter, within)
            case All(clauses):
                return self._all(clauses, within)
            case Any(clauses):
                return any_of([self.answer(clause, within) for clause in clauses])
            case Not(clause):
                return self.answer(clause, within).negated(within)
            case ElemMatch():
                return self._elem_match(filter, within)
            case Constant(matches):
                return exactly(within) if matches else NONE
            case Computed() | JsonSchema():
                return at_most(within)
        assert_never(filter)

    def _all(self, clauses: tuple[Filter, ...], within: BitMap) -> Answer:
        answer = exactly(within)
        costs = [cost(clause) for clause in clauses]
        for place in sorted(range(len(clauses)), key=costs.__getitem__):
            if not answer.possible:
                return NONE
            if costs[place] >= COSTLY and len(answer.possible) <= FEW:
                return at_most(answer.possible)
            found = self.answer(clauses[place], answer.possible)
            answer = found if answer.certain is self.domain.live else answer.both(found)
        return answer

    def _field(self, field: Field, within: BitMap) -> Answer:
        if field.collation is not None:
            return at_most(within)  # the index has texts as they are
        if self.veil is not None and not self.veil.shows(field.path):
            return at_most(within)
        place = self.places.get(field.path)
        if place is None:
            if not field.path:
                return at_most(within)
            if any(map(is_numeric, field.path)):
                return at_most(self._possible_by_position(field, within))
            place = place_of(self.root, field.path)
            if place is None:
                return at_most(within)
            if place.node is not NOTHING:
                self.places[field.path] = place
        return answer_of_field(field, place, self.domain, within)

    def _possible_by_position(self, field: Field, within: BitMap) -> BitMap:
        """A numeric component names a member or an element; an element has no level of its own in the tree."""
        paths = readings(field.path)
        if paths is None or matches_missing(field):
            return within
        possible = EMPTY
        for path in paths:
            place = place_of(self.root, path)
            if place is None:
                return within
            possible = (
                possible | answer_of_field(field, place, self.domain, within).possible | nested_on(self.root, path)
            )
        return possible

    def _elem_match(self, filter: ElemMatch, within: BitMap) -> Answer:
        path = filter.path
        place = place_of(self.root, path) if path and not any(map(is_numeric, path)) else None
        if place is None or (self.veil is not None and self.veil.may_hide(path)):
            return at_most(within)
        node, irregular = place.node, place.node.get(NESTED) | place.unknown()
        arrays = node.get(ARRAY)
        if filter.on == "fields" and node in self.elements:
            return self._by_elements(filter.clause, node, irregular | place.crossing() & arrays, within)
        possible = self._implied(filter.clause, path, arrays & within) & arrays | irregular
        clause = filter.clause
        if filter.on == "values" and isinstance(clause, Field) and _asks_one_scalar(clause):
            plain = self._field(replace(clause, path=path), within)
            return Answer(plain.certain & arrays - place.crossing(), possible)
        return at_most(possible)

    def _by_elements(self, clause: Filter, node: PathIndex, irregular: BitMap, within: BitMap) -> Answer:
        """What the index of elements answers. Arrays in other arrays are not in it: those documents stay possible."""
        index = self.elements[node]
        veil = None if self.veil is None else VeilBelow(self.veil, node.path)
        planner = Planner(index.root, Domain(index.live, index.size, self.domain.effort), index.places, veil=veil)
        if len(within) * NARROW_SHARE <= self.domain.size:
            within = self._implied(clause, node.path, within)
            elements = index.elements_of(within)
            found = planner.answer(clause, elements).both(exactly(elements))
        else:
            found = planner.answer(clause, index.live)
        certain = index.documents_of(found.certain, self.domain.size)
        if found.exact:
            return Answer(certain, certain | irregular) if irregular else exactly(certain)
        possible = index.documents_of(found.possible, self.domain.size)
        return Answer(certain, self._implied(clause, node.path, possible & within) | certain | irregular)

    def _implied(self, clause: Filter, prefix: Path, within: BitMap) -> BitMap:
        """The documents in which some element at ``prefix`` may meet ``clause``: each of its conditions is met by some
        element, though not by one alone."""
        match clause:
            case Field():
                return within & self._field(replace(clause, path=prefix + clause.path), within).possible
            case All(clauses):
                for part in clauses:
                    within = self._implied(part, prefix, within)
                return within
            case Any(clauses):
                return BitMap.union(EMPTY, *(self._implied(part, prefix, within) for part in clauses))
            case Constant(False):
                return EMPTY
        return within


def answer(filter: Filter, index: Index, *, effort: PlanningBudget = UNBOUNDED) -> Answer:
    """The answer to ``filter`` among all documents of ``index``."""
    return planner_of(index, effort).answer(filter, index.live)


def lacking(paths: Iterable[Path], index: Index, *, within: BitMap | None, veil: Veil | None = None) -> list[Path]:
    """Those of the paths at which certainly none of the documents ``within`` has anything.

    Empty where ``within`` is None. Paths that the ``veil`` may hide are left out.
    """
    effort = effort_from_now()
    return [
        path
        for path in paths
        if within is not None
        and index.values
        and (veil is None or veil.shows(path))
        and not answer(Field(path, "$exists", True), index, effort=effort).possible & within
    ]


def planner_of(
    index: Index, effort: PlanningBudget, *, live: BitMap | None = None, veil: Veil | None = None
) -> Planner:
    """Answers filters on the documents ``live`` of ``index`` (None: all), with this effort for them all together."""
    domain = Domain(index.live if live is None else live, index.size, effort)
    return Planner(index.root, domain, index.places, index.elements, veil)


def cost(filter: Filter) -> int:
    """What planning the filter costs, roughly: clauses that cost less are planned first, and narrow the others."""
    match filter:
        case Field():
            return OPERATOR_COSTS.get(filter.operator, CHEAP)
        case Not(clause):
            return cost(clause)
        case All() | Any():
            return MODERATE
        case ElemMatch():
            return COSTLY
        case Computed() | JsonSchema():
            return UNKNOWABLE
    return CHEAP


def _asks_one_scalar(clause: Field) -> bool:
    """Whether an operator's answer at an array's path is about the array's elements alone."""
    if clause.path or clause.operator not in ELEMENT_OPERATORS:
        return False
    operands = clause.operand if clause.operator == "$in" and isinstance(clause.operand, list) else [clause.operand]
    return clause.operator == "$mod" or all(isinstance(one, (str, bool, int, float)) for one in operands)


OPERATOR_COSTS = {
    "$gt": MODERATE,
    "$gte": MODERATE,
    "$lt": MODERATE,
    "$lte": MODERATE,
    "$mod": COSTLY,
    "$regex": COSTLY,
    "$bitsAllSet": COSTLY,
    "$bitsAllClear": COSTLY,
    "$bitsAnySet": COSTLY,
    "$bitsAnyClear": COSTLY,
}
