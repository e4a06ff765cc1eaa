"""From the JSON of a filter to words.

One rule: what is printed and parsed again is the same filter; a law in the tests. What words can't say is printed as
the JSON it is, which stands among words as a condition of its own.
"""

import re
from collections.abc import Iterator
from typing import Any

from rollbook.documents.codec import encode_json
from rollbook.documents.values import Document, Value
from rollbook.language.filters import is_operator_object
from rollbook.language.words.lexing import CONSTANTS, KEYWORDS
from rollbook.language.words.vocabularies import PLAIN, Vocabulary

PLAIN_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_.:/@*+-]*", re.ASCII)
RESERVED = KEYWORDS | CONSTANTS.keys()

COMPARISONS = {"$eq": "=", "$ne": "!=", "$lt": "<", "$lte": "<=", "$gt": ">", "$gte": ">="}
LISTS = {"$in": "in", "$nin": "not in", "$all": "has all"}
NAMED = {"$size": "size", "$type": "type"}


def words_of(filter: Document, vocabulary: Vocabulary = PLAIN) -> str:
    """The filter in words; no words for every document. ``filter`` is one that ``parse_filter`` takes."""
    return _together(filter, vocabulary, inside=False)


def _together(filter: Document, vocabulary: Vocabulary, *, inside: bool) -> str:
    """The members of a filter. What stands ``inside`` of other conditions has parentheses where it is several."""
    clauses = [_clause(name, operand, vocabulary, inside=inside or len(filter) > 1) for name, operand in filter.items()]
    return _joined(" and ", clauses, inside=inside)


def _clause(name: str, operand: Value, vocabulary: Vocabulary, *, inside: bool) -> str:
    match name, operand:
        case "$and", [*filters] if filters:
            return _joined(" and ", _parts(filters, vocabulary, inside=inside), inside=inside)
        case "$or", [*filters] if filters:
            return _joined(" or ", _parts(filters, vocabulary, inside=inside), inside=inside)
        case "$nor", [*filters] if filters:
            return f"not {_joined(' or ', _parts(filters, vocabulary, inside=True), inside=True)}"
    if name.startswith("$"):
        return _json({name: operand})
    if not is_operator_object(operand):
        return f"{_name(name, vocabulary)} = {_value(operand)}"
    return _joined(" and ", list(_conditions(name, operand, vocabulary)), inside=inside)


def _parts(filters: list[Any], vocabulary: Vocabulary, *, inside: bool) -> list[str]:
    """The filters of a list, each as one clause."""
    inside = inside or len(filters) > 1
    return [_together(filter, vocabulary, inside=inside) or "{}" for filter in filters]


def _joined(word: str, clauses: list[str], *, inside: bool) -> str:
    return f"({word.join(clauses)})" if inside and len(clauses) > 1 else word.join(clauses)


def _conditions(name: str, operators: Document, vocabulary: Vocabulary) -> Iterator[str]:
    field = _name(name, vocabulary)
    if "$regex" in operators or "$options" in operators:
        yield _pattern(name, operators, vocabulary)
        return
    for operator, operand in operators.items():
        match operator, operand:
            case "$exists", bool():
                yield f"{field} {'exists' if operand else 'missing'}"
            case "$elemMatch", dict() if operand and not is_operator_object(operand):
                yield f"{field} any ({words_of(operand, vocabulary)})"
            case "$not", {"$regex": str(pattern), "$options": "i", **rest} if not rest:
                yield f"{field} !~ {_quoted(pattern)}"
            case (("$in" | "$nin" | "$all"), list()):
                yield f"{field} {LISTS[operator]} ({', '.join(map(_value, operand))})"
            case _ if operator in COMPARISONS:
                yield f"{field} {COMPARISONS[operator]} {_value(operand)}"
            case _ if operator in NAMED:
                yield f"{field} {NAMED[operator]} {_value(operand)}"
            case _:
                yield _json({name: {operator: operand}})


def _pattern(name: str, operators: Document, vocabulary: Vocabulary) -> str:
    match operators:
        case {"$regex": str(pattern), "$options": "i", **rest} if not rest:
            return f"{_name(name, vocabulary)} ~ {_quoted(pattern)}"
        case {"$regex": str(pattern), **rest} if not rest:
            return f"{_name(name, vocabulary)} =~ {_quoted(pattern)}"
    return _json({name: operators})


def _name(path: str, vocabulary: Vocabulary) -> str:
    if not PLAIN_WORD.fullmatch(path) or path.lower() in RESERVED or vocabulary.path_of(path) != path:
        return f"`{path}`"
    return path


def _value(value: Value) -> str:
    if isinstance(value, str) and PLAIN_WORD.fullmatch(value) and value.lower() not in RESERVED:
        return value
    return _json(value)


def _quoted(text: str) -> str:
    return _json(text)


def _json(value: Value) -> str:
    return encode_json(value).decode()
