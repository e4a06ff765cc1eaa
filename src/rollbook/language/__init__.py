"""What a request means: MongoDB's query, update and aggregation languages on JSON values. Pure: no server, no disk.

``find``, ``matches``, ``update`` and ``aggregate`` apply the language to plain documents, each in one call. To ask the
same of many documents, parse and compile once: ``parse_`` reads JSON and refuses (``LanguageRefused``) what is not in
the language, ``compile_`` gives a function from document to answer.

One rule: inside the package everybody imports from the sub-packages, so what stands here is for those outside it.
"""

from rollbook.language.applying import aggregate, find, matches, update
from rollbook.language.edits import Edit, compile_edit, parse_edit
from rollbook.language.expressions import Evaluate, Expression, Scope, compile_expression, parse_expression, scope_of
from rollbook.language.filters import Filter, Predicate, compile_filter, first_match, parse_filter
from rollbook.language.pipelines import Pipeline, parse_pipeline, run_pipeline, stream_pipeline
from rollbook.language.projections import Projection, compile_projection, parse_projection
from rollbook.language.sorting import Sort, compile_sort, parse_sort
from rollbook.language.updates import Update, compile_update, parse_update, touched_paths

__all__ = [
    "Edit",
    "Evaluate",
    "Expression",
    "Filter",
    "Pipeline",
    "Predicate",
    "Projection",
    "Scope",
    "Sort",
    "Update",
    "aggregate",
    "compile_edit",
    "compile_expression",
    "compile_filter",
    "compile_projection",
    "compile_sort",
    "compile_update",
    "find",
    "first_match",
    "matches",
    "parse_edit",
    "parse_expression",
    "parse_filter",
    "parse_pipeline",
    "parse_projection",
    "parse_sort",
    "parse_update",
    "run_pipeline",
    "scope_of",
    "stream_pipeline",
    "touched_paths",
    "update",
]
