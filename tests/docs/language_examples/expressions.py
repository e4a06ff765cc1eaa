"""An example or more of each operator of expressions."""

from rollbook.documents.values import MISSING
from tests.docs.language_examples.rows import Giving

LOADS = {"loads": [5, 7, 9]}
NODES = {"nodes": [{"id": "b", "gpus": 8}, {"id": "a", "gpus": 2}]}

ARITHMETIC = (
    Giving("$add", {"$add": [1, 2, 0.5]}, 3.5),
    Giving("$subtract", {"$subtract": ["$gpus", "$used"]}, 3, {"gpus": 8, "used": 5}),
    Giving("$multiply", {"$multiply": [2, 3]}, 6),
    Giving("$divide", {"$divide": [6, 4]}, 1.5),
    Giving("$mod", {"$mod": [-7, 4]}, -3),
    Giving("$abs", {"$abs": -4}, 4),
    Giving("$ceil", {"$ceil": 2.1}, 3.0),
    Giving("$floor", {"$floor": -2.1}, -3.0),
    Giving("$round", {"$round": [2.5, 0]}, 2.0),
    Giving("$trunc", {"$trunc": [1234.567, -2]}, 1200.0),
    Giving("$pow", {"$pow": [2, 10]}, 1024),
    Giving("$sqrt", {"$sqrt": 9}, 3.0),
    Giving("$exp", {"$exp": 0}, 1.0),
    Giving("$ln", {"$ln": 1}, 0.0),
    Giving("$log", {"$log": [8, 2]}, 3.0),
    Giving("$log10", {"$log10": 1000}, 3.0),
)

TRIGONOMETRY = (
    Giving("$sin", {"$sin": 0}, 0.0),
    Giving("$cos", {"$cos": 0}, 1.0),
    Giving("$tan", {"$tan": 0}, 0.0),
    Giving("$asin", {"$asin": 0}, 0.0),
    Giving("$acos", {"$acos": 1}, 0.0),
    Giving("$atan", {"$atan": 0}, 0.0),
    Giving("$atan2", {"$atan2": [0, 1]}, 0.0),
    Giving("$sinh", {"$sinh": 0}, 0.0),
    Giving("$cosh", {"$cosh": 0}, 1.0),
    Giving("$tanh", {"$tanh": 0}, 0.0),
    Giving("$asinh", {"$asinh": 0}, 0.0),
    Giving("$acosh", {"$acosh": 1}, 0.0),
    Giving("$atanh", {"$atanh": 0}, 0.0),
    Giving("$degreesToRadians", {"$degreesToRadians": 180}, 3.141592653589793),
    Giving("$radiansToDegrees", {"$radiansToDegrees": 3.141592653589793}, 180.0),
)

BITWISE = (
    Giving("$bitAnd", {"$bitAnd": [6, 3]}, 2),
    Giving("$bitOr", {"$bitOr": [6, 3]}, 7),
    Giving("$bitXor", {"$bitXor": [6, 3]}, 5),
    Giving("$bitNot", {"$bitNot": 0}, -1),
)

COMPARISON = (
    Giving("$cmp", {"$cmp": [2, 8]}, -1),
    Giving("$eq", {"$eq": [2, 2.0]}, True),
    Giving("$ne", {"$ne": [2, "2"]}, True),
    Giving("$gt", {"$gt": ["2", 10]}, True),
    Giving("$gte", {"$gte": [2, 2]}, True),
    Giving("$lt", {"$lt": ["$missing", None]}, True),
    Giving("$lte", {"$lte": [3, 2]}, False),
)

CONDITIONS = (
    Giving("$and", {"$and": [1, "", []]}, True),
    Giving("$or", {"$or": [0, None]}, False),
    Giving("$not", {"$not": [0]}, True),
    Giving("$cond", {"$cond": {"if": {"$gte": ["$gpus", 4]}, "then": "large", "else": "small"}}, "large", {"gpus": 8}),
    Giving("$cond", {"$cond": [False, 1, 2]}, 2),
    Giving("$ifNull", {"$ifNull": ["$owner", "$vendor", "unknown"]}, "unknown", {"owner": None}),
    Giving(
        "$switch",
        {"$switch": {"branches": [{"case": {"$gte": ["$gpus", 8]}, "then": "large"}], "default": "small"}},
        "small",
        {"gpus": 2},
    ),
)

VARIABLES = (
    Giving("$literal", {"$literal": "$gpus"}, "$gpus"),
    Giving("$const", {"$const": {"$add": 1}}, {"$add": 1}),
    Giving("$let", {"$let": {"vars": {"half": 4}, "in": {"$multiply": ["$$half", 2]}}}, 8),
    Giving("$rand", {"$lt": [{"$rand": {}}, 1]}, True),
)

TYPES = (
    Giving("$type", {"$type": "$gpus"}, "missing"),
    Giving("$isNumber", {"$isNumber": "5"}, False),
    Giving("$toInt", {"$toInt": "42"}, 42),
    Giving("$toLong", {"$toLong": 2.9}, 2),
    Giving("$toDouble", {"$toDouble": "2.5"}, 2.5),
    Giving("$toBool", {"$toBool": "false"}, True),
    Giving("$toString", {"$toString": 2.5}, "2.5"),
    Giving("$convert", {"$convert": {"input": "many", "to": "int", "onError": -1, "onNull": 0}}, -1),
)

ACCUMULATORS = (
    Giving("$sum", {"$sum": "$loads"}, 21, LOADS),
    Giving("$avg", {"$avg": [2, 4]}, 3.0),
    Giving("$min", {"$min": "$loads"}, 5, LOADS),
    Giving("$max", {"$max": [1, "a"]}, "a"),
    Giving("$stdDevPop", {"$stdDevPop": [2, 4]}, 1.0),
    Giving("$stdDevSamp", {"$stdDevSamp": [2, 4, 6]}, 2.0),
    Giving("$median", {"$median": {"input": "$loads", "method": "approximate"}}, 7.0, LOADS),
    Giving("$percentile", {"$percentile": {"input": [1, 2, 3], "p": [0.5], "method": "approximate"}}, [2.0]),
)

STRINGS = (
    Giving("$concat", {"$concat": ["west", "-", "1"]}, "west-1"),
    Giving("$split", {"$split": ["us-west-2", "-"]}, ["us", "west", "2"]),
    Giving("$strLenCP", {"$strLenCP": "é"}, 1),
    Giving("$strLenBytes", {"$strLenBytes": "é"}, 2),
    Giving("$toLower", {"$toLower": "West"}, "west"),
    Giving("$toUpper", {"$toUpper": "West"}, "WEST"),
    Giving("$strcasecmp", {"$strcasecmp": ["West", "west"]}, 0),
    Giving("$substr", {"$substr": ["west-1", 0, 4]}, "west"),
    Giving("$substrBytes", {"$substrBytes": ["west-1", 5, -1]}, "1"),
    Giving("$substrCP", {"$substrCP": ["é1", 1, 1]}, "1"),
    Giving("$indexOfBytes", {"$indexOfBytes": ["é1", "1"]}, 2),
    Giving("$indexOfCP", {"$indexOfCP": ["é1", "1"]}, 1),
    Giving("$trim", {"$trim": {"input": "  west "}}, "west"),
    Giving("$ltrim", {"$ltrim": {"input": "--west-", "chars": "-"}}, "west-"),
    Giving("$rtrim", {"$rtrim": {"input": "--west-", "chars": "-"}}, "--west"),
    Giving("$replaceOne", {"$replaceOne": {"input": "a-b-c", "find": "-", "replacement": "."}}, "a.b-c"),
    Giving("$replaceAll", {"$replaceAll": {"input": "a-b-c", "find": "-", "replacement": "."}}, "a.b.c"),
    Giving("$regexMatch", {"$regexMatch": {"input": "us-west-2", "regex": "WEST", "options": "i"}}, True),
    Giving(
        "$regexFind",
        {"$regexFind": {"input": "us-west-2", "regex": "-(\\d)"}},
        {"match": "-2", "idx": 7, "captures": ["2"]},
    ),
    Giving(
        "$regexFindAll",
        {"$regexFindAll": {"input": "a1b2", "regex": "\\d"}},
        [{"match": "1", "idx": 1, "captures": []}, {"match": "2", "idx": 3, "captures": []}],
    ),
)

ARRAYS = (
    Giving("$size", {"$size": "$loads"}, 3, LOADS),
    Giving("$isArray", {"$isArray": "$loads"}, True, LOADS),
    Giving("$arrayElemAt", {"$arrayElemAt": ["$loads", -1]}, 9, LOADS),
    Giving("$arrayElemAt", {"$arrayElemAt": ["$loads", 3]}, MISSING, LOADS),
    Giving("$first", {"$first": "$loads"}, 5, LOADS),
    Giving("$last", {"$last": "$loads"}, 9, LOADS),
    Giving("$in", {"$in": [7, "$loads"]}, True, LOADS),
    Giving("$indexOfArray", {"$indexOfArray": ["$loads", 9]}, 2, LOADS),
    Giving("$concatArrays", {"$concatArrays": [[1], [2, 3]]}, [1, 2, 3]),
    Giving("$slice", {"$slice": ["$loads", 1, 2]}, [7, 9], LOADS),
    Giving("$range", {"$range": [0, 6, 2]}, [0, 2, 4]),
    Giving("$reverseArray", {"$reverseArray": "$loads"}, [9, 7, 5], LOADS),
    Giving("$firstN", {"$firstN": {"input": "$loads", "n": 2}}, [5, 7], LOADS),
    Giving("$lastN", {"$lastN": {"input": "$loads", "n": 2}}, [7, 9], LOADS),
    Giving("$maxN", {"$maxN": {"input": "$loads", "n": 2}}, [9, 7], LOADS),
    Giving("$minN", {"$minN": {"input": "$loads", "n": 2}}, [5, 7], LOADS),
    Giving("$map", {"$map": {"input": "$nodes", "as": "node", "in": "$$node.gpus"}}, [8, 2], NODES),
    Giving("$filter", {"$filter": {"input": "$loads", "as": "load", "cond": {"$gt": ["$$load", 6]}}}, [7, 9], LOADS),
    Giving(
        "$reduce",
        {"$reduce": {"input": "$loads", "initialValue": 0, "in": {"$add": ["$$value", "$$this"]}}},
        21,
        LOADS,
    ),
    Giving(
        "$sortArray",
        {"$sortArray": {"input": "$nodes", "sortBy": {"gpus": 1}}},
        [{"id": "a", "gpus": 2}, {"id": "b", "gpus": 8}],
        NODES,
    ),
    Giving("$sortArray", {"$sortArray": {"input": [3, 1, 2], "sortBy": -1}}, [3, 2, 1]),
    Giving("$zip", {"$zip": {"inputs": [["a", "b"], [1, 2]]}}, [["a", 1], ["b", 2]]),
)

SETS = (
    Giving("$setUnion", {"$setUnion": [["a", "b"], ["b", "c"]]}, ["a", "b", "c"]),
    Giving("$setIntersection", {"$setIntersection": [["a", "b"], ["b", "c"]]}, ["b"]),
    Giving("$setDifference", {"$setDifference": [["a", "b"], ["b", "c"]]}, ["a"]),
    Giving("$setEquals", {"$setEquals": [["a", "b"], ["b", "a", "a"]]}, True),
    Giving("$setIsSubset", {"$setIsSubset": [["a"], ["a", "b"]]}, True),
    Giving("$anyElementTrue", {"$anyElementTrue": [[0, None, "x"]]}, True),
    Giving("$allElementsTrue", {"$allElementsTrue": [[1, None]]}, False),
)

OBJECTS = (
    Giving("$mergeObjects", {"$mergeObjects": [{"a": 1, "b": 1}, {"b": 2}]}, {"a": 1, "b": 2}),
    Giving("$objectToArray", {"$objectToArray": {"a": 1}}, [{"k": "a", "v": 1}]),
    Giving("$arrayToObject", {"$arrayToObject": [[["a", 1], ["b", 2]]]}, {"a": 1, "b": 2}),
    Giving("$getField", {"$getField": "a.b"}, 5, {"a.b": 5}),
    Giving(
        "$setField", {"$setField": {"field": "a.b", "input": "$$ROOT", "value": 5}}, {"id": "w", "a.b": 5}, {"id": "w"}
    ),
    Giving("$unsetField", {"$unsetField": {"field": "a.b", "input": "$$ROOT"}}, {"id": "w"}, {"id": "w", "a.b": 5}),
)

SEEN = {"seen": "2026-11-27T08:15:00.000Z"}
TIMES = (
    Giving(
        "$dateAdd", {"$dateAdd": {"startDate": "$seen", "unit": "day", "amount": 3}}, "2026-11-30T08:15:00.000Z", SEEN
    ),
    Giving(
        "$dateSubtract",
        {"$dateSubtract": {"startDate": "$seen", "unit": "hour", "amount": 12}},
        "2026-11-26T20:15:00.000Z",
        SEEN,
    ),
    Giving("$dateDiff", {"$dateDiff": {"startDate": "$seen", "endDate": "2026-12-01", "unit": "day"}}, 4, SEEN),
    Giving("$dateTrunc", {"$dateTrunc": {"date": "$seen", "unit": "month"}}, "2026-11-01T00:00:00.000Z", SEEN),
    Giving("$dateToString", {"$dateToString": {"date": "$seen", "format": "%d.%m.%Y"}}, "27.11.2026", SEEN),
    Giving(
        "$dateFromString",
        {"$dateFromString": {"dateString": "27/11/2026", "format": "%d/%m/%Y"}},
        "2026-11-27T00:00:00.000Z",
    ),
    Giving("$toDate", {"$toDate": 1_000}, "1970-01-01T00:00:01.000Z"),
    Giving("$year", {"$year": "$seen"}, 2026, SEEN),
    Giving("$month", {"$month": "$seen"}, 11, SEEN),
    Giving("$dayOfMonth", {"$dayOfMonth": "$seen"}, 27, SEEN),
    Giving("$dayOfWeek", {"$dayOfWeek": "$seen"}, 6, SEEN),
    Giving("$dayOfYear", {"$dayOfYear": "$seen"}, 331, SEEN),
    Giving("$hour", {"$hour": {"date": "$seen", "timezone": "Europe/Berlin"}}, 9, SEEN),
    Giving("$minute", {"$minute": "$seen"}, 15, SEEN),
    Giving("$second", {"$second": "$seen"}, 0, SEEN),
    Giving("$millisecond", {"$millisecond": "$seen"}, 0, SEEN),
    Giving("$week", {"$week": "$seen"}, 47, SEEN),
    Giving("$isoWeek", {"$isoWeek": "$seen"}, 48, SEEN),
    Giving("$isoWeekYear", {"$isoWeekYear": "$seen"}, 2026, SEEN),
    Giving("$isoDayOfWeek", {"$isoDayOfWeek": "$seen"}, 5, SEEN),
)

EXAMPLES = (
    *ARITHMETIC,
    *TRIGONOMETRY,
    *BITWISE,
    *COMPARISON,
    *CONDITIONS,
    *VARIABLES,
    *TYPES,
    *ACCUMULATORS,
    *STRINGS,
    *ARRAYS,
    *SETS,
    *OBJECTS,
    *TIMES,
)
