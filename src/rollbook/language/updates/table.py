"""All the operators of updates that change one value, family by family. ``$rename`` moves one, and stands apart."""

from collections.abc import Mapping
from typing import Final

from rollbook.language.updates import arithmetic, arrays, bitwise, fields, pushing
from rollbook.language.updates.operators import Operator

FAMILIES: Final = (fields, arithmetic, bitwise, arrays, pushing)

OPERATORS: Final[Mapping[str, Operator]] = {
    operator.name: operator for family in FAMILIES for operator in family.OPERATORS
}
