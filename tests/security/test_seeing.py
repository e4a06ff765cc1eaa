"""The equivalence of reading: a caller's answers are those of a fleet that holds the masked documents of his clusters.

The fleets are small and strange (``tests.view.grammar``), and so are the sights: what is hidden lies on the way of
filters, in arrays, at paths that some documents have and others have not.
"""

import asyncio
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import suppress
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollbook.documents.codec import encode_json
from rollbook.errors import FilterRefused, RegistryError
from rollbook.journal.changes import StoredVersion
from rollbook.language.filters import Filter, compile_filter, parse_filter
from rollbook.language.filters.nodes import EVERYTHING
from rollbook.limits import DEFAULT_LIMITS
from rollbook.registry.computing import ComputingThreads
from rollbook.registry.reading.distinct import parse_distinct
from rollbook.registry.reading.facet_requests import parse_facets
from rollbook.registry.reading.facts import Facts
from rollbook.registry.reading.queries import PresentFleet
from rollbook.registry.reading.reading_threads import ReadingThreads
from rollbook.registry.reading.requests import Query, parse_aggregation, parse_query
from rollbook.security.masks import SHOWN, Mask, hiding, showing
from rollbook.security.seeing import Seeing
from rollbook.security.sights import WHOLE, Grant, Sight, sight_of
from rollbook.view.index.indexes import Index
from rollbook.view.views import View
from tests.view import grammar

PATHS = (
    ("a",),
    ("a", "b"),
    ("b",),
    ("n",),
    ("n", "d"),
    ("n", "d", "a"),
    ("n", "d", "b"),
    ("n", "e"),
    ("n", "d", "a", "b"),
)
LOOP = asyncio.new_event_loop()
READS = frozenset({"read", "explain"})
QUESTIONS = ("find", "at once", "count", "sort", "projection", "facets", "distinct", "group")


def mask(random: Random) -> Mask:
    paths = random.sample(PATHS, random.randint(0, 3))
    return random.choice((hiding, hiding, showing))(paths)


def grant(random: Random, documents: list[Any]) -> Grant:
    filter: Filter = EVERYTHING
    if random.random() < 0.5:
        with suppress(FilterRefused):
            filter = parse_filter(grammar.FilterMaker(random, documents).filter())
    return Grant(READS, filter, None if filter is EVERYTHING else compile_filter(filter), mask(random), SHOWN)


def view_of(documents: Sequence[tuple[int, Any]]) -> View:
    """A view of these documents, each with its revision."""
    view = View()
    view.index = Index(elements=[("n", "d")])
    view.load([StoredVersion(str(at), encode_json(one), at, at, at, at, at) for at, one in documents], len(documents))
    return view


def fleet(view: View, sight: Sight, threads: ReadingThreads) -> PresentFleet:
    return PresentFleet(Seeing(view), sight, Facts(), DEFAULT_LIMITS, threads)


@pytest.fixture(scope="module")
def threads() -> Iterator[ReadingThreads]:
    pool = ReadingThreads(ComputingThreads())
    yield pool
    pool.close()


def ask(fleet: PresentFleet, question: str, filter: Any, path: str) -> Any:
    """What the fleet answers, as values; a refusal by its code and its words."""
    try:
        found: Any = LOOP.run_until_complete(asked(fleet, question, filter, path))
    except RegistryError as refusal:
        return refusal.code, refusal.message
    return [*map(bytes, found)] if question in ("find", "at once", "sort", "projection", "group") else found


def asked(fleet: PresentFleet, question: str, filter: Any, path: str) -> Coroutine[Any, Any, Any]:
    def query(**more: Any) -> Query:
        return parse_query({"query": filter, **more}, limits=DEFAULT_LIMITS)

    match question:
        case "find":
            return fleet.find(query(include="registry"))
        case "at once":
            return find_twice(fleet, query())
        case "count":
            return fleet.count(query(skip=1))
        case "sort":
            return fleet.find(query(sort={path: -1}, limit=3))
        case "projection":
            return fleet.find(query(projection={path: 1}))
        case "facets":
            return fleet.facets(parse_facets({"query": filter, "facets": [path]}, limits=DEFAULT_LIMITS))
        case "distinct":
            return fleet.distinct(parse_distinct({"key": path, "query": filter}, limits=DEFAULT_LIMITS))
    stages = [{"$match": filter}, {"$group": {"_id": f"${path}", "n": {"$sum": 1}}}]
    return fleet.aggregate(parse_aggregation(stages, limits=DEFAULT_LIMITS))


async def find_twice(fleet: PresentFleet, query: Query) -> Sequence[bytes]:
    """The stored JSON, at once where the indexes tell; the second time from what was made the first time."""
    first, second = fleet.find_at_once(query), fleet.find_at_once(query)
    assert first == second
    return await fleet.find(query) if second is None else second


@settings(deadline=None, max_examples=100)
@given(st.randoms(use_true_random=False))
def test_a_caller_is_answered_as_if_what_is_hidden_were_not_there(threads: ReadingThreads, random: Random) -> None:
    documents = [grammar.document(random) for _ in range(random.randint(1, 8))]
    sight = sight_of([grant(random, documents) for _ in range(random.randint(1, 2))])
    seen = [(at, shown) for at, one in enumerate(documents, 1) if (shown := sight.shown(one)) is not None]
    limited = fleet(view_of(list(enumerate(documents, 1))), sight, threads)
    masked = fleet(view_of(seen), WHOLE, threads)
    for _ in range(6):
        filter = grammar.FilterMaker(random, documents).filter() if random.random() < 0.8 else {}
        question, path = random.choice(QUESTIONS), random.choice(("a", "b", "n.d.a", "n.e", "n.d", "a.b", "n"))
        assert ask(limited, question, filter, path) == ask(masked, question, filter, path), (question, filter, path)


def test_an_array_that_is_hidden_has_no_elements(threads: ReadingThreads) -> None:
    documents = [(1, {"n": {"d": [{"a": 1}]}})]
    sight = sight_of([Grant(READS, EVERYTHING, None, hiding([("n", "d")]), SHOWN)])
    for filter in ({"n.d": {"$elemMatch": {}}}, {"n.d": {"$elemMatch": {"a": {"$exists": True}}}}):
        assert ask(fleet(view_of(documents), sight, threads), "count", filter, "a") == 0
        assert ask(fleet(view_of(documents), sight, threads), "find", {"$nor": [filter]}, "a") != []


def test_a_hidden_member_of_an_element_meets_no_condition(threads: ReadingThreads) -> None:
    documents = [(1, {"n": {"d": [{"a": 1, "b": 2}]}}), (2, {"n": {"d": [{"b": 2}]}})]
    sight = sight_of([Grant(READS, EVERYTHING, None, hiding([("n", "d", "a")]), SHOWN)])
    seen = fleet(view_of(documents), sight, threads)
    for clause, count in (({"a": 1}, 0), ({"a": {"$exists": False}}, 2), ({"b": 2}, 2), ({"a": 1, "b": 2}, 0)):
        counted = LOOP.run_until_complete(
            seen.count(parse_query({"n.d": {"$elemMatch": clause}}, limits=DEFAULT_LIMITS))
        )
        assert counted == count, clause


@settings(deadline=None, max_examples=100)
@given(st.randoms(use_true_random=False))
def test_an_explanation_depends_on_nothing_that_is_hidden(threads: ReadingThreads, random: Random) -> None:
    """Two fleets that a caller sees alike are explained to him alike; here one has not what is hidden."""
    documents = [grammar.document(random) for _ in range(random.randint(1, 6))]
    hidden = mask(random)
    sight = sight_of([Grant(READS, EVERYTHING, None, hidden, SHOWN)])
    whole = fleet(view_of(list(enumerate(documents, 1))), sight, threads)
    bare = fleet(view_of([(at, hidden.masked(one)) for at, one in enumerate(documents, 1)]), sight, threads)
    for _ in range(6):
        filter = grammar.FilterMaker(random, documents).filter()
        assert explained(whole, filter) == explained(bare, filter), filter


@settings(deadline=None, max_examples=50)
@given(st.randoms(use_true_random=False))
def test_an_explanation_counts_no_cluster_that_is_not_seen(threads: ReadingThreads, random: Random) -> None:
    """What the indexes can tell may depend on the others: that is among what the guide says is not hidden."""
    documents = [*enumerate((grammar.document(random) for _ in range(random.randint(1, 6))), 1)]
    sight = sight_of([grant(random, [one for _, one in documents])])
    whole = fleet(view_of(documents), sight, threads)
    bare = fleet(view_of([(at, one) for at, one in documents if sight.mask_of(one) is not None]), sight, threads)
    for _ in range(3):
        filter = grammar.FilterMaker(random, [one for _, one in documents]).filter()
        whole_told, bare_told = explained(whole, filter), explained(bare, filter)
        if isinstance(bare_told, dict):
            counts = ("documents", "returned")
            assert [whole_told[name] for name in counts] == [bare_told[name] for name in counts], filter


def explained(fleet: PresentFleet, filter: Any) -> Any:
    try:
        told = LOOP.run_until_complete(fleet.explain(parse_query({"query": filter}, limits=DEFAULT_LIMITS)))
    except RegistryError as refusal:
        return refusal.message
    return {name: value for name, value in told.items() if name != "milliseconds"}


def test_an_explanation_says_that_a_path_is_not_visible(threads: ReadingThreads) -> None:
    """Whatever an index has there: how it is known would say what is there."""
    sight = sight_of([Grant(READS, EVERYTHING, None, hiding([("a",)]), SHOWN)])
    told = explained(fleet(view_of([(1, {"a": 1})]), sight, threads), {"a": 1})
    assert told["clauses"]["how"].startswith("the path, or something below it, is not visible to you")


def test_an_order_by_what_is_hidden_is_the_order_of_creation(threads: ReadingThreads) -> None:
    documents = [(at, {"a": value, "b": at}) for at, value in enumerate((3, 1, 2), 1)]
    sight = sight_of([Grant(READS, EVERYTHING, None, hiding([("a",)]), SHOWN)])
    query = parse_query({"query": {}, "sort": {"a": 1}, "limit": 3}, limits=DEFAULT_LIMITS)
    found = LOOP.run_until_complete(fleet(view_of(documents), sight, threads).find(query))
    assert [*map(bytes, found)] == [b'{"b":1}', b'{"b":2}', b'{"b":3}']


def test_members_in_arrays_of_arrays_are_hidden_too(threads: ReadingThreads) -> None:
    documents = [(1, {"n": {"d": [[{"a": 1, "b": 2}]]}}), (2, {"n": {"d": [{"b": 2}]}})]
    sight = sight_of([Grant(READS, EVERYTHING, None, hiding([("n", "d", "a")]), SHOWN)])
    found = LOOP.run_until_complete(
        fleet(view_of(documents), sight, threads).find(parse_query({}, limits=DEFAULT_LIMITS))
    )
    assert [*map(bytes, found)] == [b'{"n":{"d":[[{"b":2}]]}}', b'{"n":{"d":[{"b":2}]}}']


def test_a_cluster_is_judged_by_the_rule_where_the_index_can_not_tell(threads: ReadingThreads) -> None:
    rule = parse_filter({"$expr": {"$eq": ["$a", 1]}})
    sight = sight_of([Grant(READS, rule, compile_filter(rule), SHOWN, SHOWN)])
    seen = fleet(view_of([(1, {"a": 1, "b": 1}), (2, {"a": 2, "b": 1})]), sight, threads)
    for question, filter in (("find", {}), ("at once", {"b": 1}), ("sort", {"b": 1})):
        assert len(ask(seen, question, filter, "a")) == 1
    assert seen.seeing.entry(sight, "2") is None
    assert seen.seeing.read(sight, "2") is None
