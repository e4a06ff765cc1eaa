"""Which numbers the elements of each document have.

Theory: elements that came together are numbered in a row, so for most documents the first number and how many they are
say it all: eight bytes. Where an array changed its length, or took numbers that others gave up, they are listed.
"""

from array import array
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from pyroaring import BitMap

from rollbook.view.index.postings import numbers_in

Numbers: TypeAlias = Sequence[int]


class Numbering:
    """By document, the numbers of its elements in their order. A document that has none need not be given."""

    __slots__ = ("_counts", "_firsts", "_listed")

    def __init__(self) -> None:
        self._firsts = array("I")
        self._counts = array("I")
        self._listed: dict[int, array[int]] = {}

    def get(self, document: int) -> Numbers:
        """The numbers of the document's elements."""
        if document in self._listed:
            return self._listed[document]
        if document >= len(self._counts):
            return ()
        first = self._firsts[document]
        return range(first, first + self._counts[document])

    def set(self, document: int, numbers: Numbers) -> None:
        """The document's elements have these numbers now; a ``range`` counts up by one."""
        if missing := max(document + 1 - len(self._counts), 0):
            self._firsts.frombytes(bytes(self._firsts.itemsize * missing))
            self._counts.frombytes(bytes(self._counts.itemsize * missing))
        if isinstance(numbers, range):
            self._listed.pop(document, None)
            self._firsts[document], self._counts[document] = numbers.start, len(numbers)
        else:
            self._listed[document], self._counts[document] = array("I", numbers), 0

    def replace(self, document: int, start: int, end: int, numbers: Sequence[int]) -> None:
        """Of the document's elements those from ``start`` to ``end`` give way to these."""
        known = self.get(document)
        if (
            isinstance(known, range)
            and start == end == len(known)
            and numbers == range(known.stop, known.stop + len(numbers))
        ):
            self.set(document, range(known.start, known.stop + len(numbers)))
        else:
            listed = known if isinstance(known, array) else array("I", known)
            self.set(document, listed[:start] + array("I", numbers) + listed[end:])

    def take(self, document: int) -> Numbers:
        """The numbers of the document's elements, of which it has none from now on."""
        numbers = self.get(document)
        self.set(document, range(0))
        return numbers

    def of_all(self, documents: BitMap) -> BitMap:
        """The numbers of the elements of all these documents."""
        rows = numbers_in(documents)
        rows = rows[rows < len(self._counts)]
        counts = np.frombuffer(self._counts, dtype=np.uint32)[rows].astype(np.int64)
        firsts = np.frombuffer(self._firsts, dtype=np.uint32)[rows].astype(np.int64)
        before = np.cumsum(counts) - counts
        numbers = np.repeat(firsts - before, counts) + np.arange(counts.sum(), dtype=np.int64)
        found = BitMap(array("I", numbers.astype(np.uint32).tobytes()))
        if len(self._listed) < len(documents):
            listed = [numbers for document, numbers in self._listed.items() if document in documents]
        else:
            listed = [self._listed[document] for document in documents if document in self._listed]
        found.update(*listed)
        return found

    def state(self) -> list[bytes]:
        """All of it, for ``restore``."""
        documents, counts, numbers = array("I"), array("I"), array("I")
        for document, listed in self._listed.items():
            documents.append(document)
            counts.append(len(listed))
            numbers.extend(listed)
        return [one.tobytes() for one in (self._firsts, self._counts, documents, counts, numbers)]

    def restore(self, *state: bytes) -> None:
        """Take over the state of another."""
        self._firsts, self._counts, documents, counts, numbers = (array("I", one) for one in state)
        start = 0
        for document, count in zip(documents, counts, strict=True):
            self._listed[document] = numbers[start : start + count]
            start += count
