"""An example of each stage and of each accumulator."""

from tests.docs.language_examples.rows import Accumulating, Passing

GPUS = [{"gpus": 2}, {"gpus": 8}, {"gpus": 5}]
MODELS = [{"model": "A100", "gpus": 8}, {"model": "H100", "gpus": 4}, {"model": "A100", "gpus": 2}]
LOADS = [{"load": 40}, {"load": None}, {"load": 70}, {"load": 10}]

EXAMPLES = (
    Passing("$match", {"$match": {"gpus": {"$gte": 5}}}, GPUS, [{"gpus": 8}, {"gpus": 5}]),
    Passing("$sample", {"$sample": {"size": 5}}, [{"gpus": 2}], [{"gpus": 2}]),
    Passing(
        "$redact",
        {"$redact": {"$cond": [{"$eq": ["$secret", True]}, "$$PRUNE", "$$DESCEND"]}},
        [{"id": "west", "config": {"secret": True}}],
        [{"id": "west"}],
    ),
    Passing("$sort", {"$sort": {"gpus": -1}}, GPUS, [{"gpus": 8}, {"gpus": 5}, {"gpus": 2}]),
    Passing("$limit", {"$limit": 2}, GPUS, [{"gpus": 2}, {"gpus": 8}]),
    Passing("$skip", {"$skip": 2}, GPUS, [{"gpus": 5}]),
    Passing(
        "$project",
        {"$project": {"half": {"$divide": ["$gpus", 2]}}},
        [{"id": "west", "gpus": 8}],
        [{"id": "west", "half": 4.0}],
    ),
    Passing("$set", {"$set": {"double": {"$multiply": ["$gpus", 2]}}}, [{"gpus": 2}], [{"gpus": 2, "double": 4}]),
    Passing(
        "$addFields", {"$addFields": {"config.gpus": "$gpus"}}, [{"gpus": 2}], [{"gpus": 2, "config": {"gpus": 2}}]
    ),
    Passing("$unset", {"$unset": ["owner", "config"]}, [{"id": "west", "owner": "x"}], [{"id": "west"}]),
    Passing("$replaceRoot", {"$replaceRoot": {"newRoot": "$config"}}, [{"config": {"os": "linux"}}], [{"os": "linux"}]),
    Passing("$replaceWith", {"$replaceWith": "$config"}, [{"config": {"os": "linux"}}], [{"os": "linux"}]),
    Passing(
        "$unwind",
        {"$unwind": "$tags"},
        [{"id": "west", "tags": ["gpu", "ml"]}, {"id": "east", "tags": []}],
        [{"id": "west", "tags": "gpu"}, {"id": "west", "tags": "ml"}],
    ),
    Passing(
        "$group",
        {"$group": {"_id": "$model", "gpus": {"$sum": "$gpus"}}},
        MODELS,
        [{"_id": "A100", "gpus": 10}, {"_id": "H100", "gpus": 4}],
    ),
    Passing("$count", {"$count": "clusters"}, GPUS, [{"clusters": 3}]),
    Passing(
        "$sortByCount",
        {"$sortByCount": "$model"},
        MODELS,
        [{"_id": "A100", "count": 2}, {"_id": "H100", "count": 1}],
    ),
    Passing(
        "$bucket",
        {"$bucket": {"groupBy": "$gpus", "boundaries": [0, 4, 16]}},
        GPUS,
        [{"_id": 0, "count": 1}, {"_id": 4, "count": 2}],
    ),
    Passing(
        "$bucketAuto",
        {"$bucketAuto": {"groupBy": "$gpus", "buckets": 2}},
        [*GPUS, {"gpus": 9}],
        [{"_id": {"min": 2, "max": 8}, "count": 2}, {"_id": {"min": 8, "max": 9}, "count": 2}],
    ),
    Passing(
        "$facet",
        {"$facet": {"most": [{"$sort": {"gpus": -1}}, {"$limit": 1}], "number": [{"$count": "all"}]}},
        GPUS,
        [{"most": [{"gpus": 8}], "number": [{"all": 3}]}],
    ),
)

ACCUMULATORS = (
    Accumulating("$sum", {"$sum": "$gpus"}, GPUS, 15),
    Accumulating("$avg", {"$avg": "$gpus"}, GPUS, 5.0),
    Accumulating("$stdDevPop", {"$stdDevPop": "$gpus"}, [{"gpus": 2}, {"gpus": 4}], 1.0),
    Accumulating("$stdDevSamp", {"$stdDevSamp": "$gpus"}, [{"gpus": 2}, {"gpus": 4}, {"gpus": 6}], 2.0),
    Accumulating("$count", {"$count": {}}, GPUS, 3),
    Accumulating("$first", {"$first": "$gpus"}, GPUS, 2),
    Accumulating("$last", {"$last": "$gpus"}, GPUS, 5),
    Accumulating("$min", {"$min": "$load"}, LOADS, 10),
    Accumulating("$max", {"$max": "$load"}, LOADS, 70),
    Accumulating("$push", {"$push": "$load"}, LOADS, [40, None, 70, 10]),
    Accumulating("$addToSet", {"$addToSet": "$model"}, MODELS, ["A100", "H100"]),
    Accumulating("$mergeObjects", {"$mergeObjects": "$$ROOT"}, [{"a": 1, "b": 1}, {"b": 2}], {"a": 1, "b": 2}),
    Accumulating("$firstN", {"$firstN": {"input": "$gpus", "n": 2}}, GPUS, [2, 8]),
    Accumulating("$lastN", {"$lastN": {"input": "$gpus", "n": 2}}, GPUS, [8, 5]),
    Accumulating("$minN", {"$minN": {"input": "$load", "n": 2}}, LOADS, [10, 40]),
    Accumulating("$maxN", {"$maxN": {"input": "$load", "n": 2}}, LOADS, [70, 40]),
    Accumulating("$top", {"$top": {"sortBy": {"gpus": -1}, "output": "$model"}}, MODELS, "A100"),
    Accumulating("$bottom", {"$bottom": {"sortBy": {"gpus": -1}, "output": "$gpus"}}, MODELS, 2),
    Accumulating("$topN", {"$topN": {"n": 2, "sortBy": {"gpus": -1}, "output": "$gpus"}}, MODELS, [8, 4]),
    Accumulating("$bottomN", {"$bottomN": {"n": 2, "sortBy": {"gpus": -1}, "output": "$gpus"}}, MODELS, [4, 2]),
    Accumulating("$median", {"$median": {"input": "$gpus", "method": "approximate"}}, GPUS, 5.0),
    Accumulating(
        "$percentile", {"$percentile": {"input": "$gpus", "p": [0.5, 1], "method": "approximate"}}, GPUS, [5.0, 8.0]
    ),
)
