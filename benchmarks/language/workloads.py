"""What is asked of the contestants, on clusters of ``benchmarks.generating``."""

from collections.abc import Mapping
from typing import Any

Request = dict[str, Any]

FILTERS: Mapping[str, Request] = {
    "equality of two fields": {"status": "live", "regionId": "us-east-1"},
    "range": {"gpus.count": {"$gte": 16, "$lt": 64}},
    "element of an array": {"tags": "production"},
    "`$in`": {"regionId": {"$in": ["us-east-1", "eu-west-1", "ap-south-1"]}},
    "`$or`": {"$or": [{"status": "maintenance"}, {"reputation": {"$gte": 90}}]},
    "`$not`": {"reputation": {"$not": {"$gt": 20}}},
    "`$exists: false`": {"clusterMetadata.email": {"$exists": False}},
    "`$regex`": {"clusterMetadata.owner": {"$regex": "^Vision Group 1"}},
    "text through two arrays": {"nodes.nodeData.gpus.modelNames": "NVIDIA H100"},
    "range through an array": {"nodes.nodeData.memory": {"$gte": 1048576}},
    "`$elemMatch`": {"nodes.nodeData": {"$elemMatch": {"gpus.count": 8, "memory": {"$gte": 524288}}}},
    "`$all`": {"tags": {"$all": ["gpu", "production"]}},
    "`$size`": {"clusterMetadata.countries": {"$size": 2}},
    "`$expr`": {"$expr": {"$gt": ["$memory", {"$multiply": ["$gpus.count", 65536]}]}},
}

UPDATES: Mapping[str, Request] = {
    "`$set` of a field": {"$set": {"status": "draining"}},
    "`$set` of a deep field": {"$set": {"clusterMetadata.additionalInfo.rack": 7}},
    "`$inc` of two fields": {"$inc": {"gpus.count": 1, "reputation": -1}},
    "`$unset`": {"$unset": {"clusterMetadata.email": ""}},
    "`$push` with `$slice`": {"$push": {"tags": {"$each": ["new"], "$slice": -5}}},
    "`$addToSet`": {"$addToSet": {"tags": "new"}},
    "`$pull` by a condition": {"$pull": {"nodes.nodeData": {"memory": {"$lt": 131072}}}},
    "`$set` of an element": {"$set": {"nodes.nodeData.0.swap": 512}},
    "`$inc` of every element": {"$inc": {"nodes.nodeData.$[].swap": 1}},
}

SORTS: Mapping[str, Request] = {
    "by a number": {"gpus.memory": -1},
    "by a text": {"clusterMetadata.name": 1},
    "by two fields": {"status": 1, "reputation": -1},
    "by an array": {"tags": 1},
    "by numbers in an array": {"nodes.nodeData.memory": -1},
}

PROJECTIONS: Mapping[str, Request] = {
    "three fields": {"status": 1, "regionId": 1, "gpus.count": 1},
    "fields of array elements": {"nodes.nodeData.id": 1, "nodes.nodeData.gpus.count": 1},
    "all but two": {"nodes": 0, "config.urlMap": 0},
    "`$slice`": {"nodes.nodeData": {"$slice": 1}},
    "`$elemMatch`": {"tags": {"$elemMatch": {"$gte": "project", "$lt": "project-5"}}},
}
