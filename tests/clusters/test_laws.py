"""What holds for every document, sound or not."""

import copy
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rollbook.clusters.acceptance import SchemaRules, accept_new, accept_update
from rollbook.clusters.filling import AT_CREATION, with_defaults
from rollbook.clusters.findings import Finding
from rollbook.clusters.modes import NEW, STORED
from rollbook.clusters.normalizing import normalized
from rollbook.clusters.recognizing import needs_nothing, recognized
from rollbook.clusters.schema import CLUSTER, Fields, Kind, ListOf
from rollbook.clusters.totals import certainly_agree, contradictions_in
from rollbook.clusters.validating import findings_in, unknown_fields_in
from rollbook.errors import DocumentInvalid, RegistryError
from tests.api.specified import EXAMPLE
from tests.clusters.updating import DEFAULT, updated
from tests.examples import cluster, node

ABSENT = "(absent)"

VALUES: list[Any] = [
    *(ABSENT, None, True, False, -1, 0, 5, 0.5, 1e308, "", "5", "-1", "x", [], ["x"], [["5"]], [1, "x"], {}, {"a": 1}),
    *(node("a"), [node("a"), node("a")], [node("b") | {"swap": "?"}], [{"id": "a"}], EXAMPLE["nodes"], EXAMPLE["gpus"]),
]

WHOLE: list[dict[str, Any]] = [
    EXAMPLE,
    cluster("west", node("a"), node("b"), zone="b"),
    {"id": "sparse"},
    {"id": "old", "nodes": {"count": 3, "nodeData": [{"id": "a", "status": "x"}, {"id": "a", "swap": 1}]}, "memory": 5},
]


def places_in(kind: Kind) -> Iterator[tuple[str | int, ...]]:
    """Documented places, and some that are not."""
    match kind:
        case Fields(members):
            yield ("other",)
            for name, member in members.items():
                yield (name,)
                yield from ((name, *place) for place in places_in(member.kind))
        case ListOf(item):
            for index in (0, 1):
                yield (index,)
                yield from ((index, *place) for place in places_in(item))


PLACES = [place for place in places_in(CLUSTER) if place != ("id",)]

CHANGES = st.lists(st.tuples(st.sampled_from(PLACES), st.sampled_from(VALUES)), max_size=4)


def changed(document: Any, place: tuple[str | int, ...], value: Any) -> Any:
    """A copy with ``value`` at ``place``, where the way to it exists."""
    key, *rest = place
    if isinstance(document, dict) and isinstance(key, str):
        copied = dict(document)
    elif isinstance(document, list) and isinstance(key, int) and key < len(document):
        copied = dict(enumerate(document))
    else:
        return document
    if rest:
        value = changed(copied.get(key, {}), tuple(rest), value)
    copied[key] = value
    if value == ABSENT:
        del copied[key]
    return copied if isinstance(document, dict) else list(copied.values())


def with_changes(document: dict[str, Any], changes: list[Any]) -> dict[str, Any]:
    for place, value in changes:
        document = changed(document, place, value)
    return document


DOCUMENTS = st.builds(with_changes, st.sampled_from(WHOLE), CHANGES)

ANY_RULES = st.builds(
    SchemaRules, st.sampled_from(["default", "lenient"]), st.sampled_from(["ignore", "warn", "strict"])
)


@given(DOCUMENTS, ANY_RULES)
def test_what_was_accepted_is_accepted_again_as_it_is(document: dict[str, Any], rules: SchemaRules) -> None:
    untouched = copy.deepcopy(document)
    try:
        accepted = accept_new(document, rules=rules)
    except RegistryError:
        accepted = None
    assert document == untouched
    if accepted is not None:
        again = accept_new(accepted.document, rules=rules)
        assert again.document is accepted.document
        assert set(again.warnings) <= set(accepted.warnings)


@given(DOCUMENTS, ANY_RULES, st.booleans())
def test_a_document_that_is_recognized_needs_nothing(document: dict[str, Any], rules: SchemaRules, new: bool) -> None:
    demands = (NEW if new else STORED)[rules.mode]
    if recognized(document, rules.mode, new=new) is not None or (not new and needs_nothing(document, rules.mode)):
        assert list(findings_in(document, demands)) == []
        assert normalized(document, demands) is document
        assert with_defaults(document, AT_CREATION) is document


@given(DOCUMENTS, ANY_RULES, st.booleans())
def test_what_is_seen_of_a_recognized_document_is_so(document: dict[str, Any], rules: SchemaRules, new: bool) -> None:
    known = recognized(document, rules.mode, new=new)
    if known is not None:
        assert known.is_documented == (not list(unknown_fields_in(document)))
        assert not certainly_agree(known.cluster) or contradictions_in(document) == []


@given(DOCUMENTS)
def test_what_default_rules_made_is_recognized(document: dict[str, Any]) -> None:
    try:
        accepted = accept_new(document, rules=DEFAULT).document
    except RegistryError:
        return
    assert recognized(accepted, "default", new=True) is not None
    assert needs_nothing(accepted, "default")


@given(DOCUMENTS, CHANGES.filter(bool), ANY_RULES, st.booleans(), st.booleans())
def test_the_number_of_problems_never_grows(
    before: dict[str, Any], changes: list[Any], rules: SchemaRules, whole: bool, known: bool
) -> None:
    after = with_changes(before, changes)
    if whole:
        after = copy.deepcopy(after)
    touched = frozenset(tuple(map(str, place)) for place, _ in changes) if known else None
    untouched = copy.deepcopy(before), copy.deepcopy(after)
    try:
        accepted = accept_update(before, after, touched=touched, rules=rules).document
    except RegistryError:
        accepted = before
    assert (before, after) == untouched
    demands = STORED[rules.mode]
    assert faults(findings_in(accepted, demands)) <= faults(findings_in(before, demands))
    if rules.unknown_fields == "strict":
        assert faults(unknown_fields_in(accepted)) <= faults(unknown_fields_in(before))


def faults(findings: Any) -> Counter[Any]:
    return Counter(fault_of(finding) for finding in findings)


def fault_of(finding: Finding) -> Any:
    """A fault without the place in arrays."""
    return finding.fault, tuple(component for component in finding.place if isinstance(component, str))


NODE_CHANGES = st.one_of(
    st.builds(
        lambda id, gpus, memory: {"$push": {"nodes.nodeData": node(id, gpus=gpus, memory=memory)}},
        st.sampled_from("abcd"),
        st.integers(0, 3),
        st.sampled_from([0, 1, 0.1, 2.5, 2**62]),
    ),
    st.builds(lambda id: {"$pull": {"nodes.nodeData": {"id": id}}}, st.sampled_from("abcd")),
    st.builds(lambda end: {"$pop": {"nodes.nodeData": end}}, st.sampled_from([1, -1])),
    st.builds(lambda by: {"$inc": {"nodes.nodeData.$[].memory": by}}, st.sampled_from([1, "2", 0.1])),
    st.builds(lambda to: {"$set": {"memory": to, "status": "live"}}, st.integers(0, 5)),
    st.just({"$push": {"nodes.nodeData": node("e")}, "$inc": {"nodes.count": 1}}),
    st.just({"nodes.nodeData": []}),
)


@given(st.lists(NODE_CHANGES, max_size=6))
def test_totals_that_matched_the_nodes_match_them_after_any_update_that_leaves_them_alone(
    updates: list[dict[str, Any]],
) -> None:
    document = accept_new(cluster("west", node("a")), rules=DEFAULT).document
    for update in updates:
        contradicted = {each.total for each in contradictions_in(document)}
        with suppress(DocumentInvalid):  # a second node of an id
            document = updated(document, update).document
        set_by_update = {("memory",)} if "memory" in update.get("$set", {}) else set()
        assert {each.total for each in contradictions_in(document)} <= contradicted | set_by_update
