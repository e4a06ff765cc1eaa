"""What is parsed on the event loop: the content of a body decides."""

import json

import pytest

from rollbook.api.offloading import QUICK_BYTES_MAX, is_quick_to_parse


def body(value: object) -> bytes:
    return json.dumps(value).encode()


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"id": "west", "gpus.count": {"$gte": 5}},
        {"id": {"$regex": "^west-[a-z]+\\.eu$"}},
        {"$set": {"clusterMetadata.description": "Repeat {3} times, \\p"}},
        {"x": "x" * (QUICK_BYTES_MAX - 100)},
    ],
)
def test_most_bodies_are_quick(value: object) -> None:
    assert is_quick_to_parse(body(value))


@pytest.mark.parametrize(
    "value",
    [
        {"id": {"$regex": "(a{900}){1}"}},
        {"id": {"$regex": "\\pL\\PN"}},
        {"id": {"$regex": "(*UCP)\\w"}},
        {"$expr": {"$regexMatch": {"input": "$id", "regex": "a{9}"}}},
        {"$jsonSchema": {"patternProperties": {"a{9}": {}}}},
        {"id": {"$regex": "." * 5000}},
        {"variable": "id", "operator": "LIKE", "value": "*a" * 3000},
        {"x": "x" * QUICK_BYTES_MAX},
    ],
)
def test_what_may_take_long_is_not(value: object) -> None:
    assert not is_quick_to_parse(body(value))


def test_an_escape_hides_nothing() -> None:
    assert not is_quick_to_parse(rb'{"id": {"$re\u0067ex": "a\u007b900}"}}')
