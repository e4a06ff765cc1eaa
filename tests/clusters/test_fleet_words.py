"""What words about clusters mean, tried on clusters."""

import pytest

from rollbook.clusters.fleet_words import FLEET_WORDS
from rollbook.errors import FilterRefused
from rollbook.language.applying import find
from rollbook.language.words import parse_words, words_of

FLEET = [
    {
        "id": "west",
        "regionId": "us-west-2",
        "status": "live",
        "gpus": {"count": 16},
        "nodes": {"count": 1, "nodeData": [{"id": "n-1", "gpus": {"modelNames": ["NVIDIA A100-SXM4-80GB"]}}]},
        "clusterMetadata": {"name": "Vision west", "owner": "ml"},
        "tags": ["gpu"],
    },
    {
        "id": "east",
        "regionId": "us-east-1",
        "status": "draining",
        "gpus": {"count": 4},
        "nodes": {"count": 1, "nodeData": [{"id": "n-1", "gpus": {"gpus": [{"modelName": "Tesla V100"}]}}]},
        "clusterMetadata": {"name": "Speech", "owner": "audio", "description": "not for vision (C++)"},
        "tags": ["us-west-backup"],
    },
]


@pytest.mark.parametrize(
    ("words", "ids"),
    [
        ("", ["west", "east"]),
        ("a100 us-west live gpus>=8", ["west"]),
        ("us-west", ["west", "east"]),
        ("region = us-west-2", ["west"]),
        ("V100", ["east"]),
        ("v-100", ["east"]),
        ("A10", []),
        ("DRAINING", ["east"]),
        ("vision", ["west", "east"]),
        ("name ~ vision", ["west"]),
        ("C++", ["east"]),
        ("owner = ml or owner = audio", ["west", "east"]),
        ("not a100", ["east"]),
        ("nodes = 1 tag = gpu", ["west"]),
    ],
)
def test_words_find_what_a_person_would_look_for(words, ids):
    filter = parse_words(words, FLEET_WORDS)
    assert [cluster["id"] for cluster in find(FLEET, filter)] == ids
    again = parse_words(words_of(filter, FLEET_WORDS), FLEET_WORDS)
    assert [cluster["id"] for cluster in find(FLEET, again)] == ids


def test_a_misspelt_field_is_refused_with_a_suggestion():
    with pytest.raises(FilterRefused, match=r"column 1: .*'regionId'"):
        parse_words("regonId = us-west-2", FLEET_WORDS)


def test_liveness_is_asked_of_the_registry():
    assert parse_words("silent", FLEET_WORDS) == {"_registry.liveness": "silent"}
    assert parse_words("liveness != alive", FLEET_WORDS) == {"_registry.liveness": {"$ne": "alive"}}
