"""Every keyword of ``$jsonSchema`` by name, gathered from the families' tables."""

from rollbook.language.filters.json_schema import arrays, logic, objects, scalars

KEYWORDS = {row.name: row for family in (scalars, arrays, objects, logic) for row in family.KEYWORDS}

UNSUPPORTED = frozenset({"$ref", "$schema", "default", "definitions", "format", "id"})
"""Keywords of draft 4 that MongoDB refuses too."""
