"""Stages that choose documents, or parts of them: ``$match``, ``$sample``, ``$redact``.

One rule: what is chosen is passed on as it is.
"""

from collections.abc import Iterator
from enum import Enum
from math import isnan
from typing import Any

from msgspec import Struct

from rollbook.documents.values import INT64_MAX, MISSING, Document, Maybe, Value, is_number
from rollbook.errors import PipelineRefused
from rollbook.language.expressions import Expression, parse_expression, scope_of
from rollbook.language.filters import Filter, compile_filter, parse_filter
from rollbook.language.pipelines.operators import Documents, Parsing, Run, Running, StageOperator


def parse_match(json: Value, parsing: Parsing) -> Filter:
    """The filter of ``$match``."""
    if not isinstance(json, dict):
        raise parsing.refused(15959, "$match takes a filter: an object")
    return parse_filter(json, at=parsing.at, limits=parsing.limits)


def matching(parts: Filter, running: Running) -> Run:
    """Passes on the documents that match a filter."""
    matches = compile_filter(parts, work=running.work, now=running.now)
    return lambda documents: filter(matches, documents)


def parse_sample(json: Value, parsing: Parsing) -> int:
    """The size of ``$sample``: one or more; a fraction is cut off."""
    size = json.get("size", MISSING) if isinstance(json, dict) else MISSING
    if size is not MISSING and not is_number(size):
        raise parsing.refused(28746, "the size of a sample is a number", "size")
    options = parsing.options(json, ("size",), no_object=28745, unknown=28748)
    if "size" not in options:
        raise parsing.refused(28749, "$sample needs a size")
    if not is_number(size) or isnan(size) or size < 1:
        raise parsing.refused(28747, "the size of a sample is one or more", "size")
    return int(min(size, INT64_MAX))


def sampling(size: int, running: Running) -> Run:
    """Passes on that many documents, chosen at random, each as likely as any other."""
    random = running.random

    def run(documents: Documents) -> Iterator[Document]:
        chosen: list[Document] = []
        for seen, document in enumerate(documents):
            if len(chosen) < size:
                running.hold_one(document)
                chosen.append(document)
            elif (place := random.randrange(seen + 1)) < size:
                chosen[place] = document
        random.shuffle(chosen)
        yield from chosen

    return run


class Redaction(Struct, frozen=True):
    """The expression that decides about each level of a document, and where it stands."""

    decision: Expression
    at: str


def parse_redact(json: Value, parsing: Parsing) -> Redaction:
    """The expression of ``$redact``, which may use ``$$KEEP``, ``$$PRUNE`` and ``$$DESCEND``."""
    decision = parse_expression(json, at=parsing.at, limits=parsing.limits, variables=frozenset(DECISIONS))
    return Redaction(decision, parsing.at)


def redacting(parts: Redaction, running: Running) -> Run:
    """Keeps or prunes each level of a document by an expression: ``$$KEEP``, ``$$PRUNE``, or ``$$DESCEND`` to go on."""
    decide = running.expression(parts.decision)

    def level_of(level: Document, root: Document) -> Maybe:
        running.work.spend()
        match decide({**scope_of(root, **DECISIONS), "CURRENT": level}):
            case Decision.DESCEND:
                return {name: kept for name, value in level.items() if (kept := inside(value, root)) is not MISSING}
            case Decision.KEEP:
                return level
            case Decision.PRUNE:
                return MISSING
        why = "the expression of $redact gives $$KEEP, $$PRUNE or $$DESCEND, nothing else"
        raise PipelineRefused(why, at=parts.at, mongo_code=17053)

    def inside(value: Value, root: Document) -> Maybe:
        if isinstance(value, dict):
            return level_of(value, root)
        if isinstance(value, list):
            return [kept for element in value if (kept := inside(element, root)) is not MISSING]
        return value

    return lambda documents: (kept for document in documents if isinstance(kept := level_of(document, document), dict))


class Decision(Enum):
    """What ``$redact`` decides about a level. No value of a document is equal to one of these."""

    KEEP = "keep"
    PRUNE = "prune"
    DESCEND = "descend"


DECISIONS: dict[str, Any] = {decision.name: decision for decision in Decision}

STAGES = (
    StageOperator("$match", parse_match, matching),
    StageOperator("$sample", parse_sample, sampling),
    StageOperator("$redact", parse_redact, redacting),
)
