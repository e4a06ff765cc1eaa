"""The benchmark asks what it thinks it asks: its questions, judged by our own language."""

from collections import Counter
from pathlib import Path

import pytest

from benchmarks.serving.materials import Materials, prepare_materials
from benchmarks.serving.workloads import WORKLOADS, counts, mixed, writes
from rollbook.language.filters import compile_filter, parse_filter

CLUSTERS = 1_500


@pytest.fixture(scope="module")
def materials(tmp_path_factory: pytest.TempPathFactory) -> Materials:
    return prepare_materials(CLUSTERS, cache=tmp_path_factory.mktemp("materials"))


@pytest.mark.parametrize("kind", ["selective", "example", "element", "pattern"])
def test_a_question_names_all_clusters_that_its_filter_matches(materials: Materials, kind: str) -> None:
    documents = list(materials.documents())
    for question in materials.questions[kind][:5]:
        matches = compile_filter(parse_filter(question.filter))
        assert {document["id"] for document in documents if matches(document)} == question.ids


@pytest.mark.parametrize("kind", ["selective", "example", "element"])
def test_a_question_finds_about_twenty_clusters(materials: Materials, kind: str) -> None:
    for question in materials.questions[kind]:
        assert 10 <= len(question.ids) <= 40


def test_the_same_number_gives_the_same_questions(materials: Materials, tmp_path: Path) -> None:
    assert prepare_materials(CLUSTERS, cache=tmp_path).questions == materials.questions


def test_a_cluster_is_counted_in_its_region(materials: Materials) -> None:
    regions = Counter(document["regionId"] for document in materials.documents())
    (call,) = counts(materials)
    assert call.is_right([{"_id": region, "clusters": count} for region, count in regions.items()])
    assert not call.is_right([{"_id": region, "clusters": count + 1} for region, count in regions.items()])


def test_one_of_ten_mixed_requests_writes(materials: Materials) -> None:
    assert Counter(call.method for call in mixed(materials)[:1000]) == {"GET": 900, "PUT": 100}


def test_a_request_is_http(materials: Materials) -> None:
    head, _, body = writes(materials)[0].as_bytes().partition(b"\r\n\r\n")
    assert head.startswith(b"PUT /clusters/")
    assert f"Content-Length: {len(body)}".encode() in head


def test_workloads_have_different_names() -> None:
    assert len({workload.name for workload in WORKLOADS}) == len(WORKLOADS)
