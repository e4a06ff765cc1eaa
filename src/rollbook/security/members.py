"""Members of an object that a request brings, as numbers.

One rule: what is absent or null is None; anything else that is no such number is refused with its place.
"""

from rollbook.documents.values import Document
from rollbook.errors import RequestRefused, below


def number_in(body: Document, name: str, *, least: float, most: int, at: str = "") -> float | None:
    """The number at a member, from ``least`` to ``most``."""
    number = body.get(name)
    if number is None:
        return None
    if isinstance(number, bool) or not isinstance(number, int | float) or not least <= number <= most:
        raise RequestRefused(f"'{name}' must be a number from {least:g} to {most}", at=below(at, name))
    return number


def integer_in(body: Document, name: str, *, most: int, at: str = "") -> int | None:
    """The integer at a member, from 0 to ``most``."""
    number = body.get(name)
    if number is None:
        return None
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= most:
        raise RequestRefused(f"'{name}' must be an integer from 0 to {most}", at=below(at, name))
    return number
