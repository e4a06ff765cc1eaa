"""A command is a value: it is decided as often as one likes, and each decision spends from a budget of its own."""

from typing import Any

import orjson
import pytest

from rollbook.clusters.acceptance import SchemaRules
from rollbook.errors import WorkExceeded
from rollbook.language.edits import compile_edit, parse_edit
from rollbook.limits import DEFAULT_LIMITS, RequestBudget
from rollbook.registry.reading.update_requests import parse_update_request
from rollbook.registry.writing.commands import Command, Current, Update
from rollbook.registry.writing.node_commands import EditNodes
from rollbook.registry.writing.node_edits import patching
from tests.examples import cluster, node

CURRENT = Current(orjson.dumps(cluster("west", node("first"))), 1)

MANY_NUMBERS = {"$size": {"$range": [0, 600_000]}}
"""Makes 48 MB of numbers on the way: a budget allows it eleven times."""


def update(body: Any) -> Update:
    return parse_update_request("west", body, rules=SchemaRules(), limits=DEFAULT_LIMITS)


def budget() -> RequestBudget:
    return RequestBudget(bytes_left=DEFAULT_LIMITS.result_bytes_max)


def patch_of_a_node() -> EditNodes:
    edit = parse_edit([{"$set": {"numbers": {"$range": [0, {"$add": [100_000, {"$size": [["$id"]]}]}]}}}])
    return EditNodes(
        "west", patching("first", lambda node, budget: compile_edit(edit, work=budget)(node)), SchemaRules()
    )


@pytest.mark.parametrize(
    "command",
    [
        update([{"$set": {"numbers": {"$range": [0, {"$add": [100_000, {"$size": "$tags"}]}]}}}]),
        update({"update": {"tags": ["new"]}, "filter": {"$expr": {"$lt": [0, MANY_NUMBERS]}}}),
        patch_of_a_node(),
    ],
    ids=["pipeline", "condition", "node"],
)
def test_a_command_can_be_decided_again_and_again(command: Command) -> None:
    first = command.decide(CURRENT, budget())
    assert first.kind == "updated"
    for _ in range(80):
        assert command.decide(CURRENT, budget()) == first


def test_a_decision_spends_no_more_than_its_budget() -> None:
    command = update([{"$set": {"numbers": {"$range": [0, 100_000]}}}])
    with pytest.raises(WorkExceeded):
        command.decide(CURRENT, RequestBudget(bytes_left=1_000))
    assert command.decide(CURRENT, budget()).kind == "updated"


def test_equal_requests_are_equal_commands() -> None:
    body = {"update": {"$push": {"tags": "new"}}, "filter": {"status": "live"}}
    assert update(body) == update(body)
