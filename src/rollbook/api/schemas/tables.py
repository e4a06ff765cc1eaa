"""JSON Schemas of tables, and of what else is answered in bulk."""

from rollbook.api.declarations import Schema, array_of, reference
from rollbook.api.schemas.language import CURSOR, FILTER, INT64, WORDS
from rollbook.limits import DEFAULT_LIMITS
from rollbook.registry.listing.table_requests import COLUMNS_MAX
from rollbook.registry.reading.filtered_write_requests import AT_MOST_DEFAULT
from rollbook.registry.reading.fit_requests import LIMIT_DEFAULT as FIT_DEFAULT
from rollbook.registry.reading.fit_requests import LIMIT_MAX as FIT_MAX

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

FILTER_OR_WORDS = [{"required": ["filter"]}, {"required": ["where"]}]
BOUNDS: dict[str, Schema] = {
    "atMost": {
        "type": "integer",
        "minimum": 1,
        "maximum": DEFAULT_LIMITS.filtered_writes_max,
        "default": AT_MOST_DEFAULT,
        "description": "where more clusters match, nothing is done",
    },
    "maxTimeMS": INT64,
    "comment": {},
}

COMPONENTS: dict[str, Schema] = {
    "FitRequest": {
        "type": "object",
        "properties": {
            "query": FILTER,
            "where": WORDS,
            "nodes": {**INT64, "description": "on each of this number of nodes as much as is named"},
            "gpus": INT64,
            "gpuModel": {"type": "string", "description": "any name of the model"},
            "gpuMemory": {"type": "number", "minimum": 0, "description": "of each GPU, in MB"},
            "vcpus": {"type": "number", "minimum": 0},
            "memory": {"type": "number", "minimum": 0, "description": "in MB"},
            "onOneNode": {"type": "boolean", "description": "everything on one node"},
            "limit": {"type": "integer", "minimum": 1, "maximum": FIT_MAX, "default": FIT_DEFAULT},
            "maxTimeMS": INT64,
            "comment": {},
        },
        "additionalProperties": False,
    },
    "FilteredUpdate": {
        "type": "object",
        "properties": {
            "filter": FILTER,
            "where": WORDS,
            "update": reference("Update"),
            "arrayFilters": {"type": "array"},
            **BOUNDS,
        },
        "anyOf": FILTER_OR_WORDS,
        "required": ["update"],
        "additionalProperties": False,
    },
    "FilteredDeletion": {
        "type": "object",
        "properties": {
            "filter": FILTER,
            "where": WORDS,
            "confirm": {"type": ["string", "null"], "description": "what the dry run has answered"},
            **BOUNDS,
        },
        "anyOf": FILTER_OR_WORDS,
        "additionalProperties": False,
    },
    "NodeTableRequest": {
        "type": "object",
        "properties": {
            "columns": {
                **array_of({"type": "string"}),
                "minItems": 1,
                "maxItems": COLUMNS_MAX,
                "description": "paths of a node; `clusterId`; and paths of its cluster, after `cluster.`",
            },
            "query": FILTER,
            "where": WORDS,
            "nodeQuery": {**FILTER, "description": "which nodes of those clusters: a filter on a node"},
            "limit": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100},
            "cursor": CURSOR,
            "maxTimeMS": INT64,
            "collation": reference("Collation"),
            "comment": {},
        },
        "required": ["columns"],
        "additionalProperties": False,
    },
    "TableRequest": {
        "type": "object",
        "properties": {
            "columns": {**array_of({"type": "string"}), "minItems": 1, "maxItems": COLUMNS_MAX},
            "query": FILTER,
            "where": WORDS,
            "sort": {"type": "object"},
            "limit": {**INT64, "description": "0: no limit; of a page, 1 to 1,000"},
            "cursor": CURSOR,
            "maxTimeMS": INT64,
            "collation": reference("Collation"),
            "comment": {},
        },
        "required": ["columns"],
        "additionalProperties": False,
    },
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
