"""From PCRE's syntax to RE2's, with the same meaning.

Theory: the pattern is read once, left to right, and each item is written as RE2 spells it. ``^``, ``$`` and ``.`` are
written for the flags that hold where they stand, so that RE2 gets only the flag ``i``; white space of option ``x`` is
left out; ``U`` turns every quantifier round. Two things RE2 can't say are left to ``patterns``, which is given them:
``$`` and ``\\Z`` also match before a newline that ends the text (``before_last_newline``), and ``^`` under ``m`` does
not match after it (``at_line_starts``). On the way, the longest text that every match must contain is collected
(``required``).
"""

from msgspec import Struct, field

from rollbook.language.regular_expressions.brackets import read_bracket
from rollbook.language.regular_expressions.characters import (
    ESCAPES,
    UNICODE_ESCAPES,
    quoted,
)
from rollbook.language.regular_expressions.escapes import take_escaped_character, take_property
from rollbook.language.regular_expressions.groups import (
    FLAG_LETTERS,
    Flags,
    plain_atomic_group,
    read_flags,
    read_group_name,
    refused_group,
)
from rollbook.language.regular_expressions.reading import LINEAR_TIME, Reader
from rollbook.language.regular_expressions.verbs import CUTS, NOTHING, take_leading_verb, take_verb

REPEAT_MAX = 1000
EXTENDED_WHITESPACE = frozenset(" \t\n\x0b\x0c\r\x85\u200e\u200f\u2028\u2029")
DIGITS = frozenset("0123456789")


class Translation(Struct, frozen=True):
    """A pattern as RE2 reads it, and what RE2 can't say (see the module's docstring)."""

    pattern: str
    required: str
    before_last_newline: bool
    at_line_starts: bool


def translate(pattern: str, options: str = "") -> Translation:
    """The pattern as RE2 reads it; refuses (LanguageRefused) what is invalid, and what RE2 can't do."""
    translator = _Translator(Reader(pattern), frozenset(options) & FLAG_LETTERS)
    translator.run()
    return Translation(
        "".join(translator.written),
        translator.required(),
        translator.before_last_newline,
        translator.at_line_starts,
    )


class _Translator(Struct):
    reader: Reader
    flags: Flags
    written: list[str] = field(default_factory=list)
    outer_flags: list[Flags] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    runs: list[str] = field(default_factory=lambda: [""])
    last_literal: str = ""
    alternatives: bool = False
    before_last_newline: bool = False
    at_line_starts: bool = False
    unicode_classes: bool = False
    cut: bool = False
    accepted_at: int | None = None

    def run(self) -> None:
        self._leading_verbs()
        if "i" in self.flags:
            self.written.append("(?i)")
        while not self.reader.at_end():
            self._item()
        if self.outer_flags:
            raise self.reader.invalid("a group is not closed")
        if self.cut and self.alternatives:
            raise self.reader.unsupported("a verb that cuts off alternatives")
        self._end_alternative()

    def required(self) -> str:
        return "" if self.alternatives else max(self.runs, key=len)

    def _leading_verbs(self) -> None:
        while (verb := take_leading_verb(self.reader)) is not None:
            self.unicode_classes = self.unicode_classes or verb == "UCP"
            self.cut = self.cut or verb in CUTS

    def _verb(self) -> None:
        verb = take_verb(self.reader)
        if verb == "ACCEPT" and self.outer_flags:
            raise self.reader.unsupported("the verb (*ACCEPT) in a group")
        if verb == "ACCEPT" and self.accepted_at is None:
            self.accepted_at = len(self.written)
        self._write(NOTHING if verb in ("FAIL", "F") else "")

    def _end_alternative(self) -> None:
        """After ``(*ACCEPT)`` nothing of its alternative counts any more."""
        if self.accepted_at is not None:
            del self.written[self.accepted_at :]
            self.accepted_at, self.alternatives = None, True

    def _item(self) -> None:
        character = self.reader.take()
        match character:
            case "\\":
                self._escape()
            case "[":
                bracket = read_bracket(self.reader, ignore_case="i" in self.flags, unicode_classes=self.unicode_classes)
                self._write(bracket)
            case "(":
                self._open()
            case ")":
                self._close()
            case "|":
                self._alternative()
            case "^":
                self._line_start()
            case "$":
                self._end()
            case ".":
                self._write(r"(?s:.)" if "s" in self.flags else r"[^\n]")
            case "*" | "+" | "?":
                self._quantify(character, optional=character != "+")
            case "{":
                self._braces()
            case _:
                self._character(character)

    def _alternative(self) -> None:
        if not self.outer_flags:
            self._end_alternative()
            self.alternatives = True
        self._write("|")

    def _character(self, character: str) -> None:
        if "x" not in self.flags or (character not in EXTENDED_WHITESPACE and character != "#"):
            self._literal(character)
        elif character == "#":
            while not self.reader.at_end() and self.reader.take() != "\n":
                pass

    def _literal(self, character: str) -> None:
        self.written.append(quoted(character))
        self.last_literal = character
        if "i" in self.flags or self.outer_flags:
            self.runs.append("")
        else:
            self.runs[-1] += character

    def _write(self, text: str) -> None:
        self.written.append(text)
        self.last_literal = ""
        self.runs.append("")

    def _line_start(self) -> None:
        self.at_line_starts = self.at_line_starts or "m" in self.flags
        self._write("(?m:^)" if "m" in self.flags else r"\A")

    def _end(self) -> None:
        if "m" in self.flags:
            self._write("(?m:$)")
        else:
            self.before_last_newline = True
            self._write(r"\z")

    def _escape(self) -> None:
        letter = self.reader.peek()
        if letter == "Q":
            self.reader.take()
            quotation = self.reader.peek_until(r"\E")
            for character in self.reader.pattern[self.reader.position :] if quotation is None else quotation:
                self._literal(character)
            self.reader.position += len(self.reader.pattern) if quotation is None else len(quotation) + 2
        elif letter == "E":
            self.reader.take()
        elif letter in ESCAPES:
            self.reader.take()
            self._write_class(f"[{self._class_of(letter)}]")
        elif letter in ("p", "P"):
            _, _, written = take_property(self.reader)
            self._write_class(written if written.startswith("[") else f"[{written}]")
        elif letter and letter in "AzZbBGKXRC":
            self._assertion(self.reader.take())
        else:
            self._literal(take_escaped_character(self.reader, in_bracket=False))

    def _write_class(self, text: str) -> None:
        """To PCRE, a class has the same characters when case is ignored; RE2 adds those that differ by case only."""
        self._write(f"(?-i:{text})" if "i" in self.flags else text)

    def _class_of(self, letter: str) -> str:
        if not self.unicode_classes or letter not in "dDwWsS":
            return ESCAPES[letter]
        return UNICODE_ESCAPES[letter] if letter.islower() else f"^{UNICODE_ESCAPES[letter.lower()]}"

    def _assertion(self, letter: str) -> None:
        if letter in "bB" and self.unicode_classes:
            raise self.reader.unsupported(rf"\{letter} under (*UCP)", "the engine's word boundaries are ASCII's")
        if letter == "Z":
            self.before_last_newline = True
        if letter in "GKXRC":
            raise self.reader.unsupported(rf"\{letter}")
        self._write(r"\z" if letter == "Z" else f"\\{letter}")

    def _open(self) -> None:
        reader = self.reader
        if reader.skip("*"):
            self._verb()
        elif not reader.skip("?"):
            self._push("(?:" if "n" in self.flags else "(")
        elif reader.skip("#"):
            reader.take_until(")")
        elif plain_atomic_group(reader):
            reader.skip(">")
            self._push("(?:")
        elif (name := read_group_name(reader)) is not None:
            if name in self.names:
                raise reader.invalid(f"two groups are named {name}")
            self.names.add(name)
            self._push(f"(?P<{name}>")
        elif (refused := refused_group(reader)) is not None:
            raise reader.unsupported(refused)
        else:
            self._flags_group()

    def _flags_group(self) -> None:
        flags = read_flags(self.reader, self.flags)
        case = "" if ("i" in flags) == ("i" in self.flags) else "i" if "i" in flags else "-i"
        if self.reader.skip(":"):
            self._push(f"(?{case}:")
        elif not self.reader.skip(")"):
            raise self.reader.invalid("a group's flags are not closed")
        else:
            self._write(f"(?{case})" if case else "")
        self.flags = flags

    def _push(self, opening: str) -> None:
        self._write(opening)
        self.outer_flags.append(self.flags)

    def _close(self) -> None:
        if not self.outer_flags:
            raise self.reader.invalid("a closing parenthesis has no opening one")
        self.flags = self.outer_flags.pop()
        self._write(")")

    def _braces(self) -> None:
        start = self.reader.position
        low = self._digits()
        comma = "," if self.reader.skip(",") else ""
        high = self._digits() if comma else ""
        if not low or not self.reader.skip("}"):
            self.reader.position = start
            self._literal("{")
            return
        if any(len(number) > 4 or int(number or 0) > REPEAT_MAX for number in (low, high)):
            raise self.reader.unsupported(f"a repetition of more than {REPEAT_MAX} times", "the engine has this limit")
        self._quantify(f"{{{low}{comma}{high}}}", optional=low == "0")

    def _digits(self) -> str:
        """The digits of a number, as RE2 takes them: without zeros before it."""
        digits = self.reader.take_while(DIGITS, len(self.reader.pattern))
        return digits.lstrip("0") or digits[:1]

    def _quantify(self, quantifier: str, *, optional: bool) -> None:
        if optional:
            self.runs[-1] = self.runs[-1][:-1]
        repeated = self.last_literal
        self._write(quantifier)
        if self.reader.skip("+"):
            self._possessive(repeated)
        elif self.reader.skip("?") != ("U" in self.flags):
            self.written.append("?")

    def _possessive(self, repeated: str) -> None:
        """A possessive quantifier gives nothing back: the same as a greedy one where nothing could be given back."""
        rest = self.reader.pattern[self.reader.position :]
        another = rest[:1].isalnum() and rest[0].casefold() != repeated.casefold() and rest[1:2] not in ("*", "?", "{")
        at_end = rest in ("", "$") and repeated != "\n"
        if not repeated or not (another or at_end):
            raise self.reader.unsupported("a possessive quantifier", LINEAR_TIME)
