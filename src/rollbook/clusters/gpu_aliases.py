"""Searches for GPU models by any of their names: a condition on one name becomes one on all names of the same GPU.

One rule: only equality with a listed name, at a path that holds names of GPUs, is read so. The filters of queries and
watches are MongoDB's, and exact; this is for the search language.
"""

from msgspec.structs import replace

from rollbook.clusters.gpu_models import gpu_named, pattern_of
from rollbook.documents.paths import Path, array_index
from rollbook.documents.values import Value
from rollbook.language.filters import Filter
from rollbook.language.filters.nodes import All, Any, Field, Not

GPU_PATHS: tuple[Path, ...] = (
    ("nodes", "nodeData", "gpus", "modelNames"),
    ("nodes", "nodeData", "gpus", "gpus", "modelName"),
    ("gpus", "modelNames"),
)
"""Where documents name GPUs, without the indexes of arrays."""


def with_gpu_aliases(filter: Filter) -> Filter:
    """The filter, in which every listed name of a GPU stands for all names of that GPU."""
    match filter:
        case Field(path, "$eq", operand) if names_gpus(path):
            return _one_of(filter, [operand])
        case Field(path, "$in", list() as operands) if names_gpus(path):
            return _one_of(filter, operands)
        case All(clauses) | Any(clauses):
            return replace(filter, clauses=tuple(map(with_gpu_aliases, clauses)))
        case Not(clause):
            return Not(with_gpu_aliases(clause))
    return filter


def names_gpus(path: Path) -> bool:
    """Whether a path leads to names of GPUs."""
    return tuple(component for component in path if array_index(component) is None) in GPU_PATHS


def _one_of(field: Field, operands: list[Value]) -> Filter:
    gpus = {operand: gpu_named(operand) for operand in operands if isinstance(operand, str)}
    patterns = dict.fromkeys(pattern_of(gpu) for gpu in gpus.values() if gpu is not None)
    if not patterns:
        return field
    clauses: list[Filter] = [replace(field, operator="$regex", operand=pattern) for pattern in patterns]
    others = [operand for operand in operands if not isinstance(operand, str) or gpus[operand] is None]
    if others:
        clauses.append(replace(field, operator="$in", operand=others))
    return clauses[0] if len(clauses) == 1 else Any(tuple(clauses))
