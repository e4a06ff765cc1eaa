"""``$jsonSchema``: JSON Schema draft 4 as MongoDB has it, with ``bsonType``.

``check_schema`` refuses what is no such schema, ``compile_schema`` makes the test of a value of what is left.
"""

from rollbook.language.filters.json_schema.checking import check_schema
from rollbook.language.filters.json_schema.compiling import compile_schema

__all__ = ["check_schema", "compile_schema"]
