"""Every operator of the language of expressions, by name: the families' tables, merged."""

from rollbook.language.expressions import comparison
from rollbook.language.expressions.operators import Operator

FAMILIES: tuple[tuple[Operator, ...], ...] = (comparison.OPERATORS,)

OPERATORS: dict[str, Operator] = {operator.name: operator for family in FAMILIES for operator in family}
