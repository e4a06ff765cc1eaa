"""Every operator of filters by name, gathered from the families' tables. What stands here is the reference."""

from rollbook.language.filters import array, bitwise, comparison, element, evaluation, logical
from rollbook.language.filters.operators import FilterForm, Operator

OPERATORS: dict[str, Operator] = {
    row.name: row for family in (comparison, element, array, evaluation, bitwise) for row in family.OPERATORS
}
"""What a ``Field`` of the tree can hold."""

FORMS: dict[str, FilterForm] = {
    row.name: row for family in (comparison, logical, element, array, evaluation) for row in family.FORMS
}
"""What stands in an object of operators and makes more than a ``Field`` of itself; comes before ``OPERATORS``."""

TOP_FORMS: dict[str, FilterForm] = {row.name: row for family in (logical, evaluation) for row in family.TOP_FORMS}
"""What stands beside fields."""
