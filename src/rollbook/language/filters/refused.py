"""The operators of MongoDB's that this registry does not have, each with the reason that its refusal gives."""

from rollbook.language.filters.operators import Refused

_NO_SCRIPTS = "it runs JavaScript, which this registry never does; use $expr"
_NO_TEXT_INDEX = "there is no text index; use $regex"
_NO_GEOMETRY = "there is no geospatial index; compare the coordinates with $gte and $lte"

REFUSED = (
    Refused("$where", _NO_SCRIPTS),
    Refused("$function", _NO_SCRIPTS),
    Refused("$text", _NO_TEXT_INDEX),
    Refused("$near", _NO_GEOMETRY),
    Refused("$nearSphere", _NO_GEOMETRY),
    Refused("$geoNear", _NO_GEOMETRY),
    Refused("$geoWithin", _NO_GEOMETRY),
    Refused("$geoIntersects", _NO_GEOMETRY),
    Refused("$within", _NO_GEOMETRY),
    Refused("$sampleRate", "it matches at random, and equal queries here give equal answers; use limit"),
)
