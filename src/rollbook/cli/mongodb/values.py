"""Documents of BSON as JSON, and back.

One rule: nothing is changed unnoticed. A type that JSON lacks becomes a string or a number, and is counted; a value
that JSON can't hold is refused with its place. ``_id`` and ``__v`` are fields like any others: an ObjectId is its 24
hexadecimal digits, and becomes one again.
"""

import base64
import datetime
import hashlib
import math
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

import bson
import orjson
from bson.binary import Binary
from bson.code import Code
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.datetime_ms import DatetimeMS
from bson.decimal128 import Decimal128
from bson.errors import BSONError
from bson.objectid import ObjectId
from bson.regex import Regex
from bson.timestamp import Timestamp

from rollbook.documents.codec import check_shape
from rollbook.documents.values import Document, Value
from rollbook.errors import BodyTooLarge, DocumentInvalid, Problem, below
from rollbook.limits import Limits

OPTIONS: "CodecOptions[dict[str, Any]]" = CodecOptions(
    tz_aware=True, datetime_conversion=DatetimeConversion.DATETIME_AUTO
)
MONGODB_FIELDS = ("_id", "__v")
"""What MongoDB and mongoose add to a document; it says nothing of the cluster."""

OBJECT_ID = re.compile("[0-9a-f]{24}")

Notes = Counter[str]
"""How many values of each type that JSON lacks were found: ``{"date": 2}``."""


def decode_bson(body: bytes, *, limits: Limits, notes: Notes) -> Document:
    """The document of BSON ``body`` as JSON. Refuses (DocumentInvalid, JsonTooDeep, BodyTooLarge)."""
    if len(body) > limits.document_bytes_max:
        raise BodyTooLarge(f"the document is larger than {limits.document_bytes_max} bytes")
    try:
        document = bson.decode(body, codec_options=OPTIONS)
    except (BSONError, RecursionError, ValueError) as error:
        raise _refused("", f"the document is damaged: {error}") from None
    return json_document(document, limits=limits, notes=notes)


def json_document(document: Mapping[str, Any], *, limits: Limits, notes: Notes) -> Document:
    """A document of Python's and BSON's types as JSON. Refuses (DocumentInvalid, JsonTooDeep)."""
    try:
        converted: Document = {key: _json_value(value, below("", key), notes) for key, value in document.items()}
    except RecursionError:
        raise _refused("", f"the document is nested more than {limits.body_depth_max} levels deep") from None
    check_shape(converted, limits=limits)
    return converted


def encode_bson(document: Document) -> bytes:
    """The BSON of a document for a collection of the original: with ``_id`` and ``__v``.

    Refuses (DocumentInvalid) what BSON can't hold.
    """
    try:
        return bson.encode(bson_document(document))
    except (OverflowError, BSONError) as error:
        raise _refused("", f"the document can't be BSON: {error}") from None


def bson_document(document: Document) -> dict[str, Any]:
    """A document as mongoose would have stored it. An ``_id`` that it lacks is made of its ``id``."""
    given = document.get("_id", str(document.get("id")))
    if "_id" not in document:
        own: Any = ObjectId(hashlib.sha256(str(given).encode()).digest()[:12])
    else:
        own = ObjectId(given) if isinstance(given, str) and OBJECT_ID.fullmatch(given) else given
    rest = {key: value for key, value in document.items() if key != "_id"}
    return {"_id": own, **rest, "__v": rest.get("__v", 0)}


def digest_of(document: Document) -> bytes:
    """The SHA-256 of a document as JSON with sorted keys, without what MongoDB adds to it."""
    own = {key: value for key, value in document.items() if key not in MONGODB_FIELDS}
    return hashlib.sha256(orjson.dumps(own, option=orjson.OPT_SORT_KEYS)).digest()


def digest_of_all(digests: Mapping[str, bytes]) -> str:
    """One SHA-256, in hexadecimal, over the documents with these ids and digests, whatever their order."""
    whole = hashlib.sha256()
    for id, digest in sorted(digests.items()):
        whole.update(id.encode(errors="surrogatepass") + b"\0" + digest)
    return whole.hexdigest()


def _json_value(value: Any, at: str, notes: Notes) -> Value:
    match value:
        case None | bool():
            return value
        case str() if not isinstance(value, Code):
            return value
        case int():
            return int(value)  # of an Int64, which is one
        case float():
            return _finite(value, at)
        case Mapping():
            return {key: _json_value(each, below(at, key), notes) for key, each in value.items()}
        case list():
            return [_json_value(each, below(at, index), notes) for index, each in enumerate(value)]
        case ObjectId():
            if at != "/_id":
                notes["ObjectId"] += 1
            return str(value)
    name, converted = _foreign(value, at)
    notes[name] += 1
    return converted


def _foreign(value: Any, at: str) -> tuple[str, Value]:
    """The name of a type that JSON lacks, and what stands for its value."""
    match value:
        case datetime.datetime():
            return "date", _iso(value)
        case Timestamp():
            return "timestamp", _iso(value.as_datetime())
        case Decimal128():
            return "decimal", _number(value, at)
        case Binary() | bytes():
            return "binary", base64.b64encode(bytes(value)).decode()
        case Regex() | re.Pattern():
            return "regular expression", str(value.pattern)
        case Code():
            return "JavaScript", str(value)
        case DatetimeMS():
            raise _refused(at, f"{_shown(at)} is a date before the year 1 or after 9999")
    raise _refused(at, f"{_shown(at)} is a {type(value).__name__}, which JSON has no value for")


def _number(value: Decimal128, at: str) -> Value:
    decimal = value.to_decimal()
    if decimal.is_finite() and decimal == decimal.to_integral_value() and abs(decimal) < 2**63:
        return int(decimal)
    return _finite(float(decimal), at)


def _finite(value: float, at: str) -> float:
    if not math.isfinite(value):
        raise _refused(at, f"{_shown(at)} is {value}, which JSON has no number for")
    return value


def _iso(time: datetime.datetime) -> str:
    return time.astimezone(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _shown(at: str) -> str:
    return at.removeprefix("/").replace("/", ".") or "the document"


def _refused(at: str, problem: str) -> DocumentInvalid:
    return DocumentInvalid(problem, at=at, problems=[Problem(at, problem)])
