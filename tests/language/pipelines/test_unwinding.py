"""The stage $unwind: a document for each element."""

import pytest

from tests.language.pipelines.running import refused_code, results

FULL = {"path": "$a", "includeArrayIndex": "at", "preserveNullAndEmptyArrays": True}


@pytest.mark.parametrize(
    ("stage", "document", "expected"),
    [
        ("$a", {"id": 1, "a": [5, None, [6]], "b": 2}, [{"id": 1, "a": x, "b": 2} for x in (5, None, [6])]),
        ("$a", {"a": []}, []),
        ("$a", {"a": None}, []),
        ("$a", {}, []),
        ("$a", {"a": 5}, [{"a": 5}]),  # what is no array is its only element
        ("$a", {"a": {"b": 1}}, [{"a": {"b": 1}}]),
        ("$a.b", {"a": {"c": 1, "b": [2, 3]}}, [{"a": {"c": 1, "b": 2}}, {"a": {"c": 1, "b": 3}}]),
        ("$a.b", {"a": [{"b": [1]}]}, []),  # an array on the way hides the end
        ("$a.0", {"a": {"0": [1]}}, [{"a": {"0": 1}}]),
        (FULL, {"a": [5, None]}, [{"a": 5, "at": 0}, {"a": None, "at": 1}]),
        (FULL, {"a": 5}, [{"a": 5, "at": None}]),
        (FULL, {"a": [], "b": 1}, [{"b": 1, "at": None}]),
        (FULL, {"a": None}, [{"a": None, "at": None}]),
        (FULL, {"b": 1}, [{"b": 1, "at": None}]),
        ({**FULL, "path": "$a.b"}, {"a": {"b": [], "c": 1}}, [{"a": {"c": 1}, "at": None}]),
        ({"path": "$a", "includeArrayIndex": "a"}, {"a": [5]}, [{"a": 0}]),
        ({"path": "$a", "includeArrayIndex": "b.c"}, {"a": [5], "b": 1}, [{"a": 5, "b": {"c": 0}}]),
        ({"path": "$a", "includeArrayIndex": "b.c"}, {"a": [5], "b": {"d": 1}}, [{"a": 5, "b": {"d": 1, "c": 0}}]),
    ],
)
def test_unwind_gives_a_document_for_each_element(stage, document, expected):
    assert results([{"$unwind": stage}], [document]) == expected


@pytest.mark.parametrize(
    ("stage", "code"),
    [
        (5, 15981),
        ([], 15981),
        ("", 28812),
        ({}, 28812),
        ("a", 28818),
        ("$", 40352),
        ("$$ROOT", 16410),
        ("$a.", 40353),
        ("$a..b", 15998),
        ({"path": 5}, 28808),
        ({"path": {"$literal": "$a"}}, 28808),
        ({"path": "$a", "preserveNullAndEmptyArrays": 1}, 28809),
        ({"path": "$a", "preserveNullAndEmptyArrays": None}, 28809),
        ({"path": "$a", "includeArrayIndex": 5}, 28810),
        ({"path": "$a", "includeArrayIndex": ""}, 28810),
        ({"path": "$a", "includeArrayIndex": "$x"}, 28822),
        ({"path": "$a", "includeArrayIndex": "x.$y"}, 16410),
        ({"path": "$a", "more": 1}, 28811),
        ({"more": 1}, 28811),
    ],
)
def test_an_unwind_that_makes_no_sense_is_refused(stage, code):
    assert refused_code([{"$unwind": stage}])[0] == code


@pytest.mark.parametrize("stage", ["$a", {"path": "$a"}, {"path": "$a", "preserveNullAndEmptyArrays": False}])
def test_what_holds_no_element_goes_unless_it_is_to_stay(stage):
    assert results([{"$unwind": stage}], [{"a": []}, {"a": None}, {}, {"a": [1]}]) == [{"a": 1}]
