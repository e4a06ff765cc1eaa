"""Which keys a regular expression matches, looking at as few of them as possible.

Theory: a pattern that begins with a fixed text can only match keys that do, and they stand together in the order of
keys. Other patterns are searched in blocks of a thousand keys, each as one text; a pattern that is sure to need some
text is searched only in the blocks that hold its trigrams. Neighbours in the order of keys are alike, so most blocks
hold few trigrams, and most are passed over. Either way the engine is the one of the predicate.

One rule: making a block ready is no effort of the plan that happens to ask first, within a bound. It stays ready until
one of its keys changes, so the next plan goes on from there, and without it every document would have to be looked at.
"""

import re
import time
from collections.abc import Iterable, Iterator
from itertools import islice, takewhile

import numpy as np
from msgspec import Struct

from rollbook.language.regular_expressions.lines import Texts, as_lines, is_cheap_for_lines, texts_matching
from rollbook.view.index.ordered import OrderedKeys
from rollbook.view.index.trees import PathIndex
from rollbook.view.planning.planning_budgets import UNBOUNDED, PlanningBudget

BEGUN_AT_ONCE = 1024

TRIGRAM_BITS = 1 << 13
TRIGRAM_FACTORS = (0x9E3779B1, 0x85EBCA6B, 0xC2B2AE35)

_ANCHORED = re.compile(r"\^((?:[^\\^$.|?*+()\[\]{}]|\\[^\w\s])*)([?*{]?)", re.ASCII)
_UNCERTAIN = re.compile(r"[|()\[\]{}\\]")
_BETWEEN_TEXTS = re.compile(r".?[?*]|[.^$+]", re.DOTALL)


def keys_matching(
    pattern: str, options: str, node: PathIndex, *, effort: PlanningBudget = UNBOUNDED
) -> list[str] | None:
    """The keys of ``node`` that the pattern matches; None when looking for them takes more than ``effort``."""
    if not is_cheap_for_lines(pattern, options):
        return None
    texts = node.ordered_texts()
    if prefix := fixed_prefix(pattern, options):
        begun = takewhile(lambda text: text.startswith(prefix), texts.after(prefix, included=True))
        blocks: Iterable[Texts] = map(as_lines, iter(lambda: list(islice(begun, BEGUN_AT_ONCE)), []))
    else:
        ready = _blocks_ready(texts, effort)
        if ready is None:
            return None
        blocks = _with_trigrams(ready, trigrams_of(required_text(pattern, options).encode()))
    found: list[str] = []
    for block in blocks:
        for text in texts_matching(pattern, options, block):
            if text is not None:
                found.append(text)
            elif effort.spent():
                return None
    return found


def fixed_prefix(pattern: str, options: str) -> str:
    """The text with which everything that the pattern matches begins; empty when that is not plain to see."""
    anchored = _ANCHORED.match(pattern)
    if anchored is None or "|" in pattern or set(options) & {"i", "m", "x"}:
        return ""
    literal, quantifier = anchored.groups()
    characters = re.findall(r"\\?(.)", literal, re.DOTALL)
    return "".join(characters[:-1] if quantifier else characters)


def required_text(pattern: str, options: str) -> str:
    """The longest text that is in everything that the pattern matches; empty when that is not plain to see."""
    if set(options) & {"i", "x"} or _UNCERTAIN.search(pattern):
        return ""
    return max(_BETWEEN_TEXTS.split(pattern), key=len)


def trigrams_of(text: bytes) -> int:
    """A bit for each three bytes that follow each other; some trigrams share a bit."""
    codes = np.frombuffer(text, dtype=np.uint8).astype(np.uint32)
    first, second, third = (np.uint32(factor) for factor in TRIGRAM_FACTORS)
    hashes = codes[:-2] * first ^ codes[1:-1] * second ^ codes[2:] * third
    bits = np.zeros(TRIGRAM_BITS, dtype=np.bool_)
    bits[hashes >> np.uint32(32 - TRIGRAM_BITS.bit_length() + 1)] = True
    return int.from_bytes(np.packbits(bits).tobytes(), "little")


class _Block(Struct, frozen=True):
    texts: Texts
    trigrams: int


def _blocks_ready(texts: OrderedKeys[str], effort: PlanningBudget) -> list[_Block] | None:
    """All blocks; None when making them ready takes more than may be spent on it."""
    blocks, began, seconds = [], time.perf_counter(), 0.0
    for block in texts.derived(_ready):
        blocks.append(block)
        seconds = time.perf_counter() - began
        if seconds > effort.beside_left:
            break
    enough = seconds <= effort.beside_left
    effort.spent_beside(seconds)
    return blocks if enough else None


def _ready(texts: list[str]) -> _Block:
    block = as_lines(texts)
    return _Block(block, trigrams_of("\n".join(texts).encode() if block.lines is None else block.lines))


def _with_trigrams(blocks: Iterable[_Block], wanted: int) -> Iterator[Texts]:
    return (block.texts for block in blocks if block.trigrams & wanted == wanted)
