"""Searches for GPUs by any of their names; everything else stays as exact as it was."""

from typing import Any

import pytest

from rollbook.clusters.gpu_aliases import with_gpu_aliases
from rollbook.language.filters import compile_filter, parse_filter
from tests.examples import cluster, node

A100, A100_40, V100, OTHER = "NVIDIA A100-SXM4-80GB", "NVIDIA A100-PCIE-40GB", "Tesla V100-SXM2-16GB", "Made here 1"
FLEET = {name: cluster("c", node(model=name)) for name in (A100, A100_40, V100, OTHER)}
PATH = "nodes.nodeData.gpus.modelNames"


def found(filter: dict[str, Any]) -> list[str]:
    """The GPUs of the clusters that a filter finds with aliases."""
    matches = compile_filter(with_gpu_aliases(parse_filter(filter)))
    return [name for name, document in FLEET.items() if matches(document)]


@pytest.mark.parametrize("path", [PATH, "nodes.nodeData.gpus.gpus.modelName", "nodes.nodeData.0.gpus.gpus.1.modelName"])
@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"$eq": "a100"}, [A100, A100_40]),
        ({"$eq": "A100 80GB"}, [A100]),
        ({"$ne": "NVIDIA A100"}, [V100, OTHER]),
        ({"$in": ["nvidia-tesla-v100", OTHER]}, [V100, OTHER]),
        ({"$nin": ["V100", "A100"]}, [OTHER]),
        ({"$in": ["made here 1", 5]}, []),
        ({"$in": ["A100 80GB", "A100 40GB", "A100"]}, [A100, A100_40]),
        ({"$eq": OTHER}, [OTHER]),
        ({"$regex": "a100"}, []),
        ({"$gt": "T"}, [V100]),
    ],
)
def test_a_name_of_a_gpu_stands_for_all_its_names(path: str, condition: Any, expected: list[str]) -> None:
    assert found({path: condition}) == expected


def test_names_are_read_so_wherever_they_stand_in_a_filter() -> None:
    either = {"$or": [{PATH: "V100"}, {"$and": [{PATH: "A100"}, {PATH: {"$ne": "A100-40GB"}}]}]}
    assert found(either) == [A100, V100]


@pytest.mark.parametrize(
    "filter", [{"tags": "A100"}, {PATH: "x"}, {f"{PATH}.x": "A100"}, {PATH: ["A100"]}, {PATH: None}]
)
def test_what_names_no_listed_gpu_is_left_alone(filter: dict[str, Any]) -> None:
    parsed = parse_filter(filter)
    assert with_gpu_aliases(parsed) == parsed
