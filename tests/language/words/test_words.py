"""Filters in words: what they become, what is refused where, and the law that printing and parsing give the same."""

from contextlib import suppress
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollbook.errors import FilterRefused
from rollbook.language.filters import parse_filter
from rollbook.language.words import Vocabulary, parse_words, words_of
from tests.view.grammar import FilterMaker, document

# fmt: off
# ruff: noqa: E501
CASES = [
    ("", {}),
    ("status = live", {"status": "live"}),
    ("status=live and gpus.count>=8", {"status": "live", "gpus.count": {"$gte": 8}}),
    ("status = live gpus.count < 8.5", {"status": "live", "gpus.count": {"$lt": 8.5}}),
    ('owner = "AI team"', {"owner": "AI team"}),
    ("region in (us-west, us-east)", {"region": {"$in": ["us-west", "us-east"]}}),
    ("region not in (us-west)", {"region": {"$nin": ["us-west"]}}),
    ("tags has ml", {"tags": "ml"}),
    ("tags has all (ml, gpu)", {"tags": {"$all": ["ml", "gpu"]}}),
    ('name ~ "vision"', {"name": {"$regex": "vision", "$options": "i"}}),
    ('name =~ "^West"', {"name": {"$regex": "^West"}}),
    ('name !~ "test"', {"name": {"$not": {"$regex": "test", "$options": "i"}}}),
    ("reputation missing or not reputation > 5", {"$or": [{"reputation": {"$exists": False}}, {"$nor": [{"reputation": {"$gt": 5}}]}]}),
    ("a = 1 and (b = 2 or c = 3)", {"$and": [{"a": 1}, {"$or": [{"b": 2}, {"c": 3}]}]}),
    ("a = 1 or b = 2 and c = 3", {"$or": [{"a": 1}, {"b": 2, "c": 3}]}),
    ("a > 1 and a < 5", {"$and": [{"a": {"$gt": 1}}, {"a": {"$lt": 5}}]}),
    ("nodes.nodeData any (gpus.count > 2 and memory >= 1e3)", {"nodes.nodeData": {"$elemMatch": {"gpus.count": {"$gt": 2}, "memory": {"$gte": 1e3}}}}),
    ("`in` = true and `a b` != null", {"in": True, "a b": {"$ne": None}}),
    ("a = {\"b\": 1} and {\"$expr\": {\"$gt\": [\"$a\", 1]}}", {"$and": [{"a": {"$eq": {"b": 1}}}, {"$expr": {"$gt": ["$a", 1]}}]}),
    ("tags size 2 AND status type string", {"tags": {"$size": 2}, "status": {"$type": "string"}}),
    ("NOT (a exists)", {"$nor": [{"a": {"$exists": True}}]}),
]
# fmt: on

REFUSED = [
    ("status =", 9, "a value is expected"),
    ("status = live and", 18, "a condition is expected"),
    ("(status = live", 15, "to close the parenthesis"),
    ("region in us-west", 11, "before the list"),
    ("region in (us-west us-east)", 20, "between the values"),
    ("status = live)", 14, "can't stand here"),
    ("vision", 1, "alone is no condition"),
    ('name = "West', 8, "can't stand here"),
    ("a = {b: 1}", 5, "JSON"),
    ("a = 1 or or b = 2", 10, "a condition is expected"),
    ("(" * 51 + "a = 1", 51, "nested"),
    ("not " * 60 + "a = 1", 201, "nested"),
]


@pytest.mark.parametrize(("words", "filter"), CASES, ids=[words for words, _ in CASES])
def test_words_become_a_filter(words, filter):
    assert parse_words(words) == filter


@pytest.mark.parametrize("filter", [filter for _, filter in CASES])
def test_a_filter_becomes_words_that_mean_it(filter):
    assert parse_filter(parse_words(words_of(filter))) == parse_filter(filter)


@pytest.mark.parametrize(("words", "column", "problem"), REFUSED, ids=[words[:30] for words, _, _ in REFUSED])
def test_a_refusal_says_the_column(words, column, problem):
    with pytest.raises(FilterRefused, match=problem) as refused:
        parse_words(words)
    assert refused.value.message.startswith(f"column {column}:")


def test_names_can_be_short_and_misspelt_ones_are_suggested():
    vocabulary = Vocabulary({"region": "regionId"}, ("regionId", "status", "clusterMetadata.additionalInfo"))
    assert parse_words("region = west", vocabulary) == {"regionId": "west"}
    assert parse_words("clusterMetadata.additionalInfo.x = 1", vocabulary) == {"clusterMetadata.additionalInfo.x": 1}
    assert parse_words("`statos` = 1", vocabulary) == {"statos": 1}
    with pytest.raises(FilterRefused, match=r"column 10: .*did you mean 'status'"):
        parse_words("region=a statos = live", vocabulary)


def test_a_word_alone_means_what_the_vocabulary_says():
    vocabulary = Vocabulary(meaning=lambda word: {"tags": word})
    assert parse_words("gpus>=8 ml", vocabulary) == {"gpus": {"$gte": 8}, "tags": "ml"}
    assert parse_words("ml or vision", vocabulary) == {"$or": [{"tags": "ml"}, {"tags": "vision"}]}
    assert parse_words("not ml", vocabulary) == {"$nor": [{"tags": "ml"}]}


@given(st.randoms(use_true_random=False))
def test_what_is_printed_and_parsed_again_is_the_same_filter(random: Random):
    filter = FilterMaker(random, [document(random)]).filter()
    try:
        meaning = parse_filter(filter)
    except FilterRefused:
        return
    vocabulary = Vocabulary({"a": "n.d"})
    for known in (Vocabulary(), vocabulary):
        assert parse_filter(parse_words(words_of(filter, known), known)) == meaning


@given(st.text())
def test_any_text_is_a_filter_or_refused(text):
    with suppress(FilterRefused):
        assert isinstance(parse_words(text, Vocabulary(meaning=lambda word: {"name": word})), dict)
