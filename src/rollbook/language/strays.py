"""Stray words: names of operators without their ``$``, and names of options, where the fields of documents stand.

``{"set": {...}}`` would store a field ``set``, and ``{"limit": 5}`` would look for a field ``limit``: neither is what
was meant, and neither fails by itself. MongoDB takes both; what serves requests of people asks here first.

One rule: only what hardly anybody means is refused, and the refusal says how a field of that name is written.
"""

from collections.abc import Iterable, Mapping

from rollbook.documents.codec import shortened
from rollbook.documents.values import Value
from rollbook.errors import FilterRefused, UpdateRefused, below
from rollbook.language.filters.operators import described
from rollbook.language.filters.tables import FORMS, OPERATORS, TOP_FORMS
from rollbook.language.updates.parsing import RENAME
from rollbook.language.updates.table import OPERATORS as UPDATE_OPERATORS

FAILED_TO_PARSE = 9
BAD_VALUE = 2


def check_filter_words(filter: Value, *, at: str, options: Mapping[str, str]) -> None:
    """Refuses (FilterRefused) a filter in which stray words stand as fields, or as the operators of one.

    ``options`` are the names that stand beside a filter, each with how it is written there.
    """
    if not isinstance(filter, dict):
        return
    for name in filter:
        meant = _meant(name, FILTER_WORDS, options)
        if meant is not None:
            problem = f'{meant}. (Of a field with this name: {{"$and": [{{{_quoted(name)}: ...}}]}})'
            raise FilterRefused(problem, at=below(at, name), mongo_code=BAD_VALUE)
    _check_operands(filter, at)


def check_update_words(update: Value, *, at: str, options: Mapping[str, str]) -> None:
    """Refuses (UpdateRefused) an update in which stray words stand as fields."""
    if not isinstance(update, dict):
        return
    for name in update:
        meant = _meant(name, UPDATE_WORDS, options)
        if meant is not None:
            problem = f'{meant}. (To set a field with this name: {{"$set": {{{_quoted(name)}: ...}}}})'
            raise UpdateRefused(problem, at=below(at, name), mongo_code=FAILED_TO_PARSE)


def _meant(name: str, words: frozenset[str], options: Mapping[str, str]) -> str | None:
    if name in options:
        return f"{_quoted(name)} is an option, and no field: write {options[name]}"
    return f'{_quoted(name)} is an operator without its "$": write "${name}"' if name in words else None


def _check_operands(filter: Mapping[str, Value], at: str) -> None:
    """Looks at what fields are compared with, in the filter and in those that it joins."""
    for name, operand in filter.items():
        if name in JOINING and isinstance(operand, list):
            for place, clause in enumerate(operand):
                if isinstance(clause, dict):
                    _check_operands(clause, below(below(at, name), place))
        elif isinstance(operand, dict) and operand and all(map(FIELD_WORDS.__contains__, operand)):
            meant = ", ".join(f'"${word}"' for word in list(operand)[:3])
            raise FilterRefused(
                f'the operators of {shortened(name)} have lost their "$": write {meant}. '
                f'(To compare with an object that has these names: {{"$eq": {described(operand)}}})',
                at=below(at, name),
                mongo_code=BAD_VALUE,
            )


def _quoted(name: str) -> str:
    return f'"{name}"'


def _without_dollar(*tables: Iterable[str]) -> frozenset[str]:
    return frozenset(name.removeprefix("$") for table in tables for name in table)


FIELD_WORDS = _without_dollar(OPERATORS, FORMS)
FOREIGN = (
    "$where",
    "$function",
    "$text",
    "$near",
    "$nearSphere",
    "$geoNear",
    "$geoWithin",
    "$geoIntersects",
    "$within",
)
FILTER_WORDS = FIELD_WORDS | _without_dollar(TOP_FORMS, FOREIGN, ["$sampleRate"])
UPDATE_WORDS = _without_dollar(UPDATE_OPERATORS, [RENAME])
JOINING = frozenset({"$and", "$or", "$nor"})
