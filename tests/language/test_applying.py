"""The language as it is imported: one call to find, match, update or aggregate."""

import pytest

import rollbook.language
from rollbook.errors import LanguageRefused, PipelineRefused, UpdateRefused
from rollbook.language import aggregate, find, matches, update

FLEET = [
    {"id": "west", "gpus": {"count": 8}, "tags": ["production"]},
    {"id": "east", "gpus": {"count": 2}, "tags": []},
    {"id": "north", "gpus": {"count": 4}, "tags": ["test", "production"]},
]


def ids(documents):
    return [document["id"] for document in documents]


def test_documents_are_found_in_their_own_order_and_are_the_very_same_objects():
    found = find(FLEET, {"gpus.count": {"$gte": 4}})
    assert found[0] is FLEET[0]
    assert found[1] is FLEET[2]
    assert len(found) == 2


def test_no_condition_finds_everything():
    assert find(FLEET, {}) == FLEET


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"sort": {"gpus.count": 1}}, ["east", "north", "west"]),
        ({"sort": {"gpus.count": -1}, "limit": 1}, ["west"]),
        ({"skip": 1}, ["east", "north"]),
        ({"skip": 1, "limit": 1}, ["east"]),
        ({"skip": 1.0, "limit": 1.0}, ["east"]),
        ({"skip": 3}, []),
        ({"limit": 0}, ["west", "east", "north"]),
        ({"skip": 2**63 - 1, "limit": 2**63 - 1}, []),
    ],
)
def test_an_answer_is_sorted_then_cut(options, expected):
    assert ids(find(FLEET, {}, **options)) == expected


def test_a_projection_shows_the_identity_unless_it_excludes_it():
    assert find(FLEET, {"id": "west"}, projection={"gpus.count": 1}) == [{"id": "west", "gpus": {"count": 8}}]
    assert find(FLEET, {"id": "west"}, projection={"id": 0, "gpus.count": 1}) == [{"gpus": {"count": 8}}]
    assert find([{"_id": 1, "a": 2, "b": 3}], {}, projection={"a": 1}, identity="_id") == [{"_id": 1, "a": 2}]


def test_a_positional_projection_shows_the_element_that_the_filter_matched():
    assert find(FLEET, {"tags": "production"}, projection={"id": 0, "tags.$": 1}) == [
        {"tags": ["production"]},
        {"tags": ["production"]},
    ]


@pytest.mark.parametrize(
    ("option", "value", "code"),
    [
        ("skip", -1, 2),
        ("limit", -1, 2),
        ("limit", 2**63, 2),
        ("limit", 1.5, 14),
        ("limit", True, 14),
        ("skip", "1", 14),
        ("skip", float("inf"), 14),
        ("sort", {"a": 0}, 15975),
        ("projection", {"a": 1, "b": 0}, 31254),
    ],
)
def test_a_refused_option_says_which(option, value, code):
    with pytest.raises(LanguageRefused) as refused:
        find(FLEET, {}, **{option: value})
    assert refused.value.at.startswith(f"/{option}")
    assert refused.value.mongo_code == code


def test_a_refused_filter_says_where_before_a_document_is_looked_at():
    documents = iter(FLEET)
    with pytest.raises(LanguageRefused) as refused:
        find(documents, {"a": {"$in": 5}})
    assert refused.value.at == "/filter/a/$in"
    assert list(documents) == FLEET


def test_one_document_matches_or_not():
    assert matches(FLEET[0], {"tags": "production"})
    assert not matches(FLEET[1], {"tags": "production"})


def test_an_update_leaves_its_document_alone_and_gives_it_back_when_nothing_changes():
    document = {"id": "west", "a": 1}
    assert update(document, {"$inc": {"a": 1}}) == {"id": "west", "a": 2}
    assert document == {"id": "west", "a": 1}
    assert update(document, {"$set": {"a": 1}}) is document


def test_an_update_is_an_object_of_operators_or_an_array_of_stages():
    assert update({"a": 1}, {"$set": {"b": "$a"}}) == {"a": 1, "b": "$a"}
    assert update({"a": 1}, [{"$set": {"b": "$a"}}]) == {"a": 1, "b": 1}


def test_plain_fields_mean_set_or_a_replacement():
    assert update({"id": "west", "a": 1}, {"b": 2}) == {"id": "west", "a": 1, "b": 2}
    assert update({"id": "west", "a": 1}, {"b": 2}, bare="replace") == {"id": "west", "b": 2}


def test_the_filter_of_an_update_gives_the_position():
    document = {"nodes": [{"id": 1, "gpus": 2}, {"id": 2, "gpus": 4}]}
    assert update(document, {"$inc": {"nodes.$.gpus": 1}}, filter={"nodes.id": 2}) == {
        "nodes": [{"id": 1, "gpus": 2}, {"id": 2, "gpus": 5}]
    }


@pytest.mark.parametrize("change", [{"$set": {"a": 2}}, [{"$set": {"a": 2}}]])
def test_a_document_that_the_filter_of_an_update_does_not_match_is_left_as_it_is(change):
    document = {"a": 1}
    assert update(document, change, filter={"a": 3}) is document
    assert update(document, change, filter={"a": 1}) == {"a": 2}


def test_array_filters_choose_elements():
    assert update({"a": [1, 5, 9]}, {"$set": {"a.$[big]": 0}}, array_filters=[{"big": {"$gte": 5}}]) == {"a": [1, 0, 0]}


def test_stages_take_no_array_filters_but_an_empty_list_says_nothing():
    assert update({}, [{"$set": {"a": 1}}], array_filters=[]) == {"a": 1}
    with pytest.raises(UpdateRefused) as refused:
        update({}, [{"$set": {"a": 1}}], array_filters=[{"x": 1}])
    assert refused.value.mongo_code == 9


def test_the_identity_does_not_change():
    with pytest.raises(LanguageRefused) as refused:
        update({"id": "west"}, {"$set": {"id": "east"}})
    assert refused.value.mongo_code == 66
    assert update({"id": "west", "_id": 1}, {"$set": {"id": "east"}}, identity="_id") == {"id": "east", "_id": 1}


def test_documents_go_through_the_stages_of_a_pipeline():
    pipeline = [
        {"$unwind": "$tags"},
        {"$group": {"_id": "$tags", "gpus": {"$sum": "$gpus.count"}}},
        {"$sort": {"_id": 1}},
    ]
    assert aggregate(FLEET, pipeline) == [{"_id": "production", "gpus": 12}, {"_id": "test", "gpus": 4}]


def test_a_refused_stage_says_where():
    with pytest.raises(PipelineRefused) as refused:
        aggregate(FLEET, [{"$match": {}}, {"$out": "elsewhere"}])
    assert refused.value.at.startswith("/pipeline/1")


def test_everything_that_the_language_exports_is_there():
    assert [name for name in rollbook.language.__all__ if not hasattr(rollbook.language, name)] == []
    assert sorted(rollbook.language.__all__) == rollbook.language.__all__
