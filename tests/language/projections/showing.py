"""What the tests of projections ask: what is shown of a document, or how the projection is refused."""

import copy
from typing import Any

import pytest

from rollbook.errors import LanguageRefused
from rollbook.language.filters import parse_filter
from rollbook.language.projections import compile_projection, parse_projection
from tests.language.refusals import explained


def shown(document: Any, projection: Any, *, filter: Any = None, **options: Any) -> Any:
    """What the projection shows of the document. Sees to it that neither is mutated."""
    before = copy.deepcopy((document, projection))
    condition = None if filter is None else parse_filter(filter)
    result = compile_projection(parse_projection(projection, **options), filter=condition)(document)
    assert (document, projection) == before
    return result


def refusal(projection: Any, document: Any = None, **options: Any) -> LanguageRefused:
    """The refusal that the projection meets, when it is parsed or when it is applied to the document."""
    with pytest.raises(LanguageRefused) as caught:
        shown({} if document is None else document, projection, **options)
    return explained(caught.value)


def refused_code(projection: Any, document: Any = None, **options: Any) -> tuple[int | None, str]:
    """MongoDB's code of the refusal, and where in the request it points."""
    refused = refusal(projection, document, **options)
    return refused.mongo_code, refused.at
