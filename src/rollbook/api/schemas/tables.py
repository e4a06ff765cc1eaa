"""JSON Schemas of tables, and of what else is answered in bulk."""

from rollbook.api.declarations import Schema, array_of

COUNT: Schema = {"type": "integer", "minimum": 0}

WHY_NOT: Schema = {
    "description": "for each clause and each need, how many clusters it keeps out, and how many it keeps out alone",
    "type": "array",
    "items": {
        "type": "object",
        "properties": {"clause": {"type": "string"}, "removes": COUNT, "removesAlone": COUNT},
        "required": ["clause", "removes", "removesAlone"],
    },
}

COMPONENTS: dict[str, Schema] = {
    "Fit": {
        "description": "Where something fits: the best first. `left` is what stays free on the nodes that are named.",
        "type": "object",
        "properties": {
            "count": {**COUNT, "description": "how many clusters fit"},
            "matches": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "id": {"type": "string"},
                        "nodes": {"type": "array", "description": "the ids of the nodes to place it on"},
                        "left": {"type": "object", "additionalProperties": {"type": "number"}},
                    },
                    "required": ["id", "nodes", "left"],
                },
            },
            "whyNot": WHY_NOT,
            "nearest": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "id": {"type": "string"},
                        "missing": {"type": "object", "additionalProperties": {"type": "number"}},
                    },
                    "required": ["id", "missing"],
                },
            },
        },
        "required": ["count", "matches", "whyNot", "nearest"],
    },
    "Table": {
        "description": "Columns by path, each with a cell for every row, in the same order. Equal numbers are one "
        "value; null stands for null and for nothing.",
        "type": "object",
        "properties": {
            "revision": COUNT,
            "count": {**COUNT, "description": "how many match, in the table or not"},
            "columns": {
                "type": "object",
                "additionalProperties": {
                    "type": "object",
                    "properties": {
                        "values": {"type": "array", "description": "the value of each row"},
                        "dictionary": {"type": "array", "description": "the distinct values, in MongoDB's order"},
                        "lengths": {
                            **array_of(COUNT),
                            "description": "of lists: how many values each row has",
                        },
                        "codes": {**array_of(COUNT), "description": "places in the dictionary, row after row"},
                    },
                    "anyOf": [{"required": ["values"]}, {"required": ["dictionary", "codes"]}],
                },
            },
        },
        "required": ["revision", "count", "columns"],
    },
}
