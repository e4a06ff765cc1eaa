"""The audit log copied to another place, line by line, so that its chain stays whole.

One rule: a log is only ever continued. What is at the target has to be a beginning of the source.
"""

import hashlib
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Protocol

import orjson

from rollbook.errors import RegistryError

BATCH_LINES = 500


class AuditLines(Protocol):
    """An audit log as lines of JSON, each of which names the SHA-256 of the one before it."""

    def lines(self) -> Iterator[bytes]:
        """Every line that is kept, oldest first, without its end."""
        ...

    def write_lines(self, lines: Sequence[bytes]) -> None:
        """Append lines as they are, durably."""
        ...


def copy_audit(source: AuditLines, into: AuditLines) -> int:
    """Copy what the target does not have yet; how many entries the source keeps.

    Refuses (RegistryError) a target whose log is another one.
    """
    there = deque(into.lines(), maxlen=1)
    newest, number = (there[0], _number_of(there[0])) if there else (b"", 0)
    count, batch = 0, list[bytes]()
    for line in source.lines():
        count += 1
        if _number_of(line) <= number:
            if _number_of(line) == number and line != newest:
                raise RegistryError("the target has another audit log, which is left as it is: choose an empty place")
            continue
        if newest and not batch and orjson.loads(line)["previous"] != hashlib.sha256(newest).hexdigest():
            raise RegistryError("the audit log at the target is no beginning of this one: choose an empty place")
        batch.append(line)
        if len(batch) == BATCH_LINES:
            into.write_lines(batch)
            newest, batch = line, []
    if batch:
        into.write_lines(batch)
    return count


def _number_of(line: bytes) -> int:
    return int(orjson.loads(line)["seq"])
