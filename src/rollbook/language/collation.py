"""Collations: which texts are one and the same, and which comes first, where case and accents do not count.

Theory: a text is compared by a key, a text itself, so that keys compare by code point. Strength 1 keeps base letters
only: the text is decomposed (NFKD), its case folded, its accents dropped. Strength 2 appends the accents, in the order
of their letters: they decide where the base letters are the same. The order is that of the Unicode collation for ASCII:
white space, punctuation, symbols, digits, letters. Other symbols come before the digits, other letters after ``z``.

One rule: a value is compared by its ``fold``, in which every text is its key; what is returned is never folded.
"""

import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from msgspec import Struct

from rollbook.documents.codec import shortened
from rollbook.documents.values import Maybe, Value
from rollbook.errors import LanguageRefused, below

LOCALE = "en"
STRENGTHS = (1, 2)
KEYS = ("locale", "strength")
CACHED_LENGTH_MAX = 128
CACHED_KEYS = 16_384

FAILED_TO_PARSE, BAD_VALUE, UNKNOWN_FIELD = 9, 2, 40415

PUNCTUATION = "\t\n\x0b\x0c\r\x85 _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$"
STROKES = {"ø": "o\u0338", "đ": "d\u0335", "ł": "l\u0335", "æ": "a\u0336e", "œ": "o\u0336e"}
"""Letters that Unicode does not decompose, and that are a base letter with an accent all the same."""

OTHER_SYMBOLS, DIGITS, LETTERS = 0x40, 0x50, 0x60
"""Where these begin in keys; before them are the characters of ``PUNCTUATION``, after them all other letters."""
LEVEL = "\0"
NO_ACCENT = "\1"


class Collation(Struct, frozen=True):
    """A way to compare texts. ``strength`` 1 distinguishes base letters, 2 accents too; neither distinguishes case."""

    strength: int

    def key(self, text: str) -> str:
        """What is compared in place of a text."""
        return _cached_key(text, self.strength) if len(text) <= CACHED_LENGTH_MAX else _key(text, self.strength)

    def fold(self, value: Maybe) -> Maybe:
        """The value with every text in it replaced by its key; names of fields stay."""
        if value.__class__ is str:
            return self.key(value)
        if isinstance(value, list):
            return [self.fold(element) for element in value]  # type: ignore[misc]
        if isinstance(value, dict):
            return {name: self.fold(member) for name, member in value.items()}  # type: ignore[misc]
        return value


def parse_collation(json: Value, *, at: str) -> Collation | None:
    """The collation that ``{"locale": "en", "strength": 1}`` asks for; None for null.

    Refuses (LanguageRefused) every other.
    """
    if json is None:
        return None
    if not isinstance(json, dict):
        raise LanguageRefused('a collation is an object: {"locale": "en", "strength": 1}', at=at, mongo_code=14)
    for name in json:
        if name not in KEYS:
            why = f"a collation has only 'locale' and 'strength' here, not {shortened(name)}"
            raise LanguageRefused(why, at=below(at, name), mongo_code=UNKNOWN_FIELD)
    locale, strength = json.get("locale"), json.get("strength")
    if locale != LOCALE:
        why = 'the locale of a collation can only be "en"; without a collation, texts are compared by code point'
        raise LanguageRefused(why, at=below(at, "locale"), mongo_code=BAD_VALUE)
    if isinstance(strength, bool) or strength not in STRENGTHS:
        why = (
            "the strength of a collation is 1 (neither case nor accents count) or 2 (case does not); "
            "without a collation, both count"
        )
        raise LanguageRefused(why, at=below(at, "strength"), mongo_code=BAD_VALUE)
    return Collation(int(strength))


def holds_text(value: Value) -> bool:
    """Whether there is a text in a value."""
    if isinstance(value, list):
        return any(map(holds_text, value))
    return any(map(holds_text, value.values())) if isinstance(value, dict) else isinstance(value, str)


class _Places(dict[int, str]):
    """The places of characters in keys, by code point, for ``str.translate``; accents and controls have none."""

    def __missing__(self, code: int) -> str:
        self[code] = place = _place(chr(code))
        return place


def _place(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Nd":
        return chr(DIGITS + unicodedata.digit(character))
    if category in ("Mn", "Cf", "Cc", "Cs"):
        return ""
    if category[0] in "ZPS":
        return chr(OTHER_SYMBOLS) + character
    return character


PLACES = _Places(
    {ord(character): chr(2 + place) for place, character in enumerate(PUNCTUATION)}
    | {ord(letter): chr(LETTERS + place) for place, letter in enumerate("abcdefghijklmnopqrstuvwxyz")}
)
STROKE_TABLE = str.maketrans(STROKES)


def _key(text: str, strength: int) -> str:
    if text.isascii():
        return text.lower().translate(PLACES)
    letters = _decomposed(_decomposed(text).casefold().translate(STROKE_TABLE))
    base = letters.translate(PLACES)
    accents = "" if strength == 1 else "".join(_accents(letters))
    return f"{base}{LEVEL}{accents}" if accents.strip(NO_ACCENT) else base


def _accents(letters: str) -> Iterable[str]:
    for letter in letters:
        if unicodedata.category(letter) == "Mn":
            yield letter
        elif PLACES[ord(letter)]:
            yield NO_ACCENT


def _decomposed(text: str) -> str:
    return unicodedata.normalize("NFKD", text)


_cached_key = lru_cache(CACHED_KEYS)(_key)
