"""What an index knows about a filter: which documents match for certain, and which are all that may.

Theory: an index that can't decide everything still decides something. An answer is a pair of bitmaps with

    certain <= the documents that match <= possible

and logic works on pairs: *and* and *or* side by side, *not* by changing sides. Where the two are equal, the answer is
exact; where not, only ``possible - certain`` must be looked at.

One rule: bitmaps in answers are read only. They may be the index's own.
"""

from collections.abc import Sequence

from msgspec import Struct
from pyroaring import BitMap

from rollbook.view.index.postings import EMPTY


class Answer(Struct, frozen=True):
    """See the module's docstring. An answer asked ``within`` some documents says nothing about others."""

    certain: BitMap
    possible: BitMap

    @property
    def exact(self) -> bool:
        """Whether nothing is left to look at."""
        return self.certain is self.possible or self.certain == self.possible

    def both(self, other: "Answer") -> "Answer":
        """The answer to *and*."""
        if self.certain is self.possible and other.certain is other.possible:
            return exactly(self.certain & other.certain)
        return Answer(self.certain & other.certain, self.possible & other.possible)

    def either(self, other: "Answer") -> "Answer":
        """The answer to *or*."""
        if self.certain is self.possible and other.certain is other.possible:
            return exactly(self.certain | other.certain)
        return Answer(self.certain | other.certain, self.possible | other.possible)

    def unsure_of(self, documents: BitMap) -> "Answer":
        """The same answer, where these documents may match or not."""
        return Answer(self.certain - documents, self.possible | documents) if documents else self

    def negated(self, within: BitMap) -> "Answer":
        """The answer to *not*, among the documents ``within``."""
        if self.certain is self.possible:
            return exactly(within - self.certain)
        return Answer(within - self.possible, within - self.certain)


def exactly(matching: BitMap) -> Answer:
    """The exact answer."""
    return Answer(matching, matching)


def at_most(possible: BitMap) -> Answer:
    """None for certain, and none but these."""
    return Answer(EMPTY, possible)


def any_of(answers: Sequence[Answer]) -> Answer:
    """The answer to *or* of many."""
    certain = BitMap.union(EMPTY, *[answer.certain for answer in answers])
    if all(answer.certain is answer.possible for answer in answers):
        return exactly(certain)
    return Answer(certain, BitMap.union(EMPTY, *[answer.possible for answer in answers]))


NONE = exactly(EMPTY)
