"""The tree that planning and casting walk: plain, and complete."""

import pytest

from rollbook.language.filters import compile_filter, parse_condition, parse_filter
from rollbook.language.filters.nodes import EVERYTHING, All, Any, Constant, ElemMatch, Field, JsonSchema, Not

A_IS_1 = Field(("a",), "$eq", 1)


@pytest.mark.parametrize(
    ("filter", "tree"),
    [
        ({}, EVERYTHING),
        ({"$comment": "x"}, EVERYTHING),
        ({"a": 1}, A_IS_1),
        ({"a.b.0": {"$gt": 1}}, Field(("a", "b", "0"), "$gt", 1)),
        ({"a": 1, "b": {"$gt": 1, "$lt": 5}}, All((A_IS_1, All((Field(("b",), "$gt", 1), Field(("b",), "$lt", 5)))))),
        ({"a": {"$ne": 1}}, Not(A_IS_1)),
        ({"a": {"$nin": [1]}}, Not(Field(("a",), "$in", [1]))),
        ({"a": {"$exists": 1}}, Field(("a",), "$exists", True)),
        ({"a": {"$exists": 0}}, Not(Field(("a",), "$exists", True))),
        ({"a": {"$not": {"$ne": 1}}}, Not(Not(A_IS_1))),
        ({"$or": [{"a": 1}, {"b": 1}]}, Any((A_IS_1, Field(("b",), "$eq", 1)))),
        ({"$or": [{"a": 1}]}, A_IS_1),
        ({"$nor": [{"a": 1}, {"b": 1}]}, Not(Any((A_IS_1, Field(("b",), "$eq", 1))))),
        ({"$nor": [{"a": 1}]}, Not(A_IS_1)),
        ({"a": {"$all": [1, 2]}}, All((A_IS_1, Field(("a",), "$eq", 2)))),
        ({"a": {"$all": []}}, Constant(False)),
        ({"a": {"$elemMatch": {"b": 1}}}, ElemMatch(("a",), Field(("b",), "$eq", 1), on="fields")),
        ({"a": {"$elemMatch": {"$gt": 1}}}, ElemMatch(("a",), Field((), "$gt", 1), on="values")),
        ({"a": {"$regex": "x", "$options": "i"}}, Field(("a",), "$regex", "x", "i")),
        ({"$jsonSchema": {"required": ["a"]}}, JsonSchema({"required": ["a"]})),
        ({"$alwaysFalse": 1}, Constant(False)),
    ],
)
def test_a_filter_is_a_plain_tree(filter, tree):
    assert parse_filter(filter) == tree


def test_every_field_says_where_its_operand_stands():
    parsed = parse_filter({"$or": [{"a": 5}, {"b": {"$not": {"$in": [5]}}}]}, at="/query")
    assert isinstance(parsed, Any)
    first, second = parsed.clauses
    assert isinstance(first, Field)
    assert isinstance(second, Not)
    assert isinstance(second.clause, Field)
    assert (first.at, second.clause.at) == ("/query/$or/0/a", "/query/$or/1/b/$not/$in")


@pytest.mark.parametrize(
    ("condition", "place"),
    [
        ({"$gt": 5}, "/$gt"),
        ({"$ne": 5}, "/$ne"),
        ({"$nin": [5]}, "/$nin"),
        ({"$exists": True}, "/$exists"),
        ({"$all": [5]}, "/$all/0"),
        ({"$regex": "x"}, "/$regex"),
        ({"$size": 5}, "/$size"),
        (5, ""),
    ],
)
def test_a_condition_says_where_its_operand_stands(condition, place):
    for parsed in (parse_filter({"a": condition}, at="/query"), parse_condition(condition, at="/query/a")):
        field = parsed.clause if isinstance(parsed, Not) else parsed
        assert isinstance(field, Field)
        assert field.at == f"/query/a{place}"


def test_a_condition_stands_on_no_path():
    assert parse_condition(5) == Field((), "$eq", 5)
    assert parse_condition({"$gt": 5}) == Field((), "$gt", 5)


@pytest.mark.parametrize("tree", [All((A_IS_1,)), Any((A_IS_1,)), All((All((A_IS_1,)),)), Not(Not(Any((A_IS_1,))))])
def test_a_tree_of_one_clause_is_that_clause(tree):
    assert compile_filter(tree)({"a": 1})
    assert not compile_filter(tree)({"a": 2})


def test_no_clauses_all_match_and_none_of_them_does():
    assert compile_filter(All(()))({})
    assert not compile_filter(Any(()))({})
