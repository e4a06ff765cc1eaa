"""The law of the view: an indexed find equals a scan, whatever was inserted, updated and deleted before."""

import itertools
from random import Random
from typing import Any
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from rollbook.errors import RegistryError
from rollbook.language.collating import collated
from rollbook.language.collation import Collation
from rollbook.language.filters import compile_filter, parse_filter
from rollbook.limits import Limits
from rollbook.view.index import columns
from rollbook.view.index.indexes import Index
from rollbook.view.index.loading import Loading, load_documents
from rollbook.view.index.ranges import make_column
from rollbook.view.index.trees import PathIndex, nodes_below
from rollbook.view.planning import fields, planning
from rollbook.view.planning.planning import answer
from rollbook.view.planning.planning_budgets import UNBOUNDED, PlanningBudget
from tests.view.grammar import FilterMaker, changed, document

ELEMENTS = [("n", "d")]
ROOMY = Limits()
TIGHT = Limits(indexed_paths_max=8, indexed_members_max=2, indexed_text_length_max=1)
NARROW = Limits(indexed_array_values_max=2)

randoms = st.randoms(use_true_random=False)


@settings(max_examples=300, deadline=None)
@given(random=randoms, limits=st.sampled_from([ROOMY, ROOMY, TIGHT, NARROW]))
def test_an_indexed_find_equals_a_scan(random: Random, limits: Limits) -> None:
    documents = {number: document(random) for number in range(random.randint(1, 6))}
    check_some_filters(random, index_of(documents, limits), documents)


@settings(max_examples=200, deadline=None)
@given(random=randoms, limits=st.sampled_from([ROOMY, TIGHT, NARROW]))
def test_it_does_so_after_any_changes(random: Random, limits: Limits) -> None:
    index, documents = changed_index(random, limits)
    check_some_filters(random, index, documents)


@settings(max_examples=300, deadline=None)
@given(random=randoms)
def test_it_does_so_where_many_candidates_count_as_few(random: Random) -> None:
    index, documents = changed_index(random, ROOMY)
    with (
        patch.object(planning, "NARROW_SHARE", 0),
        patch.object(fields, "SPARSE_SHARE", 0),
        patch.object(columns, "SPARSE_SHARE", 0),
    ):
        check_some_filters(random, index, documents)


def test_elements_that_came_back_are_found_under_their_new_numbers() -> None:
    documents: dict[int, Any] = {number: {"a": number % 10, "n": {"d": [{"a": "x"}]}} for number in range(300)}
    index = index_of(documents, ROOMY)
    index.update(0, documents[0], {"a": 0})
    index.insert(300, documents[1])  # and takes the number that was given up
    index.update(0, {"a": 0}, {"a": 0, "n": {"d": [{"a": "x"}] * 30}})
    found = answer(parse_filter({"a": 0, "n.d": {"$elemMatch": {"a": "x"}}}), index)
    assert set(found.certain) == set(found.possible) == set(range(0, 300, 10))


@settings(max_examples=200, deadline=None)
@given(random=randoms, limits=st.sampled_from([ROOMY, NARROW]))
def test_a_changed_index_is_the_one_that_a_fresh_load_makes(random: Random, limits: Limits) -> None:
    index, documents = changed_index(random, limits)
    fresh = index_of(documents, limits)
    assert index.live == fresh.live
    assert postings_of(index.root) == postings_of(fresh.root)
    for mine, afresh in zip(index.elements.values(), fresh.elements.values(), strict=True):
        assert counts_of(mine.root) == counts_of(afresh.root), "elements have other numbers, but are the same"
        assert len(mine.live) == len(afresh.live)


@settings(max_examples=150, deadline=None)
@given(random=randoms, limits=st.sampled_from([ROOMY, TIGHT, NARROW]), chunk=st.integers(1, 4), few=st.integers(1, 3))
def test_loading_at_once_makes_the_index_that_inserting_makes(
    random: Random, limits: Limits, chunk: int, few: int
) -> None:
    documents = {number: document(random) for number in range(random.randint(0, 6))}
    loaded, inserted = Index(elements=ELEMENTS, limits=limits), index_of(documents, limits)
    load_documents(loaded, documents.items(), chunk_documents=chunk, remembered_min=few)
    assert loaded.live == inserted.live
    if limits is not TIGHT:  # which paths the bounds keep out depends on who comes first
        assert postings_of(loaded.root) == postings_of(inserted.root)
        for mine, other in zip(loaded.elements.values(), inserted.elements.values(), strict=True):
            assert postings_of(mine.root) == postings_of(other.root)
            assert mine.live == other.live
    check_some_filters(random, loaded, documents)


@settings(max_examples=100, deadline=None)
@given(random=randoms, ticks=st.integers(0, 12))
def test_a_plan_cut_short_is_still_right(random: Random, ticks: int) -> None:
    documents = {number: document(random) for number in range(random.randint(1, 6))}
    index = index_of(documents, ROOMY)
    make = FilterMaker(random, list(documents.values()))
    for _ in range(4):
        clock = itertools.count()
        effort = PlanningBudget(deadline=ticks, clock=lambda clock=clock: next(clock))
        check(index, documents, {"$and": [make.filter(), make.filter()]}, effort)


def test_the_planner_stops_when_its_time_is_up() -> None:
    index = index_of({number: {"a": number} for number in range(10)}, ROOMY)
    filter = parse_filter({"$or": [{"a": number} for number in range(10)]})
    clock = itertools.count()
    found = answer(filter, index, effort=PlanningBudget(deadline=4, clock=lambda: next(clock)))
    assert list(found.certain) == [0, 1, 2, 3]
    assert found.possible == index.live


def index_of(documents: dict[int, Any], limits: Limits) -> Index:
    index = Index(elements=ELEMENTS, limits=limits)
    for number, one in documents.items():
        index.insert(number, one)
    return index


def changed_index(random: Random, limits: Limits) -> tuple[Index, dict[int, Any]]:
    """An index that went through insertions, updates (most of them of a part) and deletions."""
    documents = {number: document(random) for number in range(random.randint(0, 4))}
    index = index_of(documents, limits)
    if random.random() < 0.5:
        prepare_all(index)
    for _ in range(random.randint(1, 6)):
        number = index.size
        place = random.choice([number, *documents])
        if place == number:
            documents[number] = document(random)
            index.insert(number, documents[number])
        elif random.random() < 0.2:
            together = {index.size + more: document(random) for more in range(random.randint(1, 3))}
            loading = Loading(index)
            for new, one in together.items():
                loading.take(new, one)
            loading.flush()
            documents |= together
        elif random.random() < 0.8:
            after = changed(random, documents[place])
            index.update(place, documents[place], after)
            documents[place] = after
        else:
            index.delete(place, documents.pop(place))
    return index, documents


def prepare_all(index: Index) -> None:
    """As after loading many documents: every column and every order is made."""
    index.prepare()
    for tree, size in ((index.root, index.size), *((one.root, one.size) for one in index.elements.values())):
        for node in nodes_below(tree):
            make_column(node, size)
            node.ordered_texts(), node.ordered_numbers()


def check_some_filters(random: Random, index: Index, documents: dict[int, Any]) -> None:
    make = FilterMaker(random, list(documents.values()))
    for _ in range(12):
        check(index, documents, make.filter())
        check(index, documents, make.filter(), collation=random.choice([Collation(1), Collation(2)]))


def check(
    index: Index,
    documents: dict[int, Any],
    json: Any,
    effort: PlanningBudget = UNBOUNDED,
    collation: Collation | None = None,
) -> None:
    try:
        filter = collated(parse_filter(json), collation)
    except RegistryError:
        return
    predicate = compile_filter(filter)
    matching = {number for number, document in documents.items() if predicate(document)}
    found = answer(filter, index, effort=effort)
    assert set(found.certain) <= matching, f"what is certain matches: {json} {documents}"
    assert matching <= set(found.possible), f"what matches is possible: {json} {documents}"
    assert set(found.possible) <= set(documents), f"only live documents are candidates: {json} {documents}"


def postings_of(root: PathIndex) -> dict[tuple[str, ...], dict[str, set[int]]]:
    """The index in plain words, without what is empty."""
    plain = {}
    for node in nodes_below(root):
        keys = {as_word(key): set(node.get(key)) for key in (*node.postings, *node.lone_digests)}
        if keys:
            plain[node.path] = keys
    return plain


def counts_of(root: PathIndex) -> dict[tuple[str, ...], dict[str, int]]:
    return {path: {key: len(numbers) for key, numbers in keys.items()} for path, keys in postings_of(root).items()}


def as_word(key: Any) -> str:
    return repr(float(key)) if isinstance(key, (int, float)) and key == float(key) else repr(key)
