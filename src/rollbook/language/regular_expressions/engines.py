"""Compiled engines (RE2), each with its price, and the few that stay compiled.

Theory: RE2 mostly takes about a nanosecond for each byte of the text. Where the states of a pattern do not fit in its
memory it follows every thread of its program instead, and takes as long as the program has steps for each byte. Nothing
can interrupt a search, so a search asks first what it may cost (``seconds_per_byte``).

Compiling can't be interrupted either, and mostly takes a millisecond for each thousand steps. Three kinds of pattern
take far longer, up to a second in 32 KB, before RE2 finds that they are too large; they are refused before.

One rule: the engines that stay compiled have a bounded number of steps together, for each step takes memory.
"""

import re
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Any, Generic, TypeVar

import re2
from msgspec import Struct

from rollbook.errors import LanguageRefused
from rollbook.language.regular_expressions.reading import INVALID_PATTERN

ENGINE_MEMORY_BYTES = 1 << 20
UNICODE_CLASSES_MAX = 500
OPTIONAL_PARTS_MAX = 8_000
REPETITIONS_MAX = 100_000
KEPT_MAX = 512
KEPT_STEPS_MAX = 400_000

SEARCH_SECONDS = 0.000_000_004
"""At most, for each byte of the text and step of the program."""

CAPTURE_SECONDS = 0.000_000_010
"""The same where the texts of groups are asked for."""


UNICODE_CLASS = re.compile(r"\\[pP]")
OPTIONAL = re.compile(r"(?<![(\\])\?")
REPETITION = re.compile(r"\{(\d+)(?:,(\d*))?\}")

Made = TypeVar("Made")


class Engine(Struct, frozen=True):
    """A compiled program of ``steps`` steps. ``search(text, begin, end)`` gives RE2's match, or None."""

    search: Callable[..., Any]
    steps: int
    seconds_per_byte: float


def compiled_engine(pattern: str, *, captures: bool) -> Engine:
    """The engine of a pattern in RE2's words; refuses (LanguageRefused) what RE2 does not take, or not in its memory,
    and what would take it long to compile.

    Without ``captures`` a match has no groups, and costs less.
    """
    check_cost(pattern)
    options = re2.Options()
    options.max_mem = ENGINE_MEMORY_BYTES
    options.log_errors = False
    options.never_capture = not captures
    try:
        compiled = re2.compile(pattern.encode(), options)
    except re2.error as error:
        reason = error.args[0].decode(errors="replace")
        raise LanguageRefused(f"the regular expression is invalid: {reason}", mongo_code=INVALID_PATTERN) from None
    finally:
        re2.purge()  # it would keep 128 of any size, besides those that are kept here
    steps: int = compiled.programsize
    return Engine(compiled.search, steps, steps * (CAPTURE_SECONDS if captures else SEARCH_SECONDS))


def check_cost(pattern: str) -> None:
    """Refuses (LanguageRefused) a pattern, in RE2's words, that has too much of what takes long to compile."""
    repetitions = sum(int(most or least) for least, most in REPETITION.findall(pattern))
    for count, count_max, kind in (
        (len(UNICODE_CLASS.findall(pattern)), UNICODE_CLASSES_MAX, "Unicode classes such as \\pL"),
        (len(OPTIONAL.findall(pattern)), OPTIONAL_PARTS_MAX, "optional parts such as a?"),
        (repetitions, REPETITIONS_MAX, "repetitions, each {n} counted n times"),
    ):
        if count > count_max:
            raise LanguageRefused(
                f"the regular expression is too costly to compile: it has {count} {kind}; the most is {count_max}",
                mongo_code=INVALID_PATTERN,
            )


class RecentlyCompiled(Generic[Made]):
    """What was compiled last, by key: at most KEPT_MAX, with KEPT_STEPS_MAX steps together. Safe for threads."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, ...], tuple[Made, int]] = OrderedDict()
        self._used: set[tuple[str, ...]] = set()
        self._steps = 0
        self._lock = Lock()

    def get(self, key: tuple[str, ...]) -> Made | None:
        """What was kept under ``key``, or None."""
        with self._lock:
            kept = self._kept.get(key)
            if kept is None:
                return None
            self._kept.move_to_end(key)
            self._used.add(key)
            return kept[0]

    def keep(self, key: tuple[str, ...], made: Made, steps: int) -> None:
        """Keep what was made, of ``steps`` steps, in place of what was least recently used."""
        with self._lock:
            if key in self._kept:
                return
            self._kept[key] = (made, steps)
            self._used.add(key)
            self._steps += steps
            while len(self._kept) > KEPT_MAX or (self._steps > KEPT_STEPS_MAX and len(self._kept) > 1):
                _, (_, steps_gone) = self._kept.popitem(last=False)
                self._steps -= steps_gone

    def forget_unused(self) -> None:
        """Give up what was neither kept nor found since this was last called."""
        with self._lock:
            for key in self._kept.keys() - self._used:
                _, steps_gone = self._kept.pop(key)
                self._steps -= steps_gone
            self._used.clear()
