"""How a query is answered, in one sentence."""

from rollbook.registry.reading.requests import Query
from rollbook.view.planning.plans import Plan


def summary_of(query: Query, plan: Plan, candidates: int, documents: int) -> str:
    """What the plan leaves to be looked at."""
    if query.reads_registry and plan.candidates is None:
        return f"all {documents} documents are looked at: what the registry knows about them is not indexed"
    if plan.candidates is None and not plan.exact:
        return f"all {documents} documents are looked at: the indexes do not narrow this filter"
    certainty = "every one of them matches" if plan.exact else "each of them is looked at"
    return f"the indexes leave {candidates} of {documents} documents; {certainty}"
