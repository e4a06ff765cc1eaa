"""Filters in words beside options: ``{"where": "status = live and gpus >= 8"}`` instead of ``query``.

One rule: words become JSON first, and everything after this reads JSON. A refusal points at ``where`` and names the
column.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from rollbook.clusters.fleet_words import FLEET_WORDS
from rollbook.clusters.registry_fields import registry_fields_in
from rollbook.documents.values import Document, Maybe, Value
from rollbook.errors import FilterRefused, LanguageRefused
from rollbook.language.words import parse_words
from rollbook.limits import Limits
from rollbook.registry.reading.cluster_filters import parse_cluster_filter

BAD_VALUE, TYPE_MISMATCH = 2, 14


def has_filter_beside(body: Maybe) -> bool:
    """Whether a body is no filter itself, but has one beside options: ``query`` or ``where``."""
    return isinstance(body, dict) and ("query" in body or "where" in body)


def with_filter_in_json(body: Document, *, limits: Limits, name: str = "query") -> Document:
    """The body with its filter under ``name`` instead of ``where``; as it is where it has no ``where``."""
    if "where" not in body:
        return body
    if name in body:
        problem = f"{name} and where exclude each other: a filter is given as JSON or in words"
        raise FilterRefused(problem, at="/where", mongo_code=BAD_VALUE)
    rest = {key: member for key, member in body.items() if key != "where"}
    return {name: filter_in_words(body["where"], at="/where", limits=limits), **rest}


def filter_in_words(words: Value, *, at: str, limits: Limits) -> Document:
    """The filter that words mean, as JSON that ``parse_cluster_filter`` takes."""
    if not isinstance(words, str):
        raise FilterRefused("where is a filter in words, a string", at=at, mongo_code=TYPE_MISMATCH)
    with _refusals_at(at):
        filter = parse_words(words, FLEET_WORDS)
        parse_cluster_filter(filter, at="", limits=limits)
        registry_fields_in(filter, FilterRefused)
    return filter


@contextmanager
def _refusals_at(at: str) -> Iterator[None]:
    """Makes refusals of a filter that words became say where the words are."""
    try:
        yield
    except LanguageRefused as refused:
        raise type(refused)(refused.message, at=at, mongo_code=refused.mongo_code) from None
