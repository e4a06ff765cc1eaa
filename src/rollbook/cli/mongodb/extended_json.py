"""Extended JSON, as ``mongoexport`` writes it: versions 1 and 2, canonical and relaxed.

One rule: only an object with a name that begins with ``$`` can stand for a value of BSON; all else is JSON already.
"""

from typing import Any

from bson import json_util
from bson.codec_options import DatetimeConversion
from bson.errors import BSONError
from bson.json_util import CANONICAL_JSON_OPTIONS, RELAXED_JSON_OPTIONS, JSONOptions

from rollbook.cli.mongodb.values import Notes, bson_document, json_document
from rollbook.documents.values import Document, Value
from rollbook.errors import DocumentInvalid, Problem, below
from rollbook.limits import Limits

READING: JSONOptions = JSONOptions(tz_aware=True, datetime_conversion=DatetimeConversion.DATETIME_AUTO)


def json_of_extended(value: Value, *, limits: Limits, notes: Notes) -> Value:
    """Plain JSON of a document in extended JSON. Refuses (DocumentInvalid) what can't be a value of BSON, or of JSON.

    What is no object is returned as it is, for others to refuse.
    """
    if not isinstance(value, dict):
        return value
    return json_document({key: _meant(each, below("", key)) for key, each in value.items()}, limits=limits, notes=notes)


def extended_of(document: Document, *, canonical: bool) -> bytes:
    """A line of extended JSON (version 2) for ``mongoimport``, with ``_id`` and ``__v``.

    Refuses (DocumentInvalid) what BSON can't hold.
    """
    options = CANONICAL_JSON_OPTIONS if canonical else RELAXED_JSON_OPTIONS
    try:
        text = json_util.dumps(bson_document(document), json_options=options, ensure_ascii=False, separators=(",", ":"))
    except (OverflowError, BSONError, TypeError) as error:
        raise DocumentInvalid(f"the document can't be extended JSON: {error}") from None
    return text.encode()


def _meant(value: Value, at: str) -> Any:
    match value:
        case dict():
            members = {key: _meant(each, below(at, key)) for key, each in value.items()}
            return _value_of(members, at) if any(key.startswith("$") for key in members) else members
        case list():
            return [_meant(each, below(at, index)) for index, each in enumerate(value)]
    return value


def _value_of(members: dict[str, Any], at: str) -> Any:
    try:
        return json_util.object_hook(members, json_options=READING)
    except (BSONError, TypeError, ValueError, KeyError, AttributeError, OverflowError) as error:
        problem = f"{at.removeprefix('/').replace('/', '.')} is no extended JSON: {error}"
        raise DocumentInvalid(problem, at=at, problems=[Problem(at, problem)]) from None
