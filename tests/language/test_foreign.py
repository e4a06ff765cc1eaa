"""Every name of MongoDB 8 is built or refused with its reason; what is no name of MongoDB's is unknown."""

from collections.abc import Callable
from typing import Any

import pytest

from rollbook.errors import LanguageRefused
from rollbook.language.edits import parse_update_body
from rollbook.language.expressions import parse_expression
from rollbook.language.expressions.table import OPERATORS as EXPRESSIONS
from rollbook.language.filters import parse_filter
from rollbook.language.filters.tables import FORMS, TOP_FORMS
from rollbook.language.filters.tables import OPERATORS as FILTERS
from rollbook.language.foreign import OPTIONS, PLACES
from rollbook.language.pipelines import parse_pipeline
from rollbook.language.pipelines.accumulators.table import ACCUMULATORS
from rollbook.language.pipelines.table import STAGES
from rollbook.language.updates import parse_update
from rollbook.language.updates.table import OPERATORS as UPDATES

MONGODB = {
    "filters": """
        $all $and $bitsAllClear $bitsAllSet $bitsAnyClear $bitsAnySet $box $center $centerSphere $comment $elemMatch $eq
        $exists $expr $geoIntersects $geoWithin $geometry $gt $gte $in $jsonSchema $lt $lte $maxDistance $minDistance
        $mod $natural $ne $near $nearSphere $nin $nor $not $options $or $polygon $rand $regex $sampleRate $size $text
        $type $where
    """,
    "updates": """
        $addToSet $bit $currentDate $each $inc $max $min $mul $pop $position $pull $pullAll $push $rename $set
        $setOnInsert $slice $sort $unset
    """,
    "stages": """
        $addFields $bucket $bucketAuto $changeStream $changeStreamSplitLargeEvent $collStats $count $currentOp $densify
        $documents $facet $fill $geoNear $graphLookup $group $indexStats $limit $listClusterCatalog $listLocalSessions
        $listSampledQueries $listSearchIndexes $listSessions $lookup $match $merge $out $planCacheStats $project
        $querySettings $queryStats $rankFusion $redact $replaceRoot $replaceWith $sample $score $scoreFusion $search
        $searchMeta $set $setWindowFields $shardedDataDistribution $skip $sort $sortByCount $unionWith $unset $unwind
        $vectorSearch
    """,
    "expressions": """
        $abs $accumulator $acos $acosh $add $addToSet $allElementsTrue $and $anyElementTrue $arrayElemAt
        $arrayToObject $asin $asinh $atan $atan2 $atanh $avg $binarySize $bitAnd $bitNot $bitOr $bitXor $bottom
        $bottomN $bsonSize $ceil $cmp $concat $concatArrays $cond $convert $cos $cosh $count $covariancePop
        $covarianceSamp $dateAdd $dateDiff $dateFromParts $dateFromString $dateSubtract $dateToParts
        $dateToString $dateTrunc $dayOfMonth $dayOfWeek $dayOfYear $degreesToRadians $denseRank $derivative
        $divide $documentNumber $encStrContains $encStrEndsWith $encStrNormalizedEq $encStrStartsWith $eq $exp
        $expMovingAvg $filter $first $firstN $floor $function $getField $gt $gte $hour $ifNull $in $indexOfArray
        $indexOfBytes $indexOfCP $integral $isArray $isNumber $isoDayOfWeek $isoWeek $isoWeekYear $last $lastN
        $let $linearFill $literal $ln $locf $log $log10 $lt $lte $ltrim $map $max $maxN $median $mergeObjects
        $meta $millisecond $min $minMaxScaler $minN $minute $mod $month $multiply $ne $not $objectToArray $or
        $percentile $pow $push $radiansToDegrees $rand $range $rank $reduce $regexFind $regexFindAll $regexMatch
        $replaceAll $replaceOne $reverseArray $round $rtrim $sampleRate $second $setDifference $setEquals
        $setField $setIntersection $setIsSubset $setUnion $shift $sigmoid $similarityCosine
        $similarityDotProduct $similarityEuclidean $sin $sinh $size $slice $sortArray $split $sqrt $stdDevPop
        $stdDevSamp $strLenBytes $strLenCP $strcasecmp $substr $substrBytes $substrCP $subtract $subtype $sum
        $switch $tan $tanh $toBool $toDate $toDecimal $toDouble $toHashedIndexKey $toInt $toLong $toLower
        $toObjectId $toString $toUUID $toUpper $top $topN $trim $trunc $tsIncrement $tsSecond $type $unsetField
        $week $year $zip
    """,
    "accumulators": """
        $accumulator $addToSet $avg $bottom $bottomN $concatArrays $count $covariancePop $covarianceSamp $denseRank
        $derivative $documentNumber $expMovingAvg $first $firstN $integral $last $lastN $linearFill $locf $max $maxN
        $median $mergeObjects $min $minMaxScaler $minN $percentile $push $rank $setUnion $shift $stdDevPop $stdDevSamp
        $sum $top $topN
    """,
    "variables": "$$CLUSTER_TIME $$CURRENT $$NOW $$REMOVE $$ROOT $$SEARCH_META $$USER_ROLES",
}
"""The names on the reference pages of MongoDB 8."""

BUILT = {
    "filters": {*FILTERS, *FORMS, *TOP_FORMS},
    "updates": {*UPDATES, "$rename"},
    "stages": {*STAGES},
    "expressions": {*EXPRESSIONS},
    "accumulators": {*ACCUMULATORS},
    "variables": {"$$ROOT", "$$CURRENT", "$$REMOVE", "$$NOW"},
    "options": set(),
}

USES: dict[str, Callable[[str], Any]] = {
    "filters": lambda name: parse_filter({"a": {name: 1}}),
    "updates": lambda name: parse_update({name: {"a": 1}}),
    "stages": lambda name: parse_pipeline([{name: {}}]),
    "expressions": lambda name: parse_expression({name: "$a"}),
    "accumulators": lambda name: parse_pipeline([{"$group": {"_id": None, "x": {name: "$a"}}}]),
    "variables": parse_expression,
    "options": lambda name: parse_update_body({"update": {}, name: 1}),
}


@pytest.mark.parametrize("place", MONGODB)
def test_every_name_of_mongodb_is_built_or_has_its_reason(place: str) -> None:
    assert set(MONGODB[place].split()) - BUILT[place] - PLACES[place].keys() == set()


@pytest.mark.parametrize("place", PLACES)
def test_nothing_that_is_built_is_listed_as_missing(place: str) -> None:
    assert BUILT[place] & PLACES[place].keys() == set()


@pytest.mark.parametrize(("place", "name"), [(place, name) for place, names in PLACES.items() for name in names])
def test_what_is_missing_is_refused_by_name_with_its_reason(place: str, name: str) -> None:
    with pytest.raises(LanguageRefused) as refusal:
        USES[place](name)
    assert name in refusal.value.message
    assert PLACES[place][name] in refusal.value.message


@pytest.mark.parametrize(
    ("place", "name", "meant"),
    [
        ("filters", "$exist", "$exists"),
        ("filters", "$regexp", "$regex"),
        ("filters", "$GTE", "$gte"),
        ("updates", "$incr", "$inc"),
        ("updates", "$addtoset", "$addToSet"),
        ("stages", "$matches", "$match"),
        ("stages", "$sortByCounts", "$sortByCount"),
        ("expressions", "$dateDif", "$dateDiff"),
        ("expressions", "$toUppercase", "$toUpper"),
        ("accumulators", "$average", "$avg"),
        ("accumulators", "$pushes", "$push"),
        ("variables", "$$now", "NOW"),
        ("options", "projections", "projection"),
    ],
)
def test_what_is_no_name_of_mongodb_is_unknown_and_the_next_name_is_suggested(
    place: str, name: str, meant: str
) -> None:
    with pytest.raises(LanguageRefused, match=r"did you mean") as refusal:
        USES[place](name)
    assert f'did you mean "{meant}"?' in refusal.value.message


@pytest.mark.parametrize("place", BUILT)
def test_what_is_like_nothing_has_no_suggestion(place: str) -> None:
    with pytest.raises(LanguageRefused) as refusal:
        USES[place]("$$zzzzzz" if place == "variables" else "$zzzzzz")
    assert "did you mean" not in refusal.value.message
    assert "zzzzzz" in refusal.value.message


def test_a_long_name_is_shortened() -> None:
    with pytest.raises(LanguageRefused) as refusal:
        parse_filter({"a": {"$" + "x" * 10_000: 1}})
    assert len(refusal.value.message) < 200


def test_the_options_have_no_dollar() -> None:
    assert not any(name.startswith("$") for name in OPTIONS)
