"""Accepting a document: read as it was meant, filled, its totals derived, and judged.

One rule: what is judged is the result, and only faults that the stored document did not have are refused: an old fault
does not block an unrelated update. Arguments are never changed; a document that needs nothing is returned as it is.
"""

from collections.abc import Collection, Iterable, Iterator
from itertools import chain, islice
from typing import Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from rollbook.clusters.differences import new_elements
from rollbook.clusters.filling import AT_ANY_WRITE, AT_CREATION, with_defaults, without_fillings
from rollbook.clusters.findings import Finding, shown
from rollbook.clusters.ids import kubernetes_warning, problem_with_id
from rollbook.clusters.modes import NEW, STORED, Mode
from rollbook.clusters.node_lists import LONG
from rollbook.clusters.nodes import nodes_in, repeated_ids
from rollbook.clusters.normalizing import normalized
from rollbook.clusters.ratcheting import new_findings
from rollbook.clusters.recognizing import Recognized, needs_nothing, recognized
from rollbook.clusters.totals import TOTALS, certainly_agree, contradictions_in, following, totals_set, with_totals
from rollbook.clusters.url_map import with_url_map
from rollbook.clusters.validating import findings_in, repeated_ids_in, unknown_fields_in
from rollbook.clusters.warnings import (
    warnings_of_contradictions,
    warnings_of_repeated_ids,
    warnings_of_unknown_fields,
)
from rollbook.documents.ordering import equal
from rollbook.documents.paths import Path
from rollbook.documents.values import MISSING, Document, Value
from rollbook.errors import DocumentInvalid, IdImmutable, IdRefused, Problem
from rollbook.limits import DEFAULT_LIMITS, Limits

UnknownFields: TypeAlias = Literal["ignore", "warn", "strict"]

PROBLEMS_LISTED_MAX = 1000


class SchemaRules(Struct, frozen=True):
    """How strictly documents are judged. Lenient asks only for ``id`` and right types.

    ``of_a_part``: the writer sees a masked document; fields absent from it and from the update are not filled in.
    """

    mode: Mode = "default"
    unknown_fields: UnknownFields = "warn"
    of_a_part: bool = False

    def with_unknown_fields(self, unknown_fields: UnknownFields) -> "SchemaRules":
        """These rules, with another answer to fields that no schema documents."""
        return replace(self, unknown_fields=unknown_fields)


class Accepted(Struct, frozen=True):
    """The document as it is to be stored, and what its writer should know, a sentence each."""

    document: Document
    warnings: tuple[str, ...] = ()


def accept_new(document: Document, *, rules: SchemaRules) -> Accepted:
    """The document of a new cluster, whole.

    Refuses what breaks the schema (DocumentInvalid) and an id that clients could not address (IdRefused); either lists
    every problem.
    """
    _refuse_too_many_nodes(document)
    demands = NEW[rules.mode]
    faults: Iterable[Finding] = ()
    known = recognized(document, rules.mode, new=True)
    if known is None:
        document = with_defaults(normalized(document, demands), AT_CREATION)
        document = with_totals(with_url_map(document))
        known = recognized(document, rules.mode, new=True)
        faults = findings_in(document, demands) if known is None else ()
    is_documented = rules.unknown_fields == "ignore" or (known is not None and known.is_documented)
    unknown = [] if is_documented else _some(unknown_fields_in(document))
    _refuse(_some(_judged(faults, unknown, rules)), id_problem=_problem_with_id_of(document))
    return Accepted(document, tuple(_warnings_of_new(document, unknown, known)))


def accept_update(
    before: Document, after: Document, *, touched: frozenset[Path] | None, rules: SchemaRules
) -> Accepted:
    """The document that an update made of ``before``, whole; ``touched`` are the paths that the update names.

    Refuses faults that ``before`` did not have (DocumentInvalid, with each of them), a second node of one id among them
    in any mode, and another id (IdImmutable).
    """
    if after is before:
        return Accepted(after)
    check_same_id(before, after)
    _refuse_too_many_nodes(after)
    demands = STORED[rules.mode]
    sound = needs_nothing(_without_known_nodes(before, after), rules.mode)
    read = after
    if not sound:
        read = with_defaults(normalized(after, demands, before=before), AT_ANY_WRITE, before=before)
    own = totals_set(touched, before, read)
    followed = following(before, read, own)
    if rules.of_a_part:
        followed = without_fillings(before, after, followed)
    measure = read if sound else before
    faults: Iterable[Finding] = ()
    if followed is not measure:
        faults = new_findings(
            measure,
            findings_in(measure, demands, before=followed),
            followed,
            findings_in(followed, demands, before=measure),
        )
    unknown = [] if rules.unknown_fields == "ignore" else _new_unknown_fields(before, followed)
    _refuse(_some(_judged(chain(faults, repeated_ids_in(followed, before)), unknown, rules)))
    return Accepted(followed, tuple(_warnings_of_update(followed, own, unknown)))


def _without_known_nodes(before: Document, after: Document) -> Document:
    """``after``, in a large cluster without the nodes that stood in ``before``: all that an update can have broken."""
    old, new = nodes_in(before), nodes_in(after)
    holder = after.get("nodes")
    if len(new) < LONG or not isinstance(holder, dict):
        return after
    came: list[Value] = [] if new is old else [node for _, node in new_elements(new, old)]
    return {**after, "nodes": {**holder, "nodeData": came}}


def _some(findings: Iterable[Finding]) -> list[Finding]:
    """As many findings as anybody wants to read, and one more, to know that there are more."""
    return list(islice(findings, PROBLEMS_LISTED_MAX + 1))


def _judged(faults: Iterable[Finding], unknown: Iterable[Finding], rules: SchemaRules) -> Iterator[Finding]:
    yield from faults
    if rules.unknown_fields == "strict":
        yield from unknown


def _new_unknown_fields(before: Document, after: Document) -> list[Finding]:
    found = unknown_fields_in(after, before=before)
    first = next(found, None)
    if first is None:
        return []
    return _some(new_findings(before, unknown_fields_in(before, before=after), after, chain((first,), found)))


def _refuse(findings: list[Finding], *, id_problem: str | None = None) -> None:
    """Refuses with every finding, when there are any."""
    problems = [finding.problem() for finding in findings[:PROBLEMS_LISTED_MAX]]
    if len(findings) > PROBLEMS_LISTED_MAX:
        problems.append(Problem("", f"there are more problems; these are the first {PROBLEMS_LISTED_MAX}"))
    if id_problem is not None:
        raise IdRefused(id_problem, at="/id", problems=[Problem("/id", id_problem), *problems])
    if problems:
        others = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise DocumentInvalid(f"{problems[0].problem}{others}", at=problems[0].at, problems=problems)


def _problem_with_id_of(document: Document) -> str | None:
    id = document.get("id")
    return problem_with_id(id) if isinstance(id, str) else None


def check_same_id(before: Document, after: Document) -> None:
    """Refuses (IdImmutable) an update that changed the id."""
    if not equal(before.get("id", MISSING), after.get("id", MISSING)):
        raise IdImmutable(
            f"the id of a cluster can't change: this one is {shown(before.get('id', MISSING))}; "
            "create a cluster with the new id, then delete this one",
            at="/id",
            mongo_code=66,
        )


def _refuse_too_many_nodes(document: Document, *, limits: Limits = DEFAULT_LIMITS) -> None:
    """A list that no cluster has is not worth reading: refused before any work is done on it."""
    count = len(nodes_in(document))
    if count > limits.nodes_max:
        problem = Problem("/nodes/nodeData", f"nodes.nodeData lists {count} nodes; the most is {limits.nodes_max}")
        raise DocumentInvalid(problem.problem, at=problem.at, problems=[problem])


def _warnings_of_new(document: Document, unknown: list[Finding], known: Recognized | None) -> Iterator[str]:
    id = document["id"]
    if isinstance(id, str) and (warning := kubernetes_warning(id)):
        yield warning
    yield from warnings_of_repeated_ids(repeated_ids(nodes_in(document)))
    if known is None or not certainly_agree(known.cluster):
        yield from warnings_of_contradictions(contradictions_in(document))
    yield from warnings_of_unknown_fields(unknown)


def _warnings_of_update(after: Document, own: Collection[Path], unknown: list[Finding]) -> Iterator[str]:
    yield from warnings_of_contradictions(contradictions_in(after, [total for total in TOTALS if total in own]))
    yield from warnings_of_unknown_fields(unknown)
