"""Operators of MongoDB's that are refused, each with the reason.

One rule: what can't mean here what it means in MongoDB is refused by name, and does nothing else instead.
"""

from rollbook.language.expressions.operators import Refused

_NO_PARTS = "times here are ISO 8601 strings: use $dateToString and $dateFromString, or $year and its like"
_NO_SCRIPTS = "no JavaScript runs here: use the other operators"
_NO_TYPE = "documents are JSON: there is no type {}"

_OF_DATES = ("$dateFromParts", "$dateToParts")
_OF_TIMESTAMPS = ("$tsIncrement", "$tsSecond")

OPERATORS = (
    *[Refused(name, _NO_PARTS) for name in _OF_DATES],
    *[Refused(name, _NO_TYPE.format("timestamp")) for name in _OF_TIMESTAMPS],
    Refused("$function", _NO_SCRIPTS),
    Refused("$accumulator", _NO_SCRIPTS),
    Refused("$toDecimal", _NO_TYPE.format("decimal")),
    Refused("$toObjectId", _NO_TYPE.format("objectId")),
    Refused("$toUUID", _NO_TYPE.format("binData")),
    Refused("$bsonSize", "documents are JSON: they have no size in BSON"),
    Refused("$binarySize", "documents are JSON: there is no binary data. $strLenBytes gives the size of a string"),
    Refused("$toHashedIndexKey", "there are no hashed indexes here"),
    Refused("$meta", "there are no text scores or sort keys here"),
)
