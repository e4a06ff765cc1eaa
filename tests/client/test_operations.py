"""Every operation of the registry's table is one of the client's, with its method and its path."""

import re
from typing import Any

from rollbook.api.operations import OPERATIONS
from rollbook.client.binding import operation, streamed
from rollbook.client.nouns import Access, Clusters, History, Nodes, Registry, Roles, Tokens, Webhooks
from rollbook.client.replies import Page

LEFT_OUT = {
    "createClusterFromSpec": "an envelope of the Parser's; clusters.create does the same",
    "addNode": "an envelope of the Parser's; nodes.join does the same",
    "searchWithEnvelope": "the older search language; clusters.query finds more",
    "searchRanked": "the older search language; clusters.query finds more",
    "search": "the older search language; clusters.query finds more",
    "openSession": "for browsers",
    "closeSession": "for browsers",
    "getHealth": "for probes",
    "getWelcome": "for people",
    "getDocumentation": "for people",
    "getConsole": "for people",
    "getConsoleFile": "for people",
}

ARGUMENTS: dict[str, Any] = {
    "id": "west",
    "since": 0,
    "key": "status",
    "node_id": "n-1",
    "number": 1,
    "cluster": {},
    "node": {},
    "nodes": [],
    "update": {},
    "patch": {},
    "webhook": {},
    "token": {},
    "name": "reader",
    "role": {},
    "verb": "read",
    "pipeline": [],
    "filter": {},
    "facets": [],
    "columns": [],
    "lines": [],
    "last": Page([], "/clusters?cursor=x"),
}


def calls() -> list[Any]:
    made = []
    for noun in (Clusters, Nodes, History, Webhooks, Tokens, Roles, Access, Registry):
        for bound in vars(noun).values():
            if isinstance(bound, operation | streamed):
                code = bound.make.__code__
                required = code.co_varnames[: code.co_argcount - len(bound.make.__defaults__ or ())]
                call = bound.make(*(ARGUMENTS[name] for name in required))
                made.append(getattr(call, "call", call))
    return made


def test_every_operation_is_in_the_client_or_left_out_for_a_reason():
    asked = {(call.method, call.path) for call in calls()}
    missing = {
        each.name
        for each in OPERATIONS
        if not any(method == each.method and re.fullmatch(pattern_of(each.template), path) for method, path in asked)
    }
    assert missing == set(LEFT_OUT)


def test_every_call_of_the_client_is_an_operation():
    for call in calls():
        assert any(
            call.method == each.method and re.fullmatch(pattern_of(each.template), call.path) for each in OPERATIONS
        )


def pattern_of(template: str) -> str:
    return re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template))
