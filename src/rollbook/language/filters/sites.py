"""Where parsing stands in a filter, and what the filter has used of its limits.

One rule: every step down a level goes through ``Site``, so that nothing is nested or repeated without bound.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from rollbook.documents.paths import Path
from rollbook.documents.values import Document, Value
from rollbook.errors import FilterRefused, LanguageRefused, below
from rollbook.language.filters.nodes import Filter
from rollbook.language.regular_expressions import compile_pattern
from rollbook.limits import Limits

BAD_VALUE, FAILED_TO_PARSE, TYPE_MISMATCH = 2, 9, 14


class Reading(Struct):
    """One filter being parsed: the ways down into what it holds, its limits, and what it has used of them."""

    limits: Limits
    parse_filter: Callable[[Document, Site], Filter]
    parse_conditions: Callable[[Document, Site], Filter]
    clauses: int = 0
    patterns: int = 0
    pattern_steps: int = 0


class Site(Struct, frozen=True):
    """Where parsing stands: ``at`` in the request, on which ``path``, how deep, and within whose elements.

    ``beside`` is the object that holds the operator, for operators that look at their neighbours (``$regex``).
    """

    reading: Reading
    at: str
    path: Path = ()
    depth: int = 0
    in_elements: bool = False
    beside: Mapping[str, Value] = field(default_factory=dict)

    def below(self, *keys: str | int) -> Site:
        """The site of a member or an element of what stands here."""
        at = self.at
        for key in keys:
            at = below(at, key)
        return Site(self.reading, at, self.path, self.depth, self.in_elements, self.beside)

    def on_field(self, name: str, path: Path) -> Site:
        """The site of what is asked of the field ``name``, whose path is ``path``."""
        return Site(self.reading, below(self.at, name), path, self.depth, self.in_elements, self.beside)

    def within(self, beside: Document) -> Site:
        """The site of the members of ``beside``, the object of operators that stands here."""
        return Site(self.reading, self.at, self.path, self.depth, self.in_elements, beside)

    def deeper(self, *keys: str | int) -> Site:
        """The site of something nested in what stands here; refuses when that is too deep, or one clause too many."""
        inner = replace(self.below(*keys), depth=self.depth + 1)
        inner.count_clause()
        return inner

    def count_clause(self) -> None:
        """Refuses what is nested too deeply, and one clause too many: one counts once for each name of its path."""
        reading, limits = self.reading, self.reading.limits
        reading.clauses += len(self.path) or 1
        if reading.clauses > limits.filter_clauses_max:
            why = (
                f"a filter has at most {limits.filter_clauses_max} conditions, each counted for every name of its path"
            )
            raise self.refused(why)
        if self.depth > limits.filter_depth_max:
            raise self.refused(f"a filter is at most {limits.filter_depth_max} levels deep")

    def neighbour(self, name: str) -> Site:
        """The site of a member beside what stands here."""
        return replace(self, at=below(self.at.rpartition("/")[0], name))

    def filter(self, json: Document, *keys: str | int, in_elements: bool = False) -> Filter:
        """The filter ``json`` (of whole documents) at ``keys`` below this site."""
        inner = replace(self.deeper(*keys), path=(), in_elements=in_elements or self.in_elements)
        return self.reading.parse_filter(json, inner)

    def conditions(self, json: Document, *keys: str | int, path: Path) -> Filter:
        """The object of operators ``json`` at ``keys`` below this site, on ``path``."""
        return self.reading.parse_conditions(json, replace(self.deeper(*keys), path=path))

    def check_pattern(self, pattern: str, options: str = "", *keys: str | int) -> None:
        """Refuses a regular expression that can't be compiled, and one too many."""
        reading = self.reading
        reading.patterns += 1
        if reading.patterns > reading.limits.patterns_max:
            raise self.refused(f"a filter has at most {reading.limits.patterns_max} regular expressions", *keys)
        try:
            compiled = compile_pattern(pattern, options, reading.limits.pattern_length_max)
        except LanguageRefused as refusal:
            raise self.refused(refusal.message, *keys, mongo_code=refusal.mongo_code) from None
        reading.pattern_steps += compiled.steps
        if reading.pattern_steps > reading.limits.pattern_steps_max:
            problem = "the regular expressions of the filter are too costly together: repeat fewer parts, or less often"
            raise self.refused(problem, *keys)

    def refused(self, problem: str, *keys: str | int, mongo_code: int | None = BAD_VALUE) -> FilterRefused:
        """The refusal of what stands at ``keys`` below this site."""
        return FilterRefused(problem, at=self.below(*keys).at, mongo_code=mongo_code)
