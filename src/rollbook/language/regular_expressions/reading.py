"""Reading a pattern character by character, and the two ways to refuse it."""

from msgspec import Struct

from rollbook.errors import LanguageRefused

INVALID_PATTERN = 51091
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
