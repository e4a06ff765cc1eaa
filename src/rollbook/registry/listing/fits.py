"""The door to fits: which clusters can place something."""

from msgspec.structs import replace

from rollbook.documents.values import Value
from rollbook.limits import Limits, budget_from_now
from rollbook.registry.reading.fit_requests import FitRequest
from rollbook.registry.reading.fitting import fits_in
from rollbook.registry.reading.plan_steps import plan_with
from rollbook.registry.reading.queries import Reader
from rollbook.registry.reading.scanning import Scan
from rollbook.registry.reading.why_not import clauses_of
from rollbook.security.callers import Caller


class Fits:
    """Answers what fits where, of the clusters that a caller sees."""

    def __init__(self, reader: Reader, *, limits: Limits) -> None:
        self._reader = reader
        self._limits = limits

    async def fit(self, caller: Caller, asked: FitRequest) -> dict[str, Value]:
        """``{"count", "matches", "whyNot", "nearest"}``, as ``fitting`` makes it."""
        fleet, query = self._reader.fleet(caller), asked.query
        view, clauses = fleet.view, clauses_of(query.filter)
        work = budget_from_now(self._limits, max_time_ms=query.max_time_ms)
        scan = Scan(view.select(None), fleet.facts.as_of_now(), work)
        plans = [plan_with(scan.facts, view, replace(query, filter=clause)) for clause in clauses]
        return await self._reader.threads.run(
            lambda: fits_in(scan, asked, clauses, plans, self._reader.offerings), work
        )
