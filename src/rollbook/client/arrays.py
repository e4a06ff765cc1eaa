"""A JSON array read as it arrives, so that an answer of any size passes through little memory.

Theory: the standard decoder takes one value off the front of a text and says where it ended. A value that has not
arrived whole fails to decode, and is tried again once the text has doubled, so the work stays linear. Elements are
objects or arrays, whose end shows: a part of one never passes for the whole.

One rule: what is read is JSON to its end; whatever else stands between or behind the elements is refused.
"""

import codecs
import re
from collections.abc import Sequence
from json import JSONDecoder
from typing import Any, Literal

import msgspec

from rollbook.client.calls import Decoder
from rollbook.errors import RegistryUnreachable

SPACE = " \t\r\n"
SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def _refuse(constant: str) -> Any:
    raise RegistryUnreachable(f"the answer is not JSON: {constant} can't stand there")


JSON = JSONDecoder(parse_constant=_refuse)


class ArrayDecoder(Decoder[Any]):
    """The elements of one array of objects."""

    def __init__(self) -> None:
        self._utf8 = codecs.getincrementaldecoder("utf-8")()
        self._text = ""
        self._retry_length = 0
        self._state: Literal["start", "first", "next", "after", "end"] = "start"

    def feed(self, data: bytes) -> Sequence[Any]:
        try:
            self._text += self._utf8.decode(data)
        except UnicodeDecodeError:
            raise RegistryUnreachable("the answer is not UTF-8") from None
        return self._taken()

    def end(self) -> Sequence[Any]:
        self._retry_length = 0
        found = self._taken()
        if self._state != "end":
            raise RegistryUnreachable("the answer ends in the middle of a JSON array")
        return found

    def _taken(self) -> list[Any]:
        found: list[Any] = []
        while self._step(found):
            pass
        return found

    def _step(self, found: list[Any]) -> bool:
        """Take one sign or element off the text; whether there may be more."""
        self._text = text = self._text.lstrip(SPACE)
        if not text:
            return False
        match self._state, text[0]:
            case "start", "[":
                self._advance("first")
            case (("first" | "after"), "]"):
                self._advance("end")
            case "after", ",":
                self._advance("next")
            case (("first" | "next"), _):
                return self._element(found)
            case _:
                raise RegistryUnreachable(f"the answer is no JSON array: {text[:40]!r} can't stand there")
        return True

    def _advance(self, state: Literal["first", "next", "end"]) -> None:
        self._text, self._state = self._text[1:], state

    def _element(self, found: list[Any]) -> bool:
        if self._text[0] not in "[{":
            raise RegistryUnreachable(f"the answer holds what is no document: {self._text[:40]!r}")
        if len(self._text) < self._retry_length:
            return False
        try:
            element, end = JSON.raw_decode(self._text)
        except RecursionError:
            raise RegistryUnreachable("the answer holds a document that is nested too deeply") from None
        except ValueError:
            self._retry_length = len(self._text) * 2
            return False
        _check_surrogates(self._text[:end])
        found.append(element)
        self._text, self._retry_length, self._state = self._text[end:], 0, "after"
        return True


def _check_surrogates(text: str) -> None:
    """Refuses an escaped half of a character, which the standard decoder lets pass and nobody can encode again."""
    if SURROGATE.search(text):
        try:
            msgspec.json.decode(text)
        except (ValueError, RecursionError):
            raise RegistryUnreachable("the answer holds half a character, an unpaired surrogate") from None
