"""What it may cost to look at one document: a rough figure, to tell cheap filters from all others.

One rule: what is called cheap is cheap for every document.
"""

from rollbook.language.filters.nodes import All, Any, Computed, ElemMatch, Field, Filter, JsonSchema, Not

CHEAP_COST_MAX = 50
UNBOUNDED_COST = 1_000_000
OPERANDS_PER_CLAUSE = 32


def is_cheap(filter: Filter) -> bool:
    """Whether the filter has few clauses, and no expression, schema or pattern, of which one document can cost much."""
    return cost_of(filter) <= CHEAP_COST_MAX


def cost_of(filter: Filter) -> int:
    """The cost, in clauses that compare a field."""
    match filter:
        case Computed() | JsonSchema() | Field(operator="$regex"):
            return UNBOUNDED_COST
        case Field(operand=list() as operands):
            return 1 + len(operands) // OPERANDS_PER_CLAUSE
        case Not(clause) | ElemMatch(clause=clause):
            return 1 + cost_of(clause)
        case All(clauses) | Any(clauses):
            return sum(map(cost_of, clauses))
    return 1
