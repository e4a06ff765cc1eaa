"""What is no filter: refused where it stands, with MongoDB's code."""

import pytest

from rollbook.errors import FilterRefused
from rollbook.language.foreign import FILTERS
from tests.language.filters.matching import refusal, refused_code


@pytest.mark.parametrize("filter", [None, 5, "a", True, [], [{"a": 1}]])
def test_a_filter_is_an_object(filter):
    assert refused_code(filter, at="/query") == (14, "/query")


@pytest.mark.parametrize(
    ("filter", "at"),
    [
        ({"$and": []}, "/$and"),
        ({"$or": {"a": 1}}, "/$or"),
        ({"$nor": None}, "/$nor"),
        ({"$or": [{"a": 1}, 5]}, "/$or/1"),
        ({"$and": [{"a": 1}, {"$or": [{}, {"$nor": []}]}]}, "/$and/1/$or/1/$nor"),
        ({"a": {"$not": 5}}, "/a/$not"),
        ({"a": {"$not": {}}}, "/a/$not"),
        ({"a": {"$not": {"b": 1}}}, "/a/$not/b"),
        ({"a": {"$in": 5}}, "/a/$in"),
        ({"a": {"$in": [1, {"$gt": 5}]}}, "/a/$in/1"),
        ({"a": {"$nin": None}}, "/a/$nin"),
        ({"a": {"$nin": [{"$regex": "x"}]}}, "/a/$nin/0"),
        ({"a": {"$all": 5}}, "/a/$all"),
        ({"a": {"$all": [1, {"$gt": 5}]}}, "/a/$all/1"),
        ({"a": {"$all": [{"$elemMatch": {"b": 1}}, 5]}}, "/a/$all/1"),
        ({"a": {"$all": [{"$elemMatch": {"b": 1}}, {"b": 1}]}}, "/a/$all/1"),
        ({"a": {"$all": [{"$elemMatch": 5}]}}, "/a/$all/0/$elemMatch"),
        ({"a": {"$elemMatch": [1]}}, "/a/$elemMatch"),
        ({"a": {"$elemMatch": {"b": {"$foo": 1}}}}, "/a/$elemMatch/b/$foo"),
        ({"a": {"$elemMatch": {"$foo": 1}}}, "/a/$elemMatch/$foo"),
        ({"a": {"$elemMatch": {"$expr": True}}}, "/a/$elemMatch/$expr"),
        (
            {"a": {"$elemMatch": {"b": {"$elemMatch": {"$or": [{"$expr": True}]}}}}},
            "/a/$elemMatch/b/$elemMatch/$or/0/$expr",
        ),
        ({"a": {"$size": -1}}, "/a/$size"),
        ({"a": {"$size": 1.5}}, "/a/$size"),
        ({"a": {"$size": True}}, "/a/$size"),
        ({"a": {"$size": 2**31}}, "/a/$size"),
        ({"a": {"$mod": [4]}}, "/a/$mod"),
        ({"a": {"$mod": [4, 0, 0]}}, "/a/$mod"),
        ({"a": {"$mod": [0.9, 0]}}, "/a/$mod/0"),
        ({"a": {"$mod": [4, "0"]}}, "/a/$mod/1"),
        ({"a": {"$mod": [1e300, 0]}}, "/a/$mod/0"),
        ({"a": {"$mod": [1, 2**63]}}, "/a/$mod/1"),
        ({"a": {"$mod": [1, -(2**63) - 1]}}, "/a/$mod/1"),
        ({"a": {"$mod": [1, 2.0**63]}}, "/a/$mod/1"),
        ({"a": {"$mod": [1, -(2.0**63)]}}, "/a/$mod/1"),
        ({"a": {"$bitsAllSet": "1"}}, "/a/$bitsAllSet"),
        ({"a": {"$bitsAllSet": True}}, "/a/$bitsAllSet"),
        ({"a": {"$bitsAnySet": [1, -1]}}, "/a/$bitsAnySet/1"),
        ({"a": {"$bitsAnySet": [True]}}, "/a/$bitsAnySet/0"),
        ({"a": {"$bitsAnyClear": [0.5]}}, "/a/$bitsAnyClear/0"),
        ({"a": {"$bitsAllClear": [2**31]}}, "/a/$bitsAllClear/0"),
        ({"a": {"$type": "integer"}}, "/a/$type"),
        ({"a": {"$type": 0}}, "/a/$type"),
        ({"a": {"$type": 1.5}}, "/a/$type"),
        ({"a": {"$type": ["string", 99]}}, "/a/$type/1"),
        ({"a": {"$regex": 5}}, "/a/$regex"),
        ({"a": {"$regex": "x", "$options": 5}}, "/a/$options"),
        ({"a": {"$options": "i"}}, "/a/$options"),
        ({"a": {"$regex": "x\0"}}, "/a/$regex"),
        ({"a": {"$gt": 1, "b": 2}}, "/a/b"),
        ({"a": {"$ref": "clusters"}}, "/a/$ref"),  # a link needs $id too
        ({"a": {"$and": [{"b": 1}]}}, "/a/$and"),
        ({"a": {"$comment": "x"}}, "/a/$comment"),
        ({"$gt": 5}, "/$gt"),
        ({"$not": {"a": 1}}, "/$not"),
        ({"$foo": 5}, "/$foo"),
        ({"a/b": {"$~": 1}}, "/a~1b/$~0"),
    ],
)
def test_a_bad_value_is_refused_where_it_stands(filter, at):
    assert refused_code(filter) == (2, at)


@pytest.mark.parametrize(
    ("filter", "code", "at"),
    [
        ({"a": {"$bitsAllSet": -1}}, 9, "/a/$bitsAllSet"),
        ({"a": {"$bitsAllSet": 0.5}}, 9, "/a/$bitsAllSet"),
        ({"a": {"$bitsAllSet": 2.0**63}}, 9, "/a/$bitsAllSet"),
        ({"a": {"$type": []}}, 9, "/a/$type"),
        ({"a": {"$type": True}}, 14, "/a/$type"),
        ({"a": {"$type": ["string", None]}}, 14, "/a/$type/1"),
        ({"a": {"$regex": "("}}, 51091, "/a/$regex"),
        ({"a": {"$regex": "(?=x)"}}, 51091, "/a/$regex"),
        ({"a": {"$regex": "x", "$options": "g"}}, 51108, "/a/$options"),
        ({"$alwaysTrue": 2}, 9, "/$alwaysTrue"),
        ({"$expr": {"$betwen": []}}, 168, "/$expr/$betwen"),
        ({"$alwaysFalse": True}, 9, "/$alwaysFalse"),
        ({".".join("a" * 201): 1}, 15, "/" + ".".join("a" * 201)),
    ],
)
def test_a_refusal_has_mongodbs_code(filter, code, at):
    assert refused_code(filter) == (code, at)


@pytest.mark.parametrize("name", FILTERS)
def test_an_operator_that_is_not_supported_is_refused_with_the_reason(name):
    for filter, at in (({name: 1}, f"/q/{name}"), ({"a": {name: 1}}, f"/q/a/{name}")):
        refused = refusal(filter, at="/q")
        assert isinstance(refused, FilterRefused)
        assert (refused.mongo_code, refused.at) == (2, at)
        assert FILTERS[name] in refused.message


@pytest.mark.parametrize(
    ("filter", "words"),
    [
        ({"a": {"$in": 5}}, "$in takes a list of values; it got 5"),
        ({"a": {"$in": None}}, "it got null"),
        ({"a": {"$size": "x" * 100}}, '"xxx'),
        ({"$gt": 5}, '{"field": {"$gt": ...}}'),
        ({"a": {"$or": []}}, "$or stands beside fields"),
        ({"$and": []}, "$and takes a list of at least one filter"),
        ({"$or": 5}, "$or takes a list of at least one filter; it got 5"),
        ({"$nor": [5]}, "$nor takes filters"),
        ({"a": {"$nin": 5}}, "$nin takes a list of values"),
        ({"$alwaysTrue": 2}, "$alwaysTrue takes the number 1; it got 2"),
        ({"$alwaysFalse": 2}, "$alwaysFalse takes the number 1"),
        ({"$jsonSchema": {"const": 5}}, "const of $jsonSchema is not known"),
        ({"$jsonSchema": {"$ref": "#"}}, "$ref of $jsonSchema is not supported"),
        ({"a": {"$size": "x" * 58}}, f'"{"x" * 58}"'),  # 60 characters, quoted
        ({"a": {"$size": "x" * 59}}, f'"{"x" * 56}...'),
        ({"a": {"$betwen": 1}}, 'no operator of filters "$betwen"'),
    ],
)
def test_a_refusal_says_what_to_do(filter, words):
    assert words in refusal(filter).message
    assert len(refusal(filter).message) < 200
