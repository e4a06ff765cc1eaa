"""What the tests of filters ask: which of some documents match, or how the filter is refused."""

import copy
from collections.abc import Mapping
from typing import Any

import pytest

from rollbook.errors import LanguageRefused
from rollbook.language.filters import compile_filter, parse_filter
from rollbook.limits import RequestBudget
from tests.language.refusals import explained


def matches(filter: Any, document: Any) -> bool:
    """Whether the document matches, with work counted and without; sees to it that neither is mutated."""
    before = copy.deepcopy((filter, document))
    parsed = parse_filter(filter)
    answer = compile_filter(parsed)(document)
    assert compile_filter(parsed, work=RequestBudget())(document) is answer
    assert (filter, document) == before
    return answer


def matching(filter: Any, documents: Mapping[str, Any]) -> list[str]:
    """The names of the documents that match, in their order."""
    return [name for name, document in documents.items() if matches(filter, document)]


def refusal(filter: Any, **options: Any) -> LanguageRefused:
    """The refusal that the filter meets."""
    with pytest.raises(LanguageRefused) as caught:
        parse_filter(filter, **options)
    return explained(caught.value)


def refused_code(filter: Any, **options: Any) -> tuple[int | None, str]:
    """MongoDB's code of the refusal, and where in the request it points."""
    refused = refusal(filter, **options)
    return refused.mongo_code, refused.at
