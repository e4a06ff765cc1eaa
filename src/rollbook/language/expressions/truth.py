"""What an expression counts as true: everything but ``false``, ``null``, nothing at all, and zero."""

from rollbook.documents.values import MISSING, Maybe


def is_true(value: Maybe) -> bool:
    """Whether ``value`` counts as true: ``""``, ``[]`` and ``{}`` do."""
    if value is True:
        return True
    if value is False or value is None or value is MISSING:
        return False
    return not isinstance(value, (int, float)) or value != 0
