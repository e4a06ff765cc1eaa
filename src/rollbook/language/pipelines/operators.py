"""How a stage joins the language of pipelines: as a row in the ``STAGES`` of its family's module.

One rule: a stage is a function from documents to documents, and a row says how it is read and what it does. ``parse``
makes the parts of JSON, of any type, and is the only place that refuses how a stage is written; ``compile`` makes the
function, and its docstring is the stage's line in the reference.

What a stage gets lazily it passes on lazily; what it must hold (to sort, to group) it counts with ``Running.hold``.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from random import Random, SystemRandom
from typing import Any, TypeAlias

from msgspec import Struct, field

from rollbook.documents.values import Document, Value
from rollbook.errors import PipelineRefused, below
from rollbook.language.expressions import Evaluate, Expression, compile_expression, parse_expression
from rollbook.language.projections.weighing import size_of_document
from rollbook.limits import DEFAULT_LIMITS, Limits, RequestBudget

Documents: TypeAlias = Iterable[Document]
Run: TypeAlias = Callable[[Documents], Iterator[Document]]

HELD_BYTES_A_BYTE = 4
"""How much memory a document takes for each of its bytes as JSON, about."""

REFERENCE_BYTES = 64
"""What holding one more value takes, beside the value itself."""


class Parsing(Struct, frozen=True):
    """Where the parsing of a stage stands, and what it may use."""

    at: str
    identity: str
    stages: Mapping[str, "StageOperator"]
    limits: Limits = DEFAULT_LIMITS

    def below(self, *keys: str | int) -> "Parsing":
        """The same, at ``keys`` below."""
        return Parsing(self.pointer(*keys), self.identity, self.stages, self.limits)

    def pointer(self, *keys: str | int) -> str:
        """Where ``keys`` below stands, as a JSON Pointer."""
        at = self.at
        for key in keys:
            at = below(at, key)
        return at

    def refused(self, mongo_code: int, why: str, *keys: str | int) -> PipelineRefused:
        """The refusal of what stands at ``keys`` below."""
        return PipelineRefused(why, at=self.pointer(*keys), mongo_code=mongo_code)

    def expression(self, json: Value, *keys: str | int) -> Expression:
        """The expression that stands at ``keys`` below."""
        return parse_expression(json, at=self.pointer(*keys), limits=self.limits)

    def options(self, json: Value, known: tuple[str, ...], *, no_object: int, unknown: int) -> dict[str, Value]:
        """The object ``json``, checked to have no other keys than ``known``; the codes are for when it isn't so."""
        names = ", ".join(known)
        if not isinstance(json, dict):
            raise self.refused(no_object, f"this stage takes an object: {names}")
        for name in json:
            if name not in known:
                raise self.refused(unknown, f"there is no option '{name}', only {names}", name)
        return json


class Running(Struct, frozen=True):
    """What the run of a pipeline may spend and use. All its expressions see one time."""

    work: RequestBudget
    random: Random = field(default_factory=SystemRandom)
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def expression(self, expression: Expression) -> Evaluate:
        """The function of a scope that ``expression`` means."""
        return compile_expression(expression, work=self.work, now=self.now)

    def hold_one(self, document: Document) -> None:
        """Count a document as something that the run keeps."""
        self.work.allocate(HELD_BYTES_A_BYTE * size_of_document(document))

    def hold(self, documents: Documents, most: int | None = None) -> Iterator[Document]:
        """The documents, counted as something that the run keeps; no more than ``most`` at a time."""
        flow = iter(documents)
        for document in islice(flow, most):
            self.hold_one(document)
            yield document
        yield from flow


class StageOperator(Struct, frozen=True):
    """A stage: how it is read, what it does, and whether an update may use it or the pipelines of ``$facet``."""

    name: str
    parse: Callable[[Value, Parsing], Any]
    compile: Callable[[Any, Running], Run]
    in_updates: bool = False
    in_facets: bool = True


class Stage(Struct, frozen=True):
    """A parsed stage."""

    operator: StageOperator
    parts: Any


class Pipeline(Struct, frozen=True):
    """Parsed stages, in the order in which documents go through them."""

    stages: tuple[Stage, ...]
