"""What of a filter can be asked of the documents: all that does not look at what only the registry knows.

One rule: what is left matches everything that the whole filter matches, and perhaps more.
"""

from rollbook.clusters.schema import REGISTRY_FIELD
from rollbook.documents.paths import Path
from rollbook.language.filters import Filter
from rollbook.language.filters.nodes import EVERYTHING, All, Computed, Constant, ElemMatch, Field, JsonSchema, Not
from rollbook.language.filters.nodes import Any as AnyOf
from rollbook.registry.reading.requests import Query
from rollbook.security.seeing import SeenView
from rollbook.view.index.indexes import Index
from rollbook.view.planning.plans import Plan
from rollbook.view.views import View


def on_documents(filter: Filter) -> Filter:
    """The filter without the clauses that look at ``_registry``; the very same one when none does."""
    if not looks_at_registry(filter):
        return filter
    if isinstance(filter, All):
        return All(tuple(clause for clause in filter.clauses if not looks_at_registry(clause)))
    return EVERYTHING


def plan_query(view: View | SeenView, query: Query) -> Plan:
    """The view's plan for a query; what only the registry knows is not indexed, and does not narrow."""
    filter = on_documents(query.filter) if query.reads_registry else query.filter
    plan = view.plan(filter)
    return plan if filter is query.filter else Plan(plan.candidates)


def looks_at_registry(filter: Filter) -> bool:
    """Whether the filter may look at ``_registry``; an expression or a schema may look anywhere."""
    match filter:
        case Field(path=path) | ElemMatch(path=path):
            return path[:1] == (REGISTRY_FIELD,)
        case All(clauses) | AnyOf(clauses):
            return any(map(looks_at_registry, clauses))
        case Not(clause):
            return looks_at_registry(clause)
        case Computed() | JsonSchema():
            return True
        case Constant():
            return False


def index_at(view: View | SeenView, *paths: Path) -> Index | None:
    """The index, where it knows what the documents that are seen have at the paths."""
    return view.index if view.veil is None or all(map(view.veil.shows, paths)) else None
