"""From JSON to the tree of a filter. The only place where a filter is refused.

One rule: every refusal says where (a JSON Pointer), in words that help, and with MongoDB's code.
"""

from rollbook.documents.paths import Path, parse_path
from rollbook.documents.values import Document, Value
from rollbook.errors import FilterRefused
from rollbook.language import foreign
from rollbook.language.filters.nodes import EVERYTHING, Field, Filter, all_of
from rollbook.language.filters.operators import Operator, check_operand, described, is_operator_object
from rollbook.language.filters.sites import TYPE_MISMATCH, Reading, Site
from rollbook.language.filters.tables import FORMS, OPERATORS, TOP_FORMS
from rollbook.limits import DEFAULT_LIMITS, Limits

PATH_LENGTH_MAX = 200
OVERFLOW = 15

REFERENCE_FIELDS = frozenset({"$ref", "$id", "$db"})
"""Names of fields, though they begin with a dollar sign: those of a DBRef."""


def parse_filter(json: Value, *, at: str = "", limits: Limits = DEFAULT_LIMITS) -> Filter:
    """The filter of documents that ``json`` is. ``at`` points at it in the request; refuses with FilterRefused."""
    if not isinstance(json, dict):
        raise FilterRefused(f"a filter is an object; this is {described(json)}", at=at, mongo_code=TYPE_MISMATCH)
    return _filter(json, _site(at, limits))


def parse_condition(json: Value, *, at: str = "", limits: Limits = DEFAULT_LIMITS) -> Filter:
    """The condition on a single value that ``json`` is: an object of operators, or else a value to be equal to."""
    if is_operator_object(json):
        return _conditions(json, _site(at, limits))
    return Field((), "$eq", json, at=at)


def _site(at: str, limits: Limits) -> Site:
    return Site(Reading(limits, _filter, _conditions), at)


def _filter(json: Document, site: Site) -> Filter:
    clauses: list[Filter] = []
    for name, operand in json.items():
        clause = _clause(name, operand, site)
        if clause is not None:
            clauses.append(clause)
    return all_of(clauses) if clauses else EVERYTHING


def _clause(name: str, operand: Value, site: Site) -> Filter | None:
    if name.startswith("$") and name not in REFERENCE_FIELDS:
        form = TOP_FORMS.get(name)
        if form is None:
            raise _misplaced(name, site)
        return form.parse(operand, site.below(name))
    here = site.on_field(name, _path(name, site))
    if is_operator_object(operand):
        return _conditions(operand, here)
    here.count_clause()
    return Field(here.path, "$eq", operand, at=here.at)


def _path(name: str, site: Site) -> Path:
    if name.count(".") >= PATH_LENGTH_MAX:
        raise site.refused(f"a path has at most {PATH_LENGTH_MAX} components", name, mongo_code=OVERFLOW)
    return parse_path(name)


def _conditions(json: Document, site: Site) -> Filter:
    site = site.within(json)
    clauses: list[Filter] = []
    for name, operand in json.items():
        site.count_clause()
        clause = _condition(name, operand, site)
        if clause is not None:
            clauses.append(clause)
    return all_of(clauses) if clauses else EVERYTHING


def _condition(name: str, operand: Value, site: Site) -> Filter | None:
    form = FORMS.get(name)
    if form is not None:
        return form.parse(operand, site.below(name))
    row = OPERATORS.get(name)
    if row is None:
        raise _unknown(name, site)
    return _field(row, operand, site.below(name))


def _field(row: Operator, operand: Value, site: Site) -> Filter:
    check_operand(operand, row.name, row.problem_with, site)
    return Field(site.path, row.name, operand, at=site.at)


def _misplaced(name: str, site: Site) -> FilterRefused:
    if name in FORMS or name in OPERATORS:
        return site.refused(f'{name} needs a field: {{"field": {{"{name}": ...}}}}', name)
    return _unknown(name, site)


def _unknown(name: str, site: Site) -> FilterRefused:
    if name in foreign.FILTERS:
        return site.refused(f"{name} is not supported: {foreign.FILTERS[name]}", name)
    if name in TOP_FORMS:
        return site.refused(f"{name} stands beside fields, not below one", name)
    return site.refused(foreign.unknown(name, {**OPERATORS, **FORMS, **TOP_FORMS}, "operator of filters"), name)
