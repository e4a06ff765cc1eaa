"""An example or more of each operator of updates, and of the modifiers of ``$push``."""

from tests.docs.language_examples.rows import Changing

EXAMPLES = (
    Changing("$set", {"$set": {"config.useGateway": True}}, {}, {"config": {"useGateway": True}}),
    Changing("$unset", {"$unset": {"owner": ""}}, {"id": "west", "owner": "x"}, {"id": "west"}),
    Changing("$setOnInsert", {"$setOnInsert": {"gpus": 0}}, {"id": "west"}, {"id": "west"}),
    Changing("$rename", {"$rename": {"owner": "config.owner"}}, {"owner": "x"}, {"config": {"owner": "x"}}),
    Changing("$min", {"$min": {"lowest": 3}}, {"lowest": 5}, {"lowest": 3}),
    Changing("$max", {"$max": {"highest": 3}}, {"highest": 5}, {"highest": 5}),
    Changing("$currentDate", {"$currentDate": {"seen": True}}, {}, {"seen": "2026-01-31T12:00:00.000Z"}),
    Changing("$inc", {"$inc": {"gpus": 2, "nodes": -1}}, {"gpus": 8, "nodes": 3}, {"gpus": 10, "nodes": 2}),
    Changing("$mul", {"$mul": {"memory": 2, "swap": 2}}, {"memory": 512}, {"memory": 1024, "swap": 0}),
    Changing("$bit", {"$bit": {"flags": {"or": 4}}}, {"flags": 3}, {"flags": 7}),
    Changing("$addToSet", {"$addToSet": {"tags": {"$each": ["ml", "eu"]}}}, {"tags": ["ml"]}, {"tags": ["ml", "eu"]}),
    Changing("$pop", {"$pop": {"loads": 1}}, {"loads": [5, 7, 9]}, {"loads": [5, 7]}),
    Changing("$pull", {"$pull": {"loads": {"$gt": 6}}}, {"loads": [5, 7, 9]}, {"loads": [5]}),
    Changing(
        "$pull",
        {"$pull": {"nodes": {"id": "node-1"}}},
        {"nodes": [{"id": "node-1"}, {"id": "node-2"}]},
        {"nodes": [{"id": "node-2"}]},
    ),
    Changing("$pullAll", {"$pullAll": {"tags": ["a", "b"]}}, {"tags": ["a", "c", "b", "a"]}, {"tags": ["c"]}),
    Changing("$push", {"$push": {"tags": "ml"}}, {"tags": ["gpu"]}, {"tags": ["gpu", "ml"]}),
)

NODES = {"nodes": [{"id": "a", "gpus": 2}, {"id": "b", "gpus": 4}]}

MODIFIERS = (
    Changing("$each", {"$push": {"loads": {"$each": [9, 8]}}}, {"loads": [5]}, {"loads": [5, 9, 8]}),
    Changing("$position", {"$push": {"loads": {"$each": [9], "$position": 0}}}, {"loads": [5]}, {"loads": [9, 5]}),
    Changing("$sort", {"$push": {"loads": {"$each": [9, 4], "$sort": 1}}}, {"loads": [5]}, {"loads": [4, 5, 9]}),
    Changing("$slice", {"$push": {"loads": {"$each": [9, 4], "$slice": -2}}}, {"loads": [5]}, {"loads": [9, 4]}),
)

POSITIONS = (
    Changing(
        "$",
        {"$set": {"nodes.$.gpus": 8}},
        NODES,
        {"nodes": [{"id": "a", "gpus": 2}, {"id": "b", "gpus": 8}]},
        filter={"nodes.id": "b"},
    ),
    Changing(
        "$[]", {"$inc": {"nodes.$[].gpus": 1}}, NODES, {"nodes": [{"id": "a", "gpus": 3}, {"id": "b", "gpus": 5}]}
    ),
    Changing(
        "$[name]",
        {"$set": {"nodes.$[small].gpus": 3}},
        NODES,
        {"nodes": [{"id": "a", "gpus": 3}, {"id": "b", "gpus": 4}]},
        array_filters=[{"small.gpus": {"$lt": 3}}],
    ),
)
