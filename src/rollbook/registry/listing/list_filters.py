"""The filters of a list's parameters, as JSON: ``region=us-west-2&gpu=a100&q=vision``.

One rule: several values of one parameter are alternatives; several parameters hold together.
"""

import re
from collections.abc import Sequence

from rollbook.clusters.fleet_words import READ_BY_PEOPLE
from rollbook.clusters.gpu_aliases import GPU_PATHS
from rollbook.clusters.gpu_models import gpu_named, pattern_of
from rollbook.documents.paths import dotted
from rollbook.documents.values import Document, Value

GPUS = tuple(map(dotted, GPU_PATHS))


def one_of(path: str, values: Sequence[str]) -> Document:
    """A value at ``path`` is one of these."""
    return {path: values[0] if len(values) == 1 else {"$in": [*values]}}


def with_gpu(names: Sequence[str]) -> Document:
    """Some GPU has one of these names, or another name of the same model."""
    return _any_of([{path: _named(name)} for name in names for path in GPUS])


def with_words(text: str) -> Document:
    """Each word of the text is somewhere in what people read of a cluster, in any case of letters."""
    filters = [
        _any_of([{path: {"$regex": re.escape(word), "$options": "i"}} for path in READ_BY_PEOPLE])
        for word in text.split()
    ]
    return all_of(filters)


def all_of(filters: Sequence[Document]) -> Document:
    """All filters hold; every cluster where there is none."""
    return filters[0] if len(filters) == 1 else {"$and": [*filters]} if filters else {}


def _named(name: str) -> Value:
    gpu = gpu_named(name)
    return name if gpu is None else {"$regex": pattern_of(gpu)}


def _any_of(filters: list[Document]) -> Document:
    return filters[0] if len(filters) == 1 else {"$or": [*filters]}
