"""JSON Schemas of filters, updates and pipelines, read off the language's tables.

One rule: they name every operator, and accept more than the language does: no schema says exactly which filters are
accepted.
"""

import inspect
from collections.abc import Iterable
from typing import Any

from rollbook.api.declarations import Schema, array_of, reference
from rollbook.language.collation import LOCALE, STRENGTHS
from rollbook.language.filters import tables as filter_tables
from rollbook.language.pipelines import table as stage_table
from rollbook.language.updates import table as update_table
from rollbook.registry.reading.facet_requests import FACETS_MAX, VALUES_MAX

INT64: Schema = {"type": "integer", "minimum": 0, "maximum": 2**63 - 1}
FILTER = reference("Filter")
WORDS: Schema = {
    "description": "The filter in words (docs/reference/words.md), instead of `query`.",
    "type": "string",
    "examples": ["status = live and gpus >= 8"],
}
CURSOR: Schema = {"type": ["string", "null"], "description": "null: the first page, of `limit` clusters"}
ONE_FILTER = [{"required": ["query"]}, {"required": ["where"]}]
PATHS = "Paths are dotted: `gpus.count`."


def described(rows: Iterable[Any], schema: Schema | None = None) -> dict[str, Schema]:
    """A member for each operator, with the first line of its docstring."""
    return {row.name: {**(schema or {}), "description": _line_of(row)} for row in rows}


def _line_of(row: Any) -> str:
    functions = (getattr(row, name, None) for name in ("test", "edit", "compile", "parse"))
    written = next((each.__doc__ for each in functions if inspect.isroutine(each) and each.__doc__), "")
    return written.partition("\n")[0].replace("``", "`")


def linked(page: str) -> Schema:
    """Where the reference is: on the page of the same server, and in the documentation."""
    return {"url": f"/docs#schema-{page}", "description": f"docs/reference/{page.lower()}s.md"}


_CLAUSES = {"type": "array", "items": FILTER, "minItems": 1}
_CONDITIONS = {**filter_tables.FORMS, **filter_tables.OPERATORS}

COMPONENTS: dict[str, Schema] = {
    "Filter": {
        "description": f"A filter in MongoDB's query language. {PATHS} A member without `$` is a path and what must be "
        "there: a value, or an object of operators (Condition).",
        "externalDocs": linked("Filter"),
        "type": "object",
        "properties": {
            **described(filter_tables.TOP_FORMS.values()),
            **dict.fromkeys(("$and", "$or", "$nor"), _CLAUSES),
        },
        "patternProperties": {"^[^$]": reference("Condition")},
    },
    "Condition": {
        "description": "A value, or an object of operators.",
        "anyOf": [
            {"type": "object", "properties": described(_CONDITIONS.values())},
            {"type": ["string", "number", "boolean", "null", "array", "object"]},
        ],
    },
    "Update": {
        "description": "An update in MongoDB's update language: operators, or plain members, which mean `$set`, or an "
        f"array of stages. {PATHS}",
        "externalDocs": linked("Update"),
        "anyOf": [
            {
                "type": "object",
                "properties": described(update_table.OPERATORS.values(), {"type": "object"}),
            },
            array_of({"type": "object", "minProperties": 1, "maxProperties": 1}),
        ],
    },
    "Pipeline": {
        "description": "A pipeline in MongoDB's aggregation language.",
        "externalDocs": linked("Pipeline"),
        "type": "array",
        "items": {
            "type": "object",
            "minProperties": 1,
            "maxProperties": 1,
            "properties": described(stage_table.STAGES.values()),
        },
    },
    "UpdateRequest": {
        "description": "An update, or an update with what belongs to it.",
        "anyOf": [
            reference("Update"),
            {
                "type": "object",
                "properties": {
                    "update": reference("Update"),
                    "where": WORDS,
                    "arrayFilters": array_of({"type": "object"}),
                    "filter": FILTER,
                },
                "required": ["update"],
            },
        ],
    },
    "ClusterPatch": {
        "description": "A JSON Merge Patch (RFC 7396): members to set, and null for those to remove.",
        "type": "object",
    },
    "NodePatch": {
        "description": "A JSON Merge Patch (RFC 7396), or update operators.",
        "type": "object",
    },
    "QueryRequest": {
        "description": "A filter, or a filter with options beside it.",
        "anyOf": [
            FILTER,
            {
                "type": "object",
                "properties": {
                    "query": FILTER,
                    "where": WORDS,
                    "sort": {"type": "object"},
                    "skip": INT64,
                    "limit": {**INT64, "description": "0: no limit"},
                    "projection": {"type": "object"},
                    "cursor": CURSOR,
                    "include": {"enum": ["registry", ["registry"], [], None]},
                    "maxTimeMS": INT64,
                    "explain": {"type": "boolean"},
                    "collation": reference("Collation"),
                },
                "anyOf": ONE_FILTER,
            },
        ],
    },
    "Collation": {
        "description": "How texts are compared: strength 1 without case and accents, 2 without case.",
        "type": ["object", "null"],
        "properties": {"locale": {"const": LOCALE}, "strength": {"enum": list(STRENGTHS)}},
        "required": ["locale", "strength"],
        "additionalProperties": False,
    },
    "CountRequest": {
        "anyOf": [
            FILTER,
            {
                "type": "object",
                "properties": {
                    "query": FILTER,
                    "where": WORDS,
                    "skip": INT64,
                    "limit": INT64,
                    "maxTimeMS": INT64,
                    "collation": reference("Collation"),
                },
                "anyOf": ONE_FILTER,
            },
        ]
    },
    "AggregationRequest": {
        "anyOf": [
            reference("Pipeline"),
            {
                "type": "object",
                "properties": {
                    "pipeline": reference("Pipeline"),
                    "maxTimeMS": INT64,
                    "collation": reference("Collation"),
                },
                "required": ["pipeline"],
            },
        ]
    },
    "ExplanationRequest": {"anyOf": [reference("QueryRequest"), reference("AggregationRequest")]},
    "DistinctRequest": {
        "type": "object",
        "properties": {
            "key": {"type": "string"},
            "query": FILTER,
            "where": WORDS,
            "maxTimeMS": INT64,
            "collation": reference("Collation"),
            "comment": {},
        },
        "required": ["key"],
    },
    "FacetsRequest": {
        "anyOf": [
            FILTER,
            {
                "type": "object",
                "properties": {
                    "query": FILTER,
                    "where": WORDS,
                    "facets": {**array_of({"type": "string"}), "minItems": 1, "maxItems": FACETS_MAX},
                    "limit": {"type": "integer", "minimum": 1, "maximum": VALUES_MAX},
                    "maxTimeMS": INT64,
                },
            },
        ]
    },
    "WatchRequest": {
        "type": "object",
        "properties": {"query": FILTER, "where": WORDS, "since": INT64},
        "additionalProperties": False,
    },
}
