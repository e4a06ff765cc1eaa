"""Why clusters do not match: for each clause of a filter how many it keeps out, and which clusters come nearest.

One rule: a clause removes what does not meet it, and removes alone what meets all the others.
"""

import heapq
from collections.abc import Callable, Sequence
from typing import TypeAlias

from rollbook.documents.values import Document, Value
from rollbook.errors import WorkExceeded
from rollbook.language.filters import Filter, Predicate, compile_filter
from rollbook.language.filters.nodes import All, Constant
from rollbook.registry.reading.narrowing import looks_at_registry
from rollbook.registry.reading.scanning import Scan
from rollbook.view.entries import Entry
from rollbook.view.planning.explaining import words_of_clause
from rollbook.view.planning.plans import Plan

Test: TypeAlias = Callable[[Entry, list[Document]], bool]
"""Whether an entry meets a clause. The list gets its document, when that is decoded."""

NEAREST_MAX = 5


def clauses_of(filter: Filter) -> tuple[Filter, ...]:
    """The clauses that hold together in a filter; none where it matches everything."""
    match filter:
        case All(clauses):
            return tuple(part for clause in clauses for part in clauses_of(clause))
        case Constant(True):
            return ()
    return (filter,)


def why_not_as_json(clauses: Sequence[Filter], plans: Sequence[Plan], scan: Scan) -> dict[str, Value]:
    """``{"whyNot", "nearest"}``; empty where it takes longer than the request may."""
    try:
        return why_not(clauses, plans, scan)
    except WorkExceeded:
        return {}


def why_not(clauses: Sequence[Filter], plans: Sequence[Plan], scan: Scan) -> dict[str, Value]:
    """Why the entries of ``scan`` do not match: for each clause how many it removes, and how many it removes alone;
    and the nearest misses, each with the clauses that it does not meet.

    ``plans`` are what the index knows of each clause.
    """
    words = [words_of_clause(clause) for clause in clauses]
    tests = tests_of(clauses, plans, scan)
    removes, alone = [0] * len(clauses), [0] * len(clauses)
    near: list[tuple[int, int, str, list[int]]] = []
    for place, entry in enumerate(scan.entries):
        scan.work.spend(len(clauses))
        decoded: list[Document] = []
        failed = [at for at, test in enumerate(tests) if not test(entry, decoded)]
        for at in failed:
            removes[at] += 1
        if len(failed) == 1:
            alone[failed[0]] += 1
        if failed and (len(near) < NEAREST_MAX or -len(failed) > near[0][0]):
            heapq.heappush(near, (-len(failed), -place, entry.id, failed))
            if len(near) > NEAREST_MAX:
                heapq.heappop(near)
    return {
        "whyNot": [
            {"clause": words[at], "removes": removes[at], "removesAlone": alone[at]} for at in range(len(clauses))
        ],
        "nearest": [{"id": id, "missing": [words[at] for at in failed]} for _, _, id, failed in sorted(near)[::-1]],
    }


def tests_of(clauses: Sequence[Filter], plans: Sequence[Plan], scan: Scan) -> list[Test]:
    """The test of each clause."""
    return [_test_of(clause, plan, scan) for clause, plan in zip(clauses, plans, strict=True)]


def _test_of(clause: Filter, plan: Plan, scan: Scan) -> Test:
    """The test of a clause. A document is decoded when the index does not know, once for all clauses."""
    predicate: Predicate = compile_filter(clause, work=scan.work)
    with_facts = looks_at_registry(clause)

    def test(entry: Entry, decoded: list[Document]) -> bool:
        if plan.candidates is not None and entry.number not in plan.candidates:
            return False
        if plan.exact or entry.number in plan.certain:
            return True
        if with_facts:
            return predicate(scan.document_of(entry, with_facts=True))
        if not decoded:
            decoded.append(scan.document_of(entry, with_facts=False))
        return predicate(decoded[0])

    return test
