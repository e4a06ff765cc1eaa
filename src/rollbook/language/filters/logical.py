"""Logic: ``$and $or $nor $not``, which hold filters.

One rule: they hold at least one, and every one of them is a filter in its own right.
"""

from rollbook.documents.values import Value
from rollbook.language.filters.nodes import Any, Filter, Not, all_of
from rollbook.language.filters.operators import FilterForm, described
from rollbook.language.filters.sites import Site


def every(operand: Value, site: Site) -> Filter:
    """Matches documents that match every filter of the list."""
    return all_of(_clauses("$and", operand, site))


def some(operand: Value, site: Site) -> Filter:
    """Matches documents that match at least one filter of the list."""
    clauses = _clauses("$or", operand, site)
    return clauses[0] if len(clauses) == 1 else Any(tuple(clauses))


def none(operand: Value, site: Site) -> Filter:
    """Matches documents that match no filter of the list."""
    clauses = _clauses("$nor", operand, site)
    return Not(clauses[0] if len(clauses) == 1 else Any(tuple(clauses)))


def _clauses(name: str, operand: Value, site: Site) -> list[Filter]:
    if not isinstance(operand, list) or not operand:
        raise site.refused(f"{name} takes a list of at least one filter; it got {described(operand)}")
    clauses = []
    for position, clause in enumerate(operand):
        if not isinstance(clause, dict):
            raise site.refused(f"{name} takes filters, which are objects; it got {described(clause)}", position)
        clauses.append(site.filter(clause, position))
    return clauses


def negation(operand: Value, site: Site) -> Filter:
    """Matches documents whose field does not meet the conditions, and documents without the field."""
    if not isinstance(operand, dict) or not operand:
        raise site.refused(f'$not takes an object of operators, like {{"$gt": 3}}; it got {described(operand)}')
    return Not(site.conditions(operand, path=site.path))


TOP_FORMS = (
    FilterForm("$and", every),
    FilterForm("$or", some),
    FilterForm("$nor", none),
)

FORMS = (FilterForm("$not", negation),)
