"""One name for each GPU model, whatever the reporting tool calls it: "NVIDIA A100-SXM4-80GB" is an "NVIDIA A100".

Theory: ``gpu_models.json`` lists models with the names, form factors and memories that vendors print. Names are
compared by their letters and digits alone, in any case, without the words that only say who made the chip or where it
was seen (``prefixes``), nor what says how it is shared (``suffixes``) or its PCI revision. Of a model with several
memories, a name that says one means those GPUs; a name that says none means them all.

One rule: what is not listed stands for itself. ``pattern_of`` says the same as ``gpu_named``, for those who can only
ask an index; a law in the tests.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from importlib.resources import files
from itertools import chain
from typing import Any

import orjson
from msgspec import Struct

NAME_LENGTH_MAX = 256
REVISION = re.compile(r"rev[0-9a-f]{2}$")
BETWEEN = "[^0-9A-Za-z]*"


class Gpu(Struct, frozen=True):
    """What a name means: a model, and of one with several memories which, in GB (None: any)."""

    model: str
    memory_gb: int | None = None

    def means(self, other: "Gpu") -> bool:
        """Whether who asks for this also asks for the other."""
        return self.model == other.model and self.memory_gb in (None, other.memory_gb)


class Vendor(Struct, frozen=True):
    """The names of one vendor's GPUs, as they are compared. ``prefixed`` matches prefixes, the longest ones first."""

    prefixes: tuple[str, ...]
    prefixed: re.Pattern[str]
    suffixes: tuple[str, ...]
    gpus: dict[str, Gpu]

    def key_of(self, name: str) -> str:
        """What is left of a name to compare."""
        key = REVISION.sub("", _plain(name))
        for suffix in self.suffixes:
            key = key.removesuffix(suffix)
        prefixed = self.prefixed.match(key)
        return key if prefixed is None else key[prefixed.end() :]


@lru_cache(maxsize=4096)
def gpu_named(name: str) -> Gpu | None:
    """The GPU that a name means; None when it is not listed."""
    if len(name) > NAME_LENGTH_MAX:
        return None
    return next((gpu for vendor in vendors() if (gpu := vendor.gpus.get(vendor.key_of(name)))), None)


def model_of(name: str) -> str:
    """The one name of the model that a name means; an unlisted name is its own."""
    gpu = gpu_named(name)
    return name if gpu is None else gpu.model


@lru_cache(maxsize=512)
def pattern_of(gpu: Gpu) -> str:
    """The regular expression that matches the names that mean ``gpu``, however they are written."""
    vendor = next(vendor for vendor in vendors() if gpu in vendor.gpus.values())
    keys = _alternatives(key for key, other in vendor.gpus.items() if gpu.means(other))
    suffixes = "".join(f"(?:{_word(suffix)})?" for suffix in reversed(vendor.suffixes))
    revision = f"(?:{_word('rev')}(?:[0-9a-fA-F]{BETWEEN}){{2}})?"
    return f"^{BETWEEN}(?:{_alternatives(vendor.prefixes)})*{keys}{suffixes}{revision}$"


@cache
def vendors() -> tuple[Vendor, ...]:
    """The vendors of ``gpu_models.json``."""
    listed: dict[str, Any] = orjson.loads(files("rollbook.clusters").joinpath("gpu_models.json").read_bytes())
    suffixes = tuple(map(_plain, listed["suffixes"]))
    return tuple(_vendor(each, suffixes) for each in listed["vendors"])


def _vendor(listed: dict[str, Any], suffixes: tuple[str, ...]) -> Vendor:
    prefixes = sorted(map(_plain, listed["prefixes"]), key=len, reverse=True)
    vendor = Vendor(tuple(prefixes), re.compile(f"(?:{'|'.join(prefixes)})+"), suffixes, {})
    for model in listed["models"]:
        for name, gpu in _spellings(model):
            vendor.gpus[vendor.key_of(name)] = gpu
    return vendor


def _spellings(model: dict[str, Any]) -> Iterator[tuple[str, Gpu]]:
    """Every name of a listed model with its form factors and memories, in either order."""
    memories: list[int] = model.get("memories", [])
    for name in (model["name"], *model.get("also", ())):
        for form in ("", *model.get("forms", ())):
            yield f"{name} {form}", Gpu(model["name"])
            for memory_gb in memories:
                gpu = Gpu(model["name"], memory_gb if len(memories) > 1 else None)
                for memory in (f"{memory_gb}GB", f"{memory_gb}GiB", f"{memory_gb}G"):
                    yield from ((f"{name} {form} {memory}", gpu), (f"{name} {memory} {form}", gpu))


def _plain(name: str) -> str:
    return re.sub(r"[^0-9A-Za-z]+", "", name).lower()


def _word(letters: str) -> str:
    """Matches letters and digits, each with what may stand between it and the next."""
    return "".join((f"[{each}{each.upper()}]" if each.isalpha() else each) + BETWEEN for each in letters)


def _alternatives(keys: Iterable[str]) -> str:
    """A group that matches any of the keys: what they begin with in common is written once."""
    tree: dict[str, Any] = {}
    for key in keys:
        branch = tree
        for letter in chain(key, [""]):
            branch = branch.setdefault(letter, {})
    return _group(tree)


def _group(tree: dict[str, Any]) -> str:
    branches = [_word(letter) + _group(branch) for letter, branch in tree.items() if letter]
    if not branches:
        return ""
    joined = "|".join(branches)
    if "" in tree:
        return f"(?:{joined})?"
    return joined if len(branches) == 1 else f"(?:{joined})"
