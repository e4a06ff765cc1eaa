"""Which fields a projection keeps: inclusion, exclusion, the identity, paths through objects and arrays."""

import pytest

from tests.language.projections.showing import refused_code, shown

CLUSTER = {
    "status": "live",
    "id": "west",
    "gpus": {"count": 8, "memory": 640},
    "nodes": [{"id": "a", "tags": ["x"]}, {"id": "b"}],
}


@pytest.mark.parametrize(
    ("projection", "fields"),
    [
        ({}, ["status", "id", "gpus", "nodes"]),
        ({"gpus": 1, "status": True}, ["status", "id", "gpus"]),  # in the document's order
        ({"absent": 1}, ["id"]),
        ({"id": 1}, ["id"]),
        ({"gpus": -0.5}, ["id", "gpus"]),
        ({"id": 0, "gpus": 1}, ["gpus"]),
        ({"id": False}, ["status", "gpus", "nodes"]),
        ({"gpus": 0, "status": False}, ["id", "nodes"]),
        ({"gpus": -0.0, "id": 1}, ["status", "id", "nodes"]),
        ({"absent": 0}, ["status", "id", "gpus", "nodes"]),
        ({"_id": 0, "gpus": 1}, ["id", "gpus"]),  # what users of MongoDB are used to write
        ({"_id": 0}, ["status", "id", "gpus", "nodes"]),
    ],
)
def test_a_projection_includes_or_excludes_fields(projection, fields):
    assert list(shown(CLUSTER, projection)) == fields


def test_an_empty_projection_shows_the_document_itself():
    assert shown(CLUSTER, {}) is CLUSTER


def test_an_excluded_identity_goes_and_another_field_of_its_name_stays():
    assert shown({"id": 1, "node": {"id": 2, "x": 3}}, {"id": 0, "node.id": 1}) == {"node": {"id": 2}}


def test_the_identity_can_have_another_name():
    assert shown({"key": 1, "id": 2, "a": 3}, {"a": 1}, identity="key") == {"key": 1, "a": 3}


@pytest.mark.parametrize(
    ("projection", "expected"),
    [
        ({"gpus.count": 1}, {"gpus": {"count": 8}}),
        ({"gpus": {"count": 1}}, {"gpus": {"count": 8}}),
        ({"gpus": {"count": 1}, "gpus.memory": 1}, {"gpus": {"count": 8, "memory": 640}}),
        ({"gpus.absent": 1}, {"gpus": {}}),
        ({"status.absent": 1}, {}),
        ({"nodes.id": 1}, {"nodes": [{"id": "a"}, {"id": "b"}]}),
        ({"nodes.tags": 1}, {"nodes": [{"tags": ["x"]}, {}]}),
        ({"nodes": {"tags": 1, "id": 1}}, {"nodes": [{"id": "a", "tags": ["x"]}, {"id": "b"}]}),
        ({"nodes.0": 1}, {"nodes": [{}, {}]}),
        ({"nodes.tags.0": 1}, {"nodes": [{"tags": []}, {}]}),
    ],
)
def test_an_inclusion_goes_through_objects_and_arrays(projection, expected):
    assert shown(CLUSTER, {**projection, "id": 0}) == expected


@pytest.mark.parametrize(
    ("projection", "expected"),
    [
        ({"a.b": 1}, {"a": [{"b": 1}, {}, [], [{"b": 2}]]}),
        ({"a.b": 0}, {"a": [{"c": 1}, {}, 5, None, [], [{}, 6]]}),
    ],
)
def test_an_array_keeps_its_structure(projection, expected):
    document = {"a": [{"b": 1, "c": 1}, {}, 5, None, [], [{"b": 2}, 6]]}
    assert shown(document, projection) == expected


@pytest.mark.parametrize(
    ("projection", "expected"),
    [
        ({"gpus.count": 0, "nodes": 0}, {"status": "live", "id": "west", "gpus": {"memory": 640}}),
        ({"nodes.id": 0, "gpus": 0}, {"status": "live", "id": "west", "nodes": [{"tags": ["x"]}, {}]}),
        ({"nodes": {"id": 0}, "gpus": 0}, {"status": "live", "id": "west", "nodes": [{"tags": ["x"]}, {}]}),
        ({"status.x": 0, "nodes": 0, "gpus": 0}, {"status": "live", "id": "west"}),
        ({"nodes.0": 0, "gpus": 0}, {"status": "live", "id": "west", "nodes": CLUSTER["nodes"]}),
    ],
)
def test_an_exclusion_goes_through_objects_and_arrays(projection, expected):
    assert shown(CLUSTER, projection) == expected


@pytest.mark.parametrize(
    ("projection", "code", "at"),
    [
        (["a"], 14, ""),
        ("a", 14, ""),
        ({"a": 1, "b": 0}, 31254, "/b"),
        ({"a": 0, "b": 1}, 31253, "/b"),
        ({"a": {"b": 0, "c": 1}}, 31253, "/a/c"),
        ({"a": {"id": 0}, "b": 1}, 31253, "/b"),  # only the document's own id is the identity
        ({"id.x": 0, "a": 1}, 31253, "/a"),
        ({"a": 0, "b": {"$add": [1, 2]}}, 31252, "/b"),
        ({"a": 0, "b": "$c"}, 31310, "/b"),
        ({"a": 0, "b": None}, 31310, "/b"),
        ({"id": "$c", "a": 0}, 31254, "/a"),
        ({"a": 1, "a.b": 1}, 31249, "/a.b"),
        ({"a.b": 1, "a": 1}, 31250, "/a"),
        ({"a": {"b": 1}, "a.b": 1}, 31250, "/a.b"),
        ({"a.b.c": 0, "a.b": 0}, 31250, "/a.b"),
        ({"a.b": 0, "a": {"b": {"c": 0}}}, 31249, "/a/b/c"),
        ({"": 1}, 40352, "/"),
        ({"a.": 1}, 40353, "/a."),
        ({".a": 1}, 15998, "/.a"),
        ({"a..b": 1}, 15998, "/a..b"),
        ({"$a": 1}, 16410, "/$a"),
        ({"a\0b": 1}, 16411, "/a\0b"),
        ({"a": {}}, 51270, "/a"),
        ({"a": {"b": 1, "$add": [1]}}, 16410, "/a/$add"),
        ({"a": {"$add": [1], "b": 1}}, 16410, "/a/$add"),
        ({"a": {"$nothing": 1}}, 31325, "/a/$nothing"),
        ({".".join("a" * 201): 1}, 15, "/" + ".".join("a" * 201)),
    ],
)
def test_a_projection_that_makes_no_sense_is_refused(projection, code, at):
    assert refused_code(projection) == (code, at)


def test_nested_objects_can_not_name_what_no_path_can():
    projection = 1
    for _ in range(3):
        projection = {".".join("a" * 70): projection}
    assert refused_code(projection)[0] == 15


def test_the_longest_path_is_shown():
    assert shown({"a": 1}, {".".join("a" * 200): 0}) == {"a": 1}


def test_a_nested_name_may_begin_with_a_dollar_as_in_documents():
    assert shown({"a": {"$ref": 1, "b": 2}}, {"a.$ref": 1}) == {"a": {"$ref": 1}}
