"""Text that is a number: ``"5"`` is 5 and ``"1.5"`` is 1.5.

One rule: a decimal literal, with blanks around it at most, and finite; anything else is a text and stays one.
"""

import math
import re

from rollbook.documents.values import INT64_MAX, INT64_MIN

_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,5})?")
_INTEGER_LENGTH_MAX = 20


def number_in(text: str) -> int | float | None:
    """The number that ``text`` writes, as JSON would hold it; None when it writes none."""
    text = text.strip(" \t\r\n")
    if not _DECIMAL.fullmatch(text):
        return None
    if len(text) <= _INTEGER_LENGTH_MAX and text.lstrip("+-").isdigit():
        whole = int(text)
        if INT64_MIN <= whole <= INT64_MAX:
            return whole
    number = float(text)
    return number if math.isfinite(number) else None
