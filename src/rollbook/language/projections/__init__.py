"""Projections: which parts of a document an answer shows, and what it computes from them.

``parse_projection`` makes a tree of JSON, ``compile_projection`` a function from document to document. The tree and the
functions that fill in computed fields serve the stages of pipelines (``$project``, ``$set``) too.
"""

from rollbook.language.projections.compiling import compile_projection
from rollbook.language.projections.nodes import Projection, may_compute
from rollbook.language.projections.parsing import parse_project_stage, parse_projection

__all__ = ["Projection", "compile_projection", "may_compute", "parse_project_stage", "parse_projection"]
