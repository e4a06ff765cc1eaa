"""What callers ask of a fit: which clusters can place some nodes or GPUs."""

from msgspec import Struct

from rollbook.clusters.gpu_models import model_of
from rollbook.documents.values import Document, Maybe, Value, is_integer, is_number
from rollbook.errors import LanguageRefused, below
from rollbook.limits import Limits
from rollbook.registry.reading.filters_in_words import has_filter_beside
from rollbook.registry.reading.requests import Query, parse_query

NEEDS = ("nodes", "gpus", "gpuModel", "gpuMemory", "vcpus", "memory")
KEYS = ("query", "where", *NEEDS, "onOneNode", "limit", "maxTimeMS", "comment")
LIMIT_DEFAULT, LIMIT_MAX = 10, 1000
AMOUNT_MAX = 1e15
BAD_VALUE, TYPE_MISMATCH = 2, 14


class Needs(Struct, frozen=True):
    """What is to be placed. ``nodes`` 0: across all nodes of a cluster; n: on each of n nodes as much as is named.

    ``gpu_model`` is the one name of a model; ``gpu_memory`` is that of each GPU, ``memory`` that of a node or of all
    nodes, in MB.
    """

    nodes: int = 0
    gpus: int = 0
    gpu_model: str | None = None
    gpu_memory: float = 0
    vcpus: float = 0
    memory: float = 0

    @property
    def asks_for_gpus(self) -> bool:
        """Whether a node without GPUs is of no use."""
        return bool(self.gpus or self.gpu_model or self.gpu_memory)


class FitRequest(Struct, frozen=True):
    """What is to be placed, on which clusters, and how many are to be named. ``named`` are the needs by their names."""

    query: Query
    needs: Needs
    named: tuple[str, ...]
    limit: int


def parse_fit(body: Maybe, *, limits: Limits) -> FitRequest:
    """The fit of a body ``{"query": filter, "gpus": 8, "gpuModel": "A100", ...}``; one need at least."""
    if not isinstance(body, dict):
        raise LanguageRefused("the body must be an object: {'gpus': number, ...}", mongo_code=TYPE_MISMATCH)
    asked = body if has_filter_beside(body) else {"query": {}, **body}
    query = parse_query({name: member for name, member in asked.items() if name != "limit"}, limits=limits, keys=KEYS)
    needs = _needs_in(body)
    named = tuple(name for name in NEEDS if body.get(name) not in (None, 0))
    if not named:
        raise LanguageRefused(f"name what is to be placed: one of {', '.join(NEEDS)}", mongo_code=BAD_VALUE)
    limit = _amount_in(body, "limit", whole=True) if "limit" in body else LIMIT_DEFAULT
    if not 1 <= limit <= LIMIT_MAX:
        raise LanguageRefused(f"limit is an integer from 1 to {LIMIT_MAX}", at="/limit", mongo_code=BAD_VALUE)
    return FitRequest(query, needs, named, int(limit))


def _needs_in(body: Document) -> Needs:
    nodes, on_one = int(_amount_in(body, "nodes", whole=True)), body.get("onOneNode", False)
    if not isinstance(on_one, bool):
        raise LanguageRefused("onOneNode is true or false", at="/onOneNode", mongo_code=TYPE_MISMATCH)
    if on_one and nodes > 1:
        problem = f"{nodes} nodes are not one node: leave out nodes or onOneNode"
        raise LanguageRefused(problem, at="/onOneNode", mongo_code=BAD_VALUE)
    model = body.get("gpuModel")
    if model is not None and (not isinstance(model, str) or not model.strip()):
        raise LanguageRefused("gpuModel is the name of a GPU model", at="/gpuModel", mongo_code=TYPE_MISMATCH)
    return Needs(
        nodes=1 if on_one else nodes,
        gpus=int(_amount_in(body, "gpus", whole=True)),
        gpu_model=None if model is None else model_of(model),
        gpu_memory=_amount_in(body, "gpuMemory"),
        vcpus=_amount_in(body, "vcpus"),
        memory=_amount_in(body, "memory"),
    )


def _amount_in(body: Document, name: str, *, whole: bool = False) -> float:
    value: Value = body.get(name, 0)
    if not is_number(value) or not 0 <= value <= AMOUNT_MAX or (whole and not is_integer(value)):
        kind = "an integer" if whole else "a number"
        raise LanguageRefused(f"{name} is {kind}, 0 or more", at=below("", name), mongo_code=BAD_VALUE)
    return value
