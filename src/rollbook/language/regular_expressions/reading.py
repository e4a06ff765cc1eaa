"""Reading a pattern character by character: escapes, properties, and the two ways to refuse.

One rule: whatever is read as a character comes out as that character, unescaped; its writer escapes it for RE2.
"""

from itertools import takewhile

from msgspec import Struct

from rollbook.errors import LanguageRefused
from rollbook.language.regular_expressions.characters import CONTROL_ESCAPES, LAST_CODE_POINT, PROPERTIES

INVALID_PATTERN = 51091
HEX_DIGITS = frozenset("0123456789abcdefABCDEF")
OCTAL_DIGITS = frozenset("01234567")
BACK_REFERENCE = "a back-reference"
LINEAR_TIME = "regular expressions here run in time linear in the text, and that excludes it"


class Reader(Struct):
    """A pattern and how far it has been read."""

    pattern: str
    position: int = 0

    def at_end(self) -> bool:
        return self.position >= len(self.pattern)

    def peek(self) -> str:
        """The next character, or nothing at the end."""
        return self.pattern[self.position : self.position + 1]

    def take(self) -> str:
        """The next character; refuses at the end."""
        if self.at_end():
            raise self.invalid("it ends too early")
        self.position += 1
        return self.pattern[self.position - 1]

    def follows(self, text: str) -> bool:
        return self.pattern.startswith(text, self.position)

    def skip(self, text: str) -> bool:
        """Whether ``text`` came next; it is read then."""
        found = self.follows(text)
        self.position += len(text) * found
        return found

    def take_while(self, characters: frozenset[str], at_most: int) -> str:
        start = self.position
        while self.position < start + at_most and self.peek() in characters and not self.at_end():
            self.position += 1
        return self.pattern[start : self.position]

    def peek_until(self, end: str) -> str | None:
        """What stands before ``end``, or None when it does not come."""
        found = self.pattern.find(end, self.position)
        return None if found < 0 else self.pattern[self.position : found]

    def take_until(self, end: str) -> str:
        """What stands before ``end``; both are read. Refuses when it does not come."""
        text = self.peek_until(end)
        if text is None:
            raise self.invalid(f"{end} is missing")
        self.position += len(text) + len(end)
        return text

    def take_property(self) -> tuple[str, bool, str]:
        """Name, whether negated, and RE2's words (fit for a bracket, unless negated and longer) of ``p{...}``."""
        negated = self.take() == "P"
        name = self.take_until("}") if self.skip("{") else self.take()
        if name.startswith("^"):
            name, negated = name[1:], not negated
        if name in PROPERTIES:
            return name, negated, PROPERTIES[name] if not negated else f"[^{PROPERTIES[name]}]"
        return name, negated, rf"\{'P' if negated else 'p'}{{{name}}}"

    def take_escaped_character(self, *, in_bracket: bool) -> str:
        """The character that an escape stands for; its backslash has been read."""
        letter = self.take()
        if not (letter.isascii() and letter.isalnum()):
            return letter
        if letter in CONTROL_ESCAPES:
            return CONTROL_ESCAPES[letter]
        if letter == "x":
            return self._hexadecimal()
        if letter == "o" and self.skip("{"):
            return self._character(self.take_until("}"), 8)
        if letter == "c" and self.peek().isascii() and not self.at_end():
            return chr(ord(self.take().upper()) ^ 0x40)
        if letter == "0" or (in_bracket and letter in OCTAL_DIGITS):
            return self._character(letter + self.take_while(OCTAL_DIGITS, 2), 8)
        if letter in "gk" or (letter.isdigit() and self._refers_to_a_group()):
            raise self.unsupported(BACK_REFERENCE)
        if letter in OCTAL_DIGITS:
            return self._character(letter + self.take_while(OCTAL_DIGITS, 2), 8)
        raise self.invalid(f"the escape \\{letter} is not known")

    def _refers_to_a_group(self) -> bool:
        """Whether the escaped number whose first digit was read is a group's: else, from 10 on, it is octal."""
        digits = self.pattern[self.position - 1 : self.position + 2]
        number = int("".join(takewhile(str.isdecimal, digits)))
        return number < 10 or number <= self.pattern.count("(") or digits[0] in "89"

    def _hexadecimal(self) -> str:
        if self.skip("{"):
            return self._character(self.take_until("}"), 16)
        return self._character(self.take_while(HEX_DIGITS, 2) or "0", 16)

    def _character(self, digits: str, radix: int) -> str:
        allowed = HEX_DIGITS if radix == 16 else OCTAL_DIGITS
        if not digits or not allowed.issuperset(digits):
            raise self.invalid(f"{digits!r} is no number of a character")
        code = int(digits, radix)
        if code > LAST_CODE_POINT or 0xD800 <= code <= 0xDFFF:
            raise self.invalid(f"there is no character {digits}")
        return chr(code)

    def invalid(self, problem: str, *, position: int | None = None) -> LanguageRefused:
        """The refusal of what is no regular expression in MongoDB either."""
        at = self.position if position is None else position
        return LanguageRefused(
            f"the regular expression is invalid: {problem} (near character {at})", mongo_code=INVALID_PATTERN
        )

    def unsupported(self, construct: str, reason: str = LINEAR_TIME) -> LanguageRefused:
        """The refusal of what MongoDB can do and this engine can't."""
        return LanguageRefused(
            f"the regular expression uses {construct} (near character {self.position}), not supported: {reason}",
            mongo_code=INVALID_PATTERN,
        )
