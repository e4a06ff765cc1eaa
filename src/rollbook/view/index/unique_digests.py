"""Digests that one document alone has, in sorted arrays: twelve bytes for each, where a dict would take a hundred.

Theory: the strings of which only digests are keys are mostly unique, so a registry has millions of them, asked for by
equality alone. A digest is as good as random: its first byte parts them evenly, and a part is found and changed with a
binary search.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterator

from rollbook.view.index.keys import DIGEST_BYTES


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
