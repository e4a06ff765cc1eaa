"""Lines that ask for writes: how they are parsed, who may do what they ask, and the lines that answer them."""

from collections.abc import Sequence
from typing import TypeAlias

import orjson
from msgspec import Struct
from msgspec.structs import replace
from starlette.requests import Request

from rollbook.api.asking import caller_of, reason_of, registry_of
from rollbook.api.lines import Line
from rollbook.api.offloading import off_the_loop
from rollbook.api.parameters import DRY_RUN
from rollbook.api.problems import MISTAKE, members_of
from rollbook.api.writing import idempotency_key_in
from rollbook.clusters.acceptance import SchemaRules
from rollbook.documents.codec import check_values, decode_json
from rollbook.documents.values import Value
from rollbook.errors import BodyTooLarge, PermissionDenied, RegistryError
from rollbook.limits import Limits
from rollbook.registry.reading.bulk_lines import BulkLine, LineRules, parse_bulk_line
from rollbook.registry.writing.submissions import Outcome, WriteResult
from rollbook.security.callers import Caller

ENVELOPE_BYTES = 64 * 1024
"""What a line may have beside a document of the largest size."""

Parsed: TypeAlias = BulkLine | RegistryError


class LinesAsked(Struct, frozen=True):
    """What one request asks of all its lines."""

    caller: Caller
    rules: LineRules
    reason: str | None
    dry_run: bool
    key: str | None

    @property
    def line_bytes_max(self) -> int:
        """How long a line may be."""
        limits = self.rules.limits
        return max(limits.body_bytes_max, limits.document_bytes_max) + ENVELOPE_BYTES

    async def parsed(self, lines: Sequence[Line]) -> Sequence[Parsed]:
        """What each line asks for, or its refusal: that of the caller's permission comes last."""
        size_bytes, limits = sum(len(line.text or b"") for line in lines), self.rules.limits
        limits = replace(limits, body_depth_max=limits.body_depth_max + 1)  # a document lies a level deeper in a line
        return await off_the_loop(lambda: [self._parsed(line, limits) for line in lines], size_bytes=size_bytes)

    def _parsed(self, line: Line, limits: Limits) -> Parsed:
        try:
            if line.text is None:
                raise BodyTooLarge(f"the line has more than {self.line_bytes_max} bytes")
            check_values(line.text, bytes_max=self.rules.limits.document_bytes_max, name="the line")
            value: Value = decode_json(line.text, limits=limits, name="the line")
            parsed = parse_bulk_line(value, self.rules)
        except RegistryError as refusal:
            return refusal
        if not self.caller.may(parsed.verb) and self.caller.observed is None:
            return PermissionDenied(f"{self.caller.name} may not do this: it takes the verb {parsed.verb!r}")
        return parsed


def lines_asked(request: Request, rules: SchemaRules) -> LinesAsked:
    """What a request asks of its lines. ``rules`` are those for documents."""
    registry, caller, dry_run = registry_of(request), caller_of(request), DRY_RUN.of(request)
    return LinesAsked(
        caller,
        LineRules(rules, registry.limits, registry.facts_for(caller), caller.access),
        reason_of(request),
        dry_run,
        None if dry_run else idempotency_key_in(request),
    )


def result_line(number: int, outcome: Outcome | BaseException, id: str | None) -> bytes:
    """What became of the line with this number, which is about the cluster ``id``, as a line."""
    members: dict[str, object] = {"line": number}
    if isinstance(outcome, WriteResult):
        is_new = outcome.kind == "created" or outcome.outcome == "joined"
        members |= {"status": 201 if is_new else 200, "id": outcome.id, "revision": outcome.revision}
        members |= {"warnings": outcome.warnings} if outcome.warnings else {}
        members |= {"replayed": True} if outcome.replayed else {}
    else:
        members |= {} if id is None else {"id": id}
        members |= members_of(outcome if isinstance(outcome, RegistryError) else RegistryError(MISTAKE))
    return orjson.dumps(members, option=orjson.OPT_APPEND_NEWLINE)
