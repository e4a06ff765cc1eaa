"""What MongoDB 8 has and this language has not: each name with the reason that its refusal gives.

One rule: a name of MongoDB's is never called unknown. It is built, or it stands here; what stands in neither is unknown
to MongoDB too, and is refused with the name that was probably meant.
"""

from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches

from rollbook.documents.codec import shortened

SHOWN_LENGTH_MAX = 60
CLOSENESS_MIN = 0.65

_NO_SCRIPTS = "no JavaScript runs here: $expr and the other operators say nearly everything"
_NO_TEXT_INDEX = "there is no text index: use $regex, or $regexMatch in $expr"
_NO_GEOMETRY = "there is no geospatial index: compare the coordinates with $gte and $lte"
_AT_RANDOM = "equal queries give equal answers: use the stage $sample"
_OF_OLD_SHELLS = "MongoDB's old wrapper of a query: the options stand beside the filter"
_NO_SCORES = "there are no text scores or sort keys here"
_NO_PARTS = "times here are ISO 8601 strings: use $dateToString and $dateFromString, or $year and its like"
_NO_TYPE = "documents are JSON: there is no type {}"
_NO_BSON = "documents are JSON: there is no binary form to look at"
_WINDOWS = "windows over neighbouring documents are not built: group, or compute in the client"
_GROUPS = "it is an accumulator: it stands in $group and its kin"
_ENCRYPTED = "documents are not encrypted field by field"
_VECTORS = "vectors are not searched or compared here"
_OF_LATER_VERSIONS = "it is newer than the MongoDB 8.0 that the language follows"
_ONE_COLLECTION = "there is one collection here, the clusters: nothing to join with"
_READING_ONLY = "a pipeline reads; to write, use an update"
_NO_SERVER = "it reports the inside of a MongoDB server: see GET /metrics"
_NO_SEARCH = "full-text search is not part of this registry: use $regex"
_IN_A_LIST = "it is a stage: an update of stages is an array, [{...}]"
_MODIFIES_PUSH = 'it modifies $push: {"$push": {"path": {"$each": [...], "..." : ...}}}'
_GONE = "MongoDB itself has given it up"
_EXTENDED_JSON = "MongoDB's Extended JSON is not read here: write the number, or the time as a string of ISO 8601"


def _table(groups: Mapping[str, str]) -> Mapping[str, str]:
    """Reasons by name, of names (separated by spaces) by reason."""
    return {name: reason for reason, names in groups.items() for name in names.split()}


_OF_EXTENDED_JSON = (
    "$oid $date $numberLong $numberInt $numberDouble $numberDecimal $binary $uuid $timestamp $regularExpression $code "
    "$symbol $dbPointer $minKey $maxKey $undefined"
)
_OF_WINDOWS = (
    "$covariancePop $covarianceSamp $denseRank $derivative $documentNumber $expMovingAvg $integral $linearFill $locf "
    "$minMaxScaler $rank $shift"
)

FILTERS = _table(
    {
        _NO_SCRIPTS: "$where $function",
        _NO_TEXT_INDEX: "$text",
        _NO_GEOMETRY: (
            "$near $nearSphere $geoNear $geoWithin $geoIntersects $within $box $center $centerSphere $geometry "
            "$maxDistance $minDistance $polygon $uniqueDocs"
        ),
        _AT_RANDOM: "$sampleRate $rand",
        _NO_SCORES: "$meta",
        _EXTENDED_JSON: _OF_EXTENDED_JSON,
        _OF_OLD_SHELLS: "$query $orderby $hint $explain $returnKey $maxTimeMS $natural",
    }
)
UPDATES = _table(
    {
        _IN_A_LIST: "$addFields $project $replaceRoot $replaceWith",
        _MODIFIES_PUSH: "$each $position $slice $sort",
        f"{_GONE}: use $push with $each": "$pushAll",
        f"{_GONE}: every update is isolated": "$isolated",
    }
)
STAGES = _table(
    {
        _ONE_COLLECTION: "$lookup $graphLookup $unionWith",
        _READING_ONLY: "$out $merge",
        "documents here have no geographic positions": "$geoNear",
        "the documents of a pipeline are the clusters": "$documents",
        _WINDOWS: "$setWindowFields $densify $fill",
        "to watch changes, use POST /clusters/watch": "$changeStream $changeStreamSplitLargeEvent",
        _NO_SEARCH: "$search $searchMeta $listSearchIndexes",
        _VECTORS: "$vectorSearch",
        "there are no rankings to join: sort by a computed field": "$rankFusion $scoreFusion $score",
        _NO_SERVER: (
            "$collStats $indexStats $planCacheStats $currentOp $listSessions $listLocalSessions $listClusterCatalog "
            "$listSampledQueries $querySettings $queryStats $shardedDataDistribution $operationMetrics $backupCursor"
        ),
    }
)
EXPRESSIONS = _table(
    {
        _NO_PARTS: "$dateFromParts $dateToParts",
        _NO_TYPE.format("timestamp"): "$tsIncrement $tsSecond",
        _NO_SCRIPTS: "$function $accumulator",
        _NO_TYPE.format("decimal"): "$toDecimal",
        _NO_TYPE.format("objectId"): "$toObjectId $createObjectId",
        _NO_TYPE.format("binData"): "$toUUID $subtype",
        "documents are JSON: they have no size in BSON": "$bsonSize",
        "documents are JSON: there is no binary data. $strLenBytes gives the size of a string": "$binarySize",
        "there are no hashed indexes here": "$toHashedIndexKey",
        _NO_BSON: "$serializeEJSON $deserializeEJSON $hash $hexHash",
        _NO_SCORES: "$meta",
        _EXTENDED_JSON: _OF_EXTENDED_JSON,
        _WINDOWS: _OF_WINDOWS,
        _GROUPS: "$addToSet $push $count $top $topN $bottom $bottomN",
        _ENCRYPTED: "$encStrContains $encStrEndsWith $encStrNormalizedEq $encStrStartsWith",
        _VECTORS: "$similarityCosine $similarityDotProduct $similarityEuclidean",
        _OF_LATER_VERSIONS: "$sigmoid $toArray $toObject",
        "use $rand: {$lt: [{$rand: {}}, rate]}": "$sampleRate",
        "use $$NOW": "$currentDate",
    }
)
ACCUMULATORS = _table(
    {
        _NO_SCRIPTS: "$accumulator $function",
        "use $push, and $setUnion in a $set stage after it": "$setUnion",
        "use $push, and $concatArrays in a $set stage after it": "$concatArrays",
        _WINDOWS: _OF_WINDOWS,
    }
)
VARIABLES = {
    "CLUSTER_TIME": "there is no time of a replica set: $$NOW is the time of the request",
    "USER_ROLES": "an expression does not know its caller; what callers may see is set by roles",
    "SEARCH_META": _NO_SEARCH,
    "SBE_ROOT": "it is internal to MongoDB",
    "DESCEND": "it belongs to $redact",
    "PRUNE": "it belongs to $redact",
    "KEEP": "it belongs to $redact",
}

NOT_IN_FACETS = STAGES.keys() - {"$lookup", "$graphLookup", "$unionWith", "$setWindowFields", "$densify", "$fill"}
"""What can't be used inside of ``$facet`` in MongoDB either."""

NOT_IN_EXPRESSIONS = frozenset(
    f"{_OF_WINDOWS} {_OF_EXTENDED_JSON} $addToSet $push $count $top $topN $bottom $bottomN $currentDate".split()
)
"""What stands in other parts of MongoDB's language, and is no operator of expressions there either."""

OPTIONS = _table(
    {
        "the registry plans with all its indexes, and there is none to choose": "hint min max returnKey showRecordId",
        "a request has no variables: write the values": "let",
        "write ?upsert=true in the address": "upsert",
        "an update of one cluster changes that one": "multi",
        "an answer comes whole, or page by page with a cursor": (
            "batchSize singleBatch tailable awaitData noCursorTimeout allowPartialResults"
        ),
        "every answer shows what is durable, and every write is durable before it is answered": (
            "readConcern writeConcern readPreference"
        ),
        "memory is bounded by the limits of the registry": "allowDiskUse",
        "every write is checked: see ?fieldValidation": "bypassDocumentValidation",
        "there are no transactions: If-Match guards an update": "session lsid txnNumber autocommit",
        "write returnDocument": "new returnNewDocument returnOriginal",
        "write projection": "fields",
        "use DELETE": "remove",
    }
)
"""Options of MongoDB's commands, which would stand beside a filter, a pipeline or an update."""

PLACES: Mapping[str, Mapping[str, str]] = {
    "filters": FILTERS,
    "updates": UPDATES,
    "stages": STAGES,
    "expressions": EXPRESSIONS,
    "accumulators": ACCUMULATORS,
    "variables": {f"$${name}": reason for name, reason in VARIABLES.items()},
    "options": OPTIONS,
}
"""All the tables, by the part of the language in which the names would stand."""


def misplaced(name: str, known: Collection[str], *, beside: str) -> str:
    """The sentence about a member that is no option beside ``beside``, where the ``known`` ones can stand."""
    if name in OPTIONS:
        return f"{shortened(name)} can't stand beside {beside!r}: {OPTIONS[name]}"
    return f"{shortened(name)} can't stand beside {beside!r}; these can: {', '.join(known)}{suggestion(name, known)}"


def unknown(name: str, known: Iterable[str], what: str) -> str:
    """The sentence about a name that is neither MongoDB's nor ours: ``what`` it is not, and what was probably meant."""
    shown = name if len(name) <= SHOWN_LENGTH_MAX else f"{name[:SHOWN_LENGTH_MAX]}..."
    return f'there is no {what} "{shown}"{suggestion(name, list(known))}'


def suggestion(name: str, known: Collection[str]) -> str:
    """What was probably meant, as the rest of a sentence; empty when nothing is close."""
    by_lower = {each.lower(): each for each in known}
    close = get_close_matches(name[:SHOWN_LENGTH_MAX].lower(), by_lower, n=1, cutoff=CLOSENESS_MIN)
    return f'; did you mean "{by_lower[close[0]]}"?' if close else ""
