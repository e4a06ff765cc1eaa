"""How a query is answered, in one sentence."""

from rollbook.view.planning.plans import Plan


def summary_of(plan: Plan, candidates: int, documents: int, *, reads_registry: bool) -> str:
    """What the plan leaves to be looked at."""
    if not candidates:
        return f"the indexes leave none of {documents} documents: nothing matches"
    is_narrowed = candidates < documents
    if reads_registry and not is_narrowed and not plan.exact:
        return f"all {documents} documents are looked at: what the registry knows about them is not indexed"
    if not is_narrowed and not plan.exact:
        return f"all {documents} documents are looked at: the indexes do not narrow this filter"
    certainty = "every one of them matches" if plan.exact else "each of them is looked at"
    return f"the indexes leave {candidates} of {documents} documents; {certainty}"
