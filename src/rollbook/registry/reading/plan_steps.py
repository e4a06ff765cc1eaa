"""Plans of queries, recorded as a step of the request where that is wanted."""

from collections.abc import Callable
from time import time_ns

from pyroaring import BitMap

from rollbook.language.filters import Filter
from rollbook.language.filters.nodes import All
from rollbook.registry.reading.facts import Facts
from rollbook.registry.reading.narrowing import looks_at_registry, plan_query
from rollbook.registry.reading.requests import Aggregation, Query
from rollbook.registry.reading.summaries import summary_of
from rollbook.security.seeing import SeenView
from rollbook.steps import STEPS
from rollbook.view.planning.explaining import words_of_clause
from rollbook.view.planning.plans import Plan
from rollbook.view.views import View

FILTER_LENGTH_MAX = 500


def plan_with(facts: Facts, view: View | SeenView, query: Query) -> Plan:
    """The view's plan for a query; what only the registry knows narrows it where ``facts`` have it in columns."""
    columns = facts.columns() if query.reads_registry and looks_at_registry(query.filter) else None
    return plan_query(view, query) if columns is None else columns.plan(view, query.filter)


def beside_index(facts: Facts, view: View | SeenView) -> Callable[[Filter], BitMap | None]:
    """Gives the numbers of the clusters that match a clause on what the registry knows, where columns have it."""
    columns = facts.columns()

    def matching(clause: Filter) -> BitMap | None:
        return None if columns is None or not looks_at_registry(clause) else columns.matching(view, clause)

    return matching


def planned_query(facts: Facts, view: View | SeenView, query: Query) -> Plan:
    """As ``plan_with``."""
    return planned(lambda: plan_with(facts, view, query), view, query.filter, reads_registry=query.reads_registry)


def planned_aggregation(facts: Facts, view: View | SeenView, aggregation: Aggregation) -> Plan:
    """As ``planned_query``, for what the first stages of an aggregation let through."""
    query = Query(filter=aggregation.filter, reads_registry=aggregation.reads_registry)
    return planned_query(facts, view, query)


def planned(plan: Callable[[], Plan], view: View | SeenView, filter: Filter, *, reads_registry: bool = False) -> Plan:
    """What ``plan`` gives for a filter."""
    steps = STEPS.get()
    if steps is None:
        return plan()
    begun_ns = time_ns()
    made = plan()
    ended_ns = time_ns()
    documents = len(view.numbers) if view.numbers is not None else len(view.select(None))
    candidates = documents if made.candidates is None else len(made.candidates)
    summary = summary_of(made, candidates, documents, reads_registry=reads_registry)
    steps.add("plan", (begun_ns, ended_ns), plan=summary, filter=words_of(filter), exact=made.exact)
    return made


def words_of(filter: Filter) -> str:
    """A filter in words, as ``POST /clusters/explain`` has its clauses; a long one is cut."""
    clauses = filter.clauses if isinstance(filter, All) and filter.clauses else (filter,)
    text = " and ".join(map(words_of_clause, clauses))
    return text if len(text) <= FILTER_LENGTH_MAX else text[: FILTER_LENGTH_MAX - 3] + "..."
