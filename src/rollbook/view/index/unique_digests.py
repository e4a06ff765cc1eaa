"""Digests that one document alone has, in sorted arrays: twelve bytes for each, where a dict would take a hundred.

Theory: the strings of which only digests are keys are mostly unique, so a registry has millions of them, asked for by
equality alone. A digest is as good as random: its first byte parts them evenly, and a part is found and changed with a
binary search.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping

import numpy as np

from rollbook.view.index.keys import DIGEST_BYTES

TOGETHER_MIN = 4_096
"""From this number on, digests are merged part by part; fewer are added one by one."""
BYTE_MAX = 255


class _Part:
    """The digests with one first byte, ascending, and beside each the number of its document."""

    __slots__ = ("digests", "numbers")

    def __init__(self, digests: "array[int]", numbers: "array[int]") -> None:
        self.digests = digests
        self.numbers = numbers

    def place_of(self, digest: bytes) -> int | None:
        """Where the digest is; None when it is not there."""
        wanted = int.from_bytes(digest, "big")
        place = bisect_left(self.digests, wanted)
        return place if place < len(self.digests) and self.digests[place] == wanted else None


class UniqueDigests:
    """By digest, the number of the one document that has it."""

    __slots__ = ("_parts",)

    def __init__(self) -> None:
        self._parts: dict[int, _Part] = {}

    def __iter__(self) -> Iterator[bytes]:
        for part in self._parts.values():
            for digest in part.digests:
                yield digest.to_bytes(DIGEST_BYTES, "big")

    def get(self, digest: bytes) -> int | None:
        """The document of a digest; None when it is not there."""
        if (part := self._parts.get(digest[0])) is None:
            return None
        place = part.place_of(digest)
        return None if place is None else part.numbers[place]

    def add(self, digest: bytes, number: int) -> None:
        """Document ``number`` has a digest that nobody had."""
        if (part := self._parts.get(digest[0])) is None:
            part = self._parts[digest[0]] = _Part(array("Q"), array("I"))
        its_own = int.from_bytes(digest, "big")
        place = bisect_left(part.digests, its_own)
        part.digests.insert(place, its_own)
        part.numbers.insert(place, number)

    def add_new(self, numbers: Mapping[bytes, int], *, together_min: int = TOGETHER_MIN) -> list[tuple[bytes, int]]:
        """Add those of the digests that nobody had, each with its document; returns the others."""
        if len(numbers) < together_min:
            return [(digest, number) for digest, number in numbers.items() if not self._add_new(digest, number)]
        known: list[tuple[bytes, int]] = []
        ordered = sorted(numbers)
        end = 0
        while end < len(ordered):
            start, first = end, ordered[end][0]
            end = bisect_left(ordered, bytes([first + 1]), lo=start) if first < BYTE_MAX else len(ordered)
            known += self._merge(first, ordered[start:end], numbers)
        return known

    def _add_new(self, digest: bytes, number: int) -> bool:
        if self.get(digest) is not None:
            return False
        self.add(digest, number)
        return True

    def _merge(self, first: int, digests: list[bytes], numbers: Mapping[bytes, int]) -> list[tuple[bytes, int]]:
        """As ``add_new``, for digests that have their first byte in common, ascending."""
        part = self._parts.setdefault(first, _Part(array("Q"), array("I")))
        old = np.frombuffer(part.digests, dtype=np.uint64)
        new = np.array([int.from_bytes(digest, "big") for digest in digests], dtype=np.uint64)
        places = np.searchsorted(old, new)
        inside = places < len(old)
        is_known = np.zeros(len(new), dtype=np.bool_)
        is_known[inside] = old[places[inside]] == new[inside]
        came = np.array([numbers[digest] for digest in digests], dtype=np.uint32)[~is_known]
        all_digests = np.insert(old, places[~is_known], new[~is_known])
        all_numbers = np.insert(np.frombuffer(part.numbers, dtype=np.uint32), places[~is_known], came)
        self._parts[first] = _Part(array("Q", all_digests.tobytes()), array("I", all_numbers.tobytes()))
        return [(digests[place], numbers[digests[place]]) for place in np.flatnonzero(is_known)]

    def discard(self, digest: bytes) -> None:
        """Nobody has the digest any more, if one had it."""
        part = self._parts.get(digest[0])
        place = None if part is None else part.place_of(digest)
        if part is None or place is None:
            return
        del part.digests[place], part.numbers[place]
        if not part.digests:
            del self._parts[digest[0]]

    def state(self) -> list[list[bytes]]:
        """All of it, for ``restore``: the digests of each part, and the numbers."""
        return [[part.digests.tobytes(), part.numbers.tobytes()] for part in self._parts.values()]

    def restore(self, state: list[list[bytes]]) -> None:
        """Take over the state of others."""
        for digests, numbers in state:
            part = _Part(array("Q", digests), array("I", numbers))
            if len(part.digests) != len(part.numbers):
                raise ValueError("every digest has its number")
            self._parts[part.digests[0] >> 8 * (DIGEST_BYTES - 1)] = part
