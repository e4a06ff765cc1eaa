"""A plan: the documents that a filter may match, and whether all of them do."""

from msgspec import Struct
from pyroaring import BitMap

from rollbook.view.index.postings import EMPTY
from rollbook.view.planning.answers import Answer


class Plan(Struct, frozen=True):
    """Candidates are document numbers; None means every document.

    No document outside the candidates matches. Those in ``certain`` do; about the others the predicate decides. When
    ``exact``, every candidate matches.
    """

    candidates: BitMap | None = None
    exact: bool = False
    certain: BitMap = EMPTY


def plan_of(answer: Answer, live: BitMap) -> Plan:
    """The plan that an answer among the documents ``live`` amounts to. Its bitmaps stay as they are."""
    candidates = None if len(answer.possible) == len(live) else answer.possible.copy()
    return Plan(candidates, answer.exact, EMPTY if answer.exact else answer.certain.copy())
