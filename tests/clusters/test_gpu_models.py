"""Names of GPUs: many spellings, one model; and a pattern that says the same."""

from collections.abc import Iterator

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from rollbook.clusters.gpu_models import Gpu, gpu_named, model_of, pattern_of, vendors

NAMES = """
NVIDIA A100: NVIDIA A100 | A100 | NVIDIA-A100-PCIe | nvidia-tesla-a100 | NVIDIA A100-SXM4
NVIDIA A100/80: NVIDIA A100-SXM4-80GB | A100 80GB | NVIDIA A100 80GB PCIe | nvidia-a100-80gb | A100-80G | A100 80GiB
NVIDIA A100/80: NVIDIA Corporation GA100 [A100 SXM4 80GB] (rev a1) | NVIDIA-A100-SXM4-80GB-SHARED
NVIDIA A100/40: NVIDIA A100-SXM4-40GB | NVIDIA A100-PCIE-40GB | a100_40gb
NVIDIA V100/16: Tesla V100-SXM2-16GB | Tesla V100-PCIE-16GB | NVIDIA Corporation GV100GL [Tesla V100 SXM2 16GB]
NVIDIA V100/32: Tesla V100-SXM3-32GB | Tesla V100-DGXS-32GB
NVIDIA V100S: Tesla V100S-PCIE-32GB
NVIDIA H100/80: NVIDIA H100 80GB HBM3 | nvidia-h100-80gb | nvidia-h100-mega-80gb
NVIDIA H100: NVIDIA H100 PCIe | NVIDIA H100 NVL | H100 SXM5
NVIDIA H200: NVIDIA H200 | nvidia-h200-141gb | NVIDIA H200 NVL
NVIDIA B200: NVIDIA B200 | nvidia-b200
NVIDIA T4: Tesla T4 | nvidia-tesla-t4 | 3D controller: NVIDIA Corporation TU104GL [Tesla T4] (rev a1)
NVIDIA L4: NVIDIA L4 | nvidia-l4
NVIDIA L40S: NVIDIA L40S | L40S-48GB
NVIDIA A10G: NVIDIA A10G
NVIDIA K80: Tesla K80
NVIDIA RTX 4090: NVIDIA GeForce RTX 4090 | RTX 4090 | RTX_4090 | GeForce RTX 4090
NVIDIA RTX 4080 SUPER: NVIDIA GeForce RTX 4080 SUPER
NVIDIA RTX A6000: NVIDIA RTX A6000 | A6000
NVIDIA RTX 6000 Ada: NVIDIA RTX 6000 Ada Generation
NVIDIA Quadro RTX 6000: Quadro RTX 6000
AMD MI300X: AMD Instinct MI300X OAM | AMD_Instinct_MI300X_OAM | MI300X
AMD MI210: Advanced Micro Devices, Inc. [AMD/ATI] Aldebaran/MI200 [Instinct MI210] (rev 02) | AMD Instinct MI210
AMD RX 7900 XTX: Radeon RX 7900 XTX
Intel Data Center GPU Max 1550: Intel(R) Data Center GPU Max 1550
Intel Arc A770: Intel(R) Arc(TM) A770 Graphics
Intel Gaudi 2: Habana Labs Ltd. HL-225 | Gaudi2
"""
UNLISTED = ("RTX 6000", "NVIDIA A100-SXM4-40GB-MIG-1g.5gb", "NVIDIA GeForce RTX 4090 Laptop GPU", "NVIDIA", "", "Ä100")
GPUS = sorted({gpu for vendor in vendors() for gpu in vendor.gpus.values()}, key=str)
KEYS = [key for vendor in vendors() for key in vendor.gpus]


def named() -> Iterator[tuple[str, Gpu]]:
    """Each name of the list above with the GPU that it means."""
    for line in NAMES.strip().splitlines():
        gpu, _, names = line.partition(": ")
        model, _, memory = gpu.partition("/")
        for name in names.split(" | "):
            yield name, Gpu(model, int(memory) if memory else None)


@pytest.mark.parametrize(("name", "gpu"), list(named()))
def test_every_spelling_means_its_gpu(name: str, gpu: Gpu) -> None:
    assert gpu_named(name) == gpu
    assert model_of(name) == gpu.model


@pytest.mark.parametrize("name", UNLISTED)
def test_what_is_not_listed_stands_for_itself(name: str) -> None:
    assert gpu_named(name) is None
    assert model_of(name) == name


@pytest.mark.parametrize("gpu", GPUS, ids=str)
def test_a_listed_name_is_its_own(gpu: Gpu) -> None:
    assert gpu_named(gpu.model) == Gpu(gpu.model)


def test_no_name_is_that_of_two_vendors() -> None:
    assert len(KEYS) == len(set(KEYS))


def test_a_name_without_memory_means_every_memory_and_one_with_it_only_that() -> None:
    matching = {
        asked: {name for name, _ in named() if re2.search(pattern_of(gpu), name)}
        for asked in ("A100", "A100 80GB")
        if (gpu := gpu_named(asked))
    }
    assert {"NVIDIA A100", "NVIDIA A100-SXM4-80GB", "NVIDIA A100-SXM4-40GB"} <= matching["A100"]
    assert {"NVIDIA A100-SXM4-80GB", "A100-80G"} <= matching["A100 80GB"]
    assert not {"NVIDIA A100", "NVIDIA A100-SXM4-40GB", "NVIDIA V100"} & matching["A100 80GB"]


WORDS = st.sampled_from(["NVIDIA", "Tesla", "GA100", "a100", "SXM4", "80GB", "40G", "PCIe", "T4", "rev a1", "shared"])
BETWEEN = st.sampled_from(["", " ", "-", "_", " [", "] (", "\n"])


@given(st.lists(st.tuples(WORDS, BETWEEN), max_size=6), st.sampled_from(["A100", "A100 80GB", "T4", "MI210"]))
def test_a_pattern_matches_the_names_that_mean_its_gpu(parts: list[tuple[str, str]], asked: str) -> None:
    name = "".join(word + between for word, between in parts)
    gpu, other = gpu_named(asked), gpu_named(name)
    assert gpu is not None
    assert bool(re2.search(pattern_of(gpu), name)) == (other is not None and gpu.means(other))
