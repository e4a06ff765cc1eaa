"""What a stage, ``$project``, takes of the language of projections, and what of it is for queries only."""

import pytest

from rollbook.errors import LanguageRefused
from rollbook.language.projections import compile_projection, parse_project_stage
from rollbook.limits import Limits
from tests.language.refusals import explained


def projected(document, stage, **options):
    return compile_projection(parse_project_stage(stage, **options))(document)


@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        ({"a": 1}, {"id": 1, "a": [1, 2]}),
        ({"a": 0}, {"id": 1, "b": 3}),
        ({"a": 1, "id": 0}, {"a": [1, 2]}),
        ({"a": {"$slice": ["$a", 1]}}, {"id": 1, "a": [1]}),  # always the expression
    ],
)
def test_a_stage_includes_excludes_and_computes(stage, expected):
    assert projected({"id": 1, "a": [1, 2], "b": 3}, stage) == expected


def test_the_identity_of_a_stage_can_have_another_name():
    assert projected({"key": 1, "id": 2, "_id": 3, "a": 4}, {"a": 1}, identity="key") == {"key": 1, "_id": 3, "a": 4}


@pytest.mark.parametrize(
    ("stage", "code", "at"),
    [
        ([{"a": 1}], 15969, ""),
        ("a", 15969, ""),
        ({}, 51272, ""),
        ({"a.$": 1}, 31324, "/a.$"),
        ({"a": {"$elemMatch": {"x": 1}}}, 168, "/a/$elemMatch"),
        ({"a": {"$betwen": 1}}, 31325, "/a/$betwen"),
        ({"a": {"$add": [{"$betwen": 1}]}}, 168, "/a/$add/0/$betwen"),
        ({"a": {"$slice": 1}}, 28667, "/a/$slice"),
        ({"a.$b": 1}, 16410, "/a.$b"),
    ],
)
def test_a_stage_that_makes_no_sense_is_refused(stage, code, at):
    with pytest.raises(LanguageRefused) as caught:
        parse_project_stage(stage, at="/pipeline/0")
    refused = explained(caught.value)
    assert (refused.mongo_code, refused.at) == (code, f"/pipeline/0{at}")


def test_a_stage_has_the_limits_of_the_request():
    with pytest.raises(LanguageRefused) as caught:
        parse_project_stage({"a": {"$abs": {"$abs": {"$abs": "$a"}}}}, limits=Limits(expression_depth_max=2))
    assert caught.value.mongo_code == 15
