"""How these tests apply an update: parsed, compiled and run, with the identity field ``id``."""

import copy
from datetime import UTC, datetime
from typing import Any

import pytest

from rollbook.documents.values import MISSING
from rollbook.errors import UpdateRefused
from rollbook.language.filters import parse_filter
from rollbook.language.updates import compile_update, parse_update
from tests.language.refusals import explained

NOON = datetime(2024, 2, 29, 12, 0, tzinfo=UTC)


def updated(
    document: Any, update: Any, *, array_filters: Any = MISSING, filter: Any = None, bare: Any = "set", **options: Any
) -> Any:
    """The document after the update. Sees to it that neither argument is mutated."""
    before = copy.deepcopy((document, update))
    parsed = parse_update(update, array_filters=array_filters, bare=bare, **options)
    condition = None if filter is None else parse_filter(filter)
    after = compile_update(parsed, filter=condition, clock=lambda: NOON)(document)
    assert (document, update) == before
    return after


def refusal(document: Any, update: Any, **options: Any) -> UpdateRefused:
    """The refusal that the update meets, when it is parsed or when it is applied to the document."""
    with pytest.raises(UpdateRefused) as caught:
        updated(document, update, **options)
    return explained(caught.value)


def refused_code(document: Any, update: Any, **options: Any) -> tuple[int | None, str]:
    """MongoDB's code of the refusal, and where in the request it points."""
    refused = refusal(document, update, **options)
    return refused.mongo_code, refused.at
