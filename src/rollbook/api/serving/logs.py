"""The log: text or JSON lines, each with the id of the request that it belongs to.

One rule: a log line is one line. Control characters in whatever callers have named are escaped before they reach a
terminal or a file.
"""

import logging
import re
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Literal, TypeAlias

import orjson

from rollbook.steps import STEPS

Format: TypeAlias = Literal["text", "json"]

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""The id of the request that is being answered."""

CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def configure_logging(level: str, form: Format) -> None:
    """Log to standard error from now on, from ``level`` up."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if form == "json" else TextLines())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)


class TextLines(logging.Formatter):
    """``2026-01-31 12:00:00,000 INFO message [request id]``; the lines of a traceback are indented below."""

    def format(self, record: logging.LogRecord) -> str:
        id = request_id.get()
        line = f"{self.formatTime(record)} {record.levelname} {escaped(record.getMessage())}{f' [{id}]' if id else ''}"
        if record.exc_info:
            traceback = self.formatException(record.exc_info)
            line += "".join("\n    " + escaped(each) for each in traceback.splitlines())
        return line


class JsonLines(logging.Formatter):
    """One JSON object a line: ``time``, ``level``, ``logger``, ``message``, and what else there is."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage().encode(errors="replace").decode(),
        }
        if id := request_id.get():
            line["requestId"] = id
        steps = STEPS.get()
        if steps is not None and "traceparent" in steps.carrier:
            line["traceId"] = steps.carrier["traceparent"].split("-")[1]
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info).encode(errors="replace").decode()
        return orjson.dumps(line).decode()


def escaped(text: str) -> str:
    r"""The text with control characters as ``\x1b``, so that it stays on its line and moves no cursor."""
    return CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
