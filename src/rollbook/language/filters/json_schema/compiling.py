"""From a checked schema to the test of a value."""

from typing import Any

from msgspec import Struct

from rollbook.documents.values import Document
from rollbook.language.filters.json_schema.keywords import Satisfies
from rollbook.language.filters.json_schema.tables import KEYWORDS
from rollbook.limits import RequestBudget


def compile_schema(schema: Document, *, work: RequestBudget | None = None) -> Satisfies:
    """The function that decides whether a value satisfies ``schema``, one that ``check_schema`` let pass."""
    return _Compiler(work)(schema)


class _Compiler(Struct, frozen=True):
    work: RequestBudget | None

    def __call__(self, schema: Document) -> Satisfies:
        tests = [KEYWORDS[name].compile(value, schema, self) for name, value in schema.items()]
        return _every([test for test in tests if test is not None], self.work)


def _every(tests: list[Satisfies], work: RequestBudget | None) -> Satisfies:
    def satisfies(value: Any) -> bool:
        if work is not None:
            work.spend(len(tests))
        for test in tests:  # noqa: SIM110 - a loop costs less than a generator
            if not test(value):
                return False
        return True

    return tests[0] if len(tests) == 1 and work is None else satisfies
