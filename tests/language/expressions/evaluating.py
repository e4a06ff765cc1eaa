"""What the tests of expressions ask: the value of an expression for a document, or how it is refused."""

from typing import Any

import pytest

from rollbook.documents.values import MISSING, Maybe, Value
from rollbook.errors import LanguageRefused
from rollbook.language.expressions import compile_expression, parse_expression, scope_of
from tests.language.refusals import explained


def value_of(expression: Any, document: Value = None, **variables: Maybe) -> Any:
    """The value of ``expression`` for a document (an empty one when it is not given)."""
    parsed = parse_expression(expression, variables=frozenset(variables))
    return compile_expression(parsed)(scope_of({} if document is None else document, **variables))


def refusal_of(expression: Any, document: Value = None) -> LanguageRefused:
    """The refusal of ``expression``: when it is read, or when it is evaluated for the document."""
    with pytest.raises(LanguageRefused) as refusal:
        value_of(expression, document)
    return explained(refusal.value)


def code_of(expression: Any, document: Value = None) -> int | None:
    """MongoDB's code for the refusal of ``expression``."""
    return refusal_of(expression, document).mongo_code


def is_missing(value: Maybe) -> bool:
    """Whether an expression gave nothing at all."""
    return value is MISSING
