"""A plan: the documents that a filter may match, and whether all of them do."""

from dataclasses import dataclass, field

from pyroaring import BitMap


@dataclass(frozen=True, slots=True)
class Plan:
    """Candidates are document numbers; None means every document.

    No document outside the candidates matches. When ``exact``, every candidate does; else the predicate decides.
    """

    candidates: BitMap | None = None
    exact: bool = False
    explanation: tuple[str, ...] = field(default=())
