"""What the suite saw over HTTP is what the table declares, and what the table declares was seen.

These tests run last. When only some tests run, what was not seen proves nothing.
"""

import pytest

from rollbook.api import headers
from rollbook.api.declarations import ANYWHERE, PROBLEM_JSON, Operation
from rollbook.api.operations import OPERATIONS
from rollbook.api.parameters import taken_by
from rollbook.api.problems import status_of
from rollbook.errors import RegistryError
from tests.recording import Exchange, seen, undeclared

ROWS = {operation.name: operation for operation in OPERATIONS}
OF_EVERY_ANSWER = (
    headers.OF_HTTP
    | headers.OF_CORS
    | {header.name.lower() for header in (*headers.OF_EVERY_ANSWER, headers.CONNECTION)}
)
OF_REFUSALS = OF_EVERY_ANSWER | {header.name.lower() for header in headers.OF_REFUSALS}
SEEN_ELSEWHERE = frozenset(
    {
        "head-too-large",
        "head-incomplete",
        "body-incomplete",
        "overloaded",
        "journal-unavailable",
        "journal-forbidden",
        "journal-damaged",
        "journal-conflict",
        "outcome-unknown",
    }
)
"""Refusals that httpx is never given by a ``ServerProcess``: the tests that see them speak to the socket
(``test_wire``, ``test_floods``), or to a journal in this process."""


def is_refusal(exchange: Exchange) -> bool:
    return exchange.media_type == PROBLEM_JSON


def codes_of(operation: Operation) -> set[str]:
    return {kind.code for kind in (*operation.refuses, *ANYWHERE, RegistryError)}


def has_declared_status(operation: Operation, exchange: Exchange) -> bool:
    refused = {status_of(kind()) for kind in (*operation.refuses, *ANYWHERE, RegistryError)}
    answered = {answer.status for answer in operation.answers}
    return exchange.status in (refused if is_refusal(exchange) else answered)


def has_declared_code(operation: Operation, exchange: Exchange) -> bool:
    return exchange.code is None or exchange.code in codes_of(operation)


def has_declared_parameters(operation: Operation, exchange: Exchange) -> bool:
    known = exchange.parameters <= {parameter.name for parameter in taken_by(operation)}
    return known or operation.ignores_parameters or exchange.status >= 400


def has_declared_headers(operation: Operation, exchange: Exchange) -> bool:
    if is_refusal(exchange):
        return exchange.headers <= OF_REFUSALS
    own = {each.name.lower() for answer in operation.answers for each in answer.headers}
    return exchange.headers <= OF_EVERY_ANSWER | own


def has_declared_media_type(operation: Operation, exchange: Exchange) -> bool:
    answers = {each for answer in operation.answers for each in answer.media_types}
    return exchange.media_type in ("", PROBLEM_JSON) or exchange.media_type in answers


@pytest.mark.parametrize(
    "is_declared",
    [has_declared_status, has_declared_code, has_declared_parameters, has_declared_headers, has_declared_media_type],
)
def test_what_was_seen_is_declared(is_declared) -> None:
    assert undeclared(seen(), is_declared) == []


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_what_is_declared_was_seen(operation: Operation, whole_suite: bool) -> None:
    if not whole_suite:
        return
    exchanges = [each for each in seen() if each.operation == operation.name]
    assert {answer.status for answer in operation.answers} <= {each.status for each in exchanges}
    assert {kind.code for kind in operation.refuses} <= {each.code for each in exchanges}
    accepted = [each for each in exchanges if each.status < 400]
    assert {each.name for each in operation.parameters} <= frozenset().union(*(each.parameters for each in accepted))
    own = {header.name.lower() for answer in operation.answers for header in answer.headers}
    assert own <= frozenset().union(*(each.headers for each in accepted))


def test_what_any_operation_may_refuse_was_seen(whole_suite: bool) -> None:
    if whole_suite:
        assert {kind.code for kind in ANYWHERE} <= {each.code for each in seen()} | SEEN_ELSEWHERE


@pytest.mark.parametrize(
    ("changed", "is_declared"),
    [
        ({"status": 418}, has_declared_status),
        ({"status": 200, "media_type": PROBLEM_JSON}, has_declared_status),
        ({"code": "node-exists", "media_type": PROBLEM_JSON, "status": 409}, has_declared_code),
        ({"parameters": frozenset({"force"})}, has_declared_parameters),
        ({"headers": frozenset({"x-made-up"})}, has_declared_headers),
        ({"media_type": "text/plain"}, has_declared_media_type),
    ],
)
def test_what_is_not_declared_is_found(changed, is_declared) -> None:
    sound = {
        "operation": "getCluster",
        "method": "GET",
        "status": 200,
        "code": None,
        "parameters": frozenset({"revision"}),
        "headers": frozenset({"etag"}),
        "media_type": "application/json",
    }
    assert is_declared(ROWS["getCluster"], Exchange(**sound))
    assert len(undeclared([Exchange(**{**sound, **changed})], is_declared)) == 1
