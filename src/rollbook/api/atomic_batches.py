"""Atomic batches: the lines of a bulk request, of which all are done or none.

One rule: nothing is decided before the last line is there, and nothing is answered before all of them are durable.
"""

from collections.abc import Sequence

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from rollbook.api import events
from rollbook.api.asking import is_revoked, registry_of
from rollbook.api.declarations import NDJSON
from rollbook.api.line_writes import LinesAsked, Parsed, result_line
from rollbook.api.lines import Line, groups_of_lines
from rollbook.api.offloading import off_the_loop
from rollbook.api.writing import owner_of
from rollbook.errors import BatchRefused, BodyTooLarge, RegistryError, Unauthenticated
from rollbook.registry.reading.bulk_lines import BulkLine
from rollbook.registry.writing.idempotency import IdempotencyKey
from rollbook.registry.writing.submissions import Outcome, Write

RESULT_BYTES = 200
"""What a line of the answer weighs, about."""


async def write_atomically(request: Request, asked: LinesAsked) -> Response:
    """A line of result for every line, all done or none. Refuses (BodyTooLarge) more than one batch may hold."""
    try:
        lines, parsed = await _read(request, asked)
    except ClientDisconnect:
        return Response(status_code=400)
    outcomes = await _outcomes(request, asked, lines, parsed)
    ids = [each.command.id if isinstance(each, BulkLine) else None for each in parsed]
    body = await off_the_loop(
        lambda: b"".join(
            result_line(line.number, outcome, id)
            for line, outcome, id in zip(lines, _by_number(lines, outcomes), ids, strict=True)
        ),
        size_bytes=RESULT_BYTES * len(lines),
    )
    return Response(body, 200, events.HEADERS, NDJSON)


async def _read(request: Request, asked: LinesAsked) -> tuple[list[Line], list[Parsed]]:
    """All lines, and what they ask for."""
    bytes_max, size_bytes = asked.rules.limits.atomic_bytes_max, 0
    lines: list[Line] = []
    parsed: list[Parsed] = []
    announced = request.headers.get("content-length", "0")
    async for group in groups_of_lines(request.stream(), line_bytes_max=asked.line_bytes_max):
        size_bytes += sum(len(line.text or b"") + 1 for line in group)
        if max(size_bytes, int(announced)) > bytes_max:
            raise BodyTooLarge(
                f"an atomic batch has at most {bytes_max} bytes; nothing was done: send less at once, or leave out "
                "atomic=true"
            )
        lines += group
        parsed += await asked.parsed(group)
    if is_revoked(request.scope):
        raise Unauthenticated("the token is no longer in force; nothing was done")
    return lines, parsed


async def _outcomes(
    request: Request, asked: LinesAsked, lines: Sequence[Line], parsed: Sequence[Parsed]
) -> Sequence[Outcome]:
    refused = next((place for place, each in enumerate(parsed) if isinstance(each, RegistryError)), None)
    if refused is not None:
        return [each if isinstance(each, RegistryError) else BatchRefused("") for each in parsed]
    writes = [
        Write(each.command, asked.caller, asked.reason, asked.dry_run) for each in parsed if isinstance(each, BulkLine)
    ]
    if not writes:
        return []
    key = None
    if asked.key is not None:
        texts = (line.text or b"" for line in lines)
        key = IdempotencyKey.of(owner_of(asked.caller), asked.key, b"atomic", *texts, keeps_body=False)
    return (await registry_of(request).write_together(writes, dry_run=asked.dry_run, key=key)).each


def _by_number(lines: Sequence[Line], outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
    """The outcomes, where those of a refused batch name the line that was refused first."""
    is_refused = [isinstance(each, Exception) and not isinstance(each, BatchRefused) for each in outcomes]
    if not any(is_refused):
        return outcomes
    number = lines[is_refused.index(True)].number
    others = BatchRefused(f"nothing was done, because line {number} was refused")
    return [outcome if refused else others for outcome, refused in zip(outcomes, is_refused, strict=True)]
