"""Which expressions are constant: what they give can be known, and refused, before there is a document."""

from rollbook.language.expressions.nodes import ArrayOf, Call, Constant, Expression, ObjectOf


def is_constant(expression: Expression) -> bool:
    """Whether ``expression`` gives the same in every scope, an empty one included."""
    match expression:
        case Constant():
            return True
        case Call(arguments=arguments):
            return expression.foldable and all(map(is_constant, arguments))
        case ArrayOf(elements):
            return all(map(is_constant, elements))
        case ObjectOf(members):
            return all(is_constant(member) for _, member in members)
    return False
