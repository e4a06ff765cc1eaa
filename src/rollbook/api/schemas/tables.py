"""JSON Schemas of tables, and of what else is answered in bulk."""

from rollbook.api.declarations import Schema, array_of

COUNT: Schema = {"type": "integer", "minimum": 0}

COMPONENTS: dict[str, Schema] = {
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
