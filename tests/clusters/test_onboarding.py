"""The Parser's envelope."""

from typing import Any

import pytest

from rollbook.clusters.onboarding import search_values_in, values_in
from rollbook.errors import RequestRefused

DOCUMENT = {"id": "west"}


@pytest.mark.parametrize(
    "body",
    [
        DOCUMENT,
        {"body": {"spec": {"values": DOCUMENT}}},
        {"header": {"templateUri": "Parser/V1", "parameters": {}}, "body": {"spec": {"values": DOCUMENT}}},
        {"header": {}, "body": {"spec": {"values": DOCUMENT}}},
        {"header": None, "body": {"spec": {"values": DOCUMENT}}},
    ],
)
def test_a_document_is_found_with_and_without_its_envelope(body: Any) -> None:
    assert values_in(body) is DOCUMENT


def test_a_document_that_has_a_field_called_body_is_no_envelope() -> None:
    document = {"id": "west", "body": {"spec": {}}}
    assert values_in(document) is document


@pytest.mark.parametrize(
    ("body", "at"),
    [
        ({"body": 5}, "/body"),
        ({"body": {}}, "/body/spec"),
        ({"body": {"spec": []}}, "/body/spec"),
        ({"body": {"spec": {"value": DOCUMENT}}}, "/body/spec/values"),
        ({"body": {"spec": {"values": [DOCUMENT]}}}, "/body/spec/values"),
        ({"header": 5, "body": {"spec": {"values": DOCUMENT}}}, "/header"),
        ({"header": {"templateUri": "mine"}, "body": {"spec": {"values": DOCUMENT}}}, "/header/templateUri"),
    ],
)
def test_an_envelope_that_can_not_be_read_is_refused_with_its_place(body: Any, at: str) -> None:
    with pytest.raises(RequestRefused) as refused:
        values_in(body)
    assert refused.value.at == at


def test_a_search_is_found_with_and_without_its_envelope() -> None:
    search = {"matchType": "cluster"}

    assert search_values_in({"header": {}, "body": {"values": search}}) == (search, "/body/values")
    assert search_values_in(search) == (search, "")
    with pytest.raises(RequestRefused) as refused:
        search_values_in({"body": {"spec": {}}})
    assert refused.value.at == "/body/values"
