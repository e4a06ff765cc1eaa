"""A JSON array read as it arrives, so that an answer of any size passes through little memory.

Theory: the standard decoder takes one value off the front of a text and says where it ended. A value that has not
arrived whole fails to decode, and is tried again once the text has doubled, so the work stays linear. Elements are
objects or arrays, whose end shows: a part of one never passes for the whole.
"""

from collections.abc import Iterable, Iterator
from json import JSONDecoder
from typing import Any

from rollbook.errors import RegistryUnreachable

SPACE = " \t\r\n"
DECODER = JSONDecoder()


def elements(pieces: Iterable[str]) -> Iterator[Any]:
    """The elements of the array of objects whose text arrives in ``pieces``.

    Fails (RegistryUnreachable) when the text is no array, or ends before the array does.
    """
    arriving = iter(pieces)
    text = _opened(arriving)
    while not text.startswith("]"):
        try:
            element, end = DECODER.raw_decode(text)
        except ValueError:
            text = (text + _more(arriving, length_min=len(text))).lstrip(SPACE + ",")
        else:
            yield element
            text = text[end:].lstrip(SPACE + ",")


def _opened(arriving: Iterator[str]) -> str:
    text = ""
    while not text:
        text = _more(arriving).lstrip(SPACE)
    if text[0] != "[":
        raise RegistryUnreachable(f"the answer is no JSON array; it begins with {text[:40]!r}")
    return text[1:].lstrip(SPACE)


def _more(arriving: Iterator[str], *, length_min: int = 0) -> str:
    pieces: list[str] = []
    length = 0
    for piece in arriving:
        pieces.append(piece)
        length += len(piece)
        if length > length_min:
            break
    if not length:
        raise RegistryUnreachable("the answer ends in the middle of a JSON array")
    return "".join(pieces)
