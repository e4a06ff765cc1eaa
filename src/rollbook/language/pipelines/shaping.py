"""Stages that make a new document of each: ``$project``, ``$set``, ``$unset``, ``$replaceRoot``.

One rule: one document in, one document out. These are the stages that updates may use.
"""

from functools import partial

from msgspec import Struct

from rollbook.documents.paths import Path, parse_path
from rollbook.documents.values import MISSING, Document, Value, type_name
from rollbook.errors import PipelineRefused
from rollbook.language.expressions import Expression, scope_of
from rollbook.language.pipelines.operators import Parsing, Run, Running, StageOperator
from rollbook.language.projections import Projection, compile_projection, parse_project_stage
from rollbook.language.projections.field_paths import problem_with_path
from rollbook.language.projections.filling import compile_fill
from rollbook.language.projections.nodes import Branch, Computed, Excluded, Mode
from rollbook.language.projections.trees import Collision, Tree, add_leaf, branch_of
from rollbook.language.projections.weighing import charging


def parse_project(json: Value, parsing: Parsing) -> Projection:
    """The projection of ``$project``."""
    return parse_project_stage(json, at=parsing.at, identity=parsing.identity, limits=parsing.limits)


def projecting(parts: Projection, running: Running) -> Run:
    """Includes, excludes or computes fields."""
    return partial(map, compile_projection(parts, work=running.work, now=running.now))


def parse_set(json: Value, parsing: Parsing) -> Branch:
    """The fields of ``$set``: paths and expressions; an object that is no expression goes on with the path."""
    if not isinstance(json, dict):
        raise parsing.refused(40272, "this stage takes an object of paths and expressions")
    tree: Tree = {}
    for name, said in json.items():
        _set_field(tree, _path((), name, parsing), said, parsing.below(name))
    return branch_of(tree)


def _set_field(tree: Tree, path: Path, said: Value, parsing: Parsing) -> None:
    if not isinstance(said, dict) or not said or _is_operator(said, parsing):
        if add_leaf(tree, path, Computed(parsing.expression(said), parsing.at)) is not None:
            raise parsing.refused(40176, "another path of this stage goes through this one, or is the same")
        return
    for name, inner in said.items():
        if "." in name:
            raise parsing.refused(40183, f"a path like '{name}' can't stand in an object: nest objects instead", name)
        _set_field(tree, _path(path, name, parsing), inner, parsing.below(name))


def _is_operator(said: dict[str, Value], parsing: Parsing) -> bool:
    operator = next((name for name in said if name[:1] == "$"), None)
    if operator is not None and len(said) > 1:
        raise parsing.refused(40181, f"'{operator}' stands alone in its object")
    return operator is not None


def _path(parents: Path, name: str, parsing: Parsing) -> Path:
    if problem := problem_with_path(name, parents=parents):
        raise parsing.refused(*problem, name)
    return parents + parse_path(name)


def setting(parts: Branch, running: Running) -> Run:
    """Sets fields to the values of expressions, and keeps all others."""
    fill = compile_fill(parts, running.work, running.now)
    if fill is None:
        return iter

    def filled(document: Document) -> Document:
        target = dict(document)
        fill(target, scope_of(document))
        return target

    return partial(map, filled)


def parse_unset(json: Value, parsing: Parsing) -> Projection:
    """The paths of ``$unset``: a string, or an array of strings."""
    if not isinstance(json, (str, list)):
        raise parsing.refused(31002, "$unset takes a path, or an array of paths")
    if not json and isinstance(json, list):
        raise parsing.refused(31119, "$unset names at least one path")
    tree: Tree = {}
    for place, path in enumerate(json if isinstance(json, list) else [json]):
        if not isinstance(path, str):
            raise parsing.refused(31120, f"a path is a string, not {type_name(path)}", place)
        if problem := problem_with_path(path):
            raise parsing.refused(*problem, place)
        collision = add_leaf(tree, parse_path(path), Excluded())
        if collision is not None:
            code = 31249 if collision is Collision.PASSES_AN_END else 31250
            raise parsing.refused(code, f"this path collides: {collision.value}", place)
    return Projection(Mode.EXCLUSION, branch_of(tree))


def unsetting(parts: Projection, running: Running) -> Run:
    """Removes fields."""
    return projecting(parts, running)


class Replacement(Struct, frozen=True):
    """The expression that gives the new document, and where it stands."""

    document: Expression
    at: str


def parse_replace_root(json: Value, parsing: Parsing) -> Replacement:
    """The expression of ``$replaceRoot``, under ``newRoot``."""
    options = parsing.options(json, ("newRoot",), no_object=40229, unknown=40415)
    if "newRoot" not in options:
        raise parsing.refused(40414, "$replaceRoot needs a newRoot")
    return parse_replace_with(options["newRoot"], parsing.below("newRoot"))


def parse_replace_with(json: Value, parsing: Parsing) -> Replacement:
    """The expression of ``$replaceWith``."""
    return Replacement(parsing.expression(json), parsing.at)


def replacing(parts: Replacement, running: Running) -> Run:
    """Replaces the document by an object that an expression gives."""
    evaluate = running.expression(parts.document)
    charge = charging(running.work, at=parts.at)

    def replaced(document: Document) -> Document:
        result = evaluate(scope_of(document))
        if not isinstance(result, dict):
            kind = "nothing" if result is MISSING else type_name(result)
            raise PipelineRefused(f"the new document must be an object, not {kind}", at=parts.at, mongo_code=40228)
        charge(result)
        return result

    return partial(map, replaced)


STAGES = (
    StageOperator("$project", parse_project, projecting, in_updates=True),
    StageOperator("$set", parse_set, setting, in_updates=True),
    StageOperator("$addFields", parse_set, setting, in_updates=True),
    StageOperator("$unset", parse_unset, unsetting, in_updates=True),
    StageOperator("$replaceRoot", parse_replace_root, replacing, in_updates=True),
    StageOperator("$replaceWith", parse_replace_with, replacing, in_updates=True),
)
