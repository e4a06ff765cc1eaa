"""Packed bodies are the bodies, in less memory."""

from concurrent.futures import ThreadPoolExecutor

import orjson
from hypothesis import given
from hypothesis import strategies as st

from rollbook.journal.changes import Change, StoredVersion
from rollbook.view.packing import Packer, Packing, unpacked_bytes
from rollbook.view.views import View
from tests.examples import cluster, node

CLUSTERS = [
    orjson.dumps(cluster(f"c{number}", *(node(f"node-{place}", memory=number) for place in range(5))))
    for number in range(100)
]


@given(sample=st.binary(min_size=1, max_size=300), body=st.binary(max_size=1000))
def test_what_is_packed_is_unpacked_whole(sample: bytes, body: bytes) -> None:
    packing = Packing(sample)
    packed = packing.packed(body)
    assert packing.unpacked(packed) == body
    assert unpacked_bytes(packed) == len(body)


def test_bodies_are_packed_as_soon_as_there_is_a_sample() -> None:
    packer = Packer(sample_bytes=10)
    assert packer.held(b"123456789") == (b"123456789", None)
    assert packer.held(b"abc") == (b"abc", None)
    held, packing = packer.held(b"abc" * 100)
    assert packing is not None
    assert packing.unpacked(held) == b"abc" * 100
    assert packer.held(b"xyz")[1] is packing


def test_clusters_take_a_fifth_of_their_size_or_less() -> None:
    packer = Packer(sample_bytes=16 * 1024)
    held = [packer.held(body) for body in CLUSTERS]
    packed = [(body, len(one)) for body, (one, packing) in zip(CLUSTERS, held, strict=True) if packing is not None]
    assert len(packed) > 50
    assert sum(size for _, size in packed) * 5 < sum(len(body) for body, _ in packed)


def test_a_packed_view_is_the_view() -> None:
    plain, packed = View(), View(packer=Packer(sample_bytes=8 * 1024))
    for view in (plain, packed):
        view.load(
            [
                StoredVersion(f"c{number}", body, number + 1, number + 1, 1, 1, 1)
                for number, body in enumerate(CLUSTERS)
            ],
            100,
        )
        view.apply(
            [
                Change(101, "c7", "updated", 2, CLUSTERS[7], b'{"id":"c7"}'),
                Change(102, "c99", "updated", 2, CLUSTERS[99], CLUSTERS[98]),
                Change(103, "c50", "deleted", 3, CLUSTERS[50], None),
                Change(104, "new", "created", 4, None, CLUSTERS[3]),
            ]
        )
    assert [(entry.id, entry.revision, entry.body) for entry in packed.entries()] == [
        (entry.id, entry.revision, entry.body) for entry in plain.entries()
    ]
    assert [entry.size_bytes for entry in packed.entries()] == [len(entry.body) for entry in plain.entries()]
    assert sum(entry.packing is not None for entry in packed.entries()) > 80


def test_many_threads_unpack_at_once() -> None:
    packing = Packing(CLUSTERS[0])
    packed = [packing.packed(body) for body in CLUSTERS] * 20
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(packing.unpacked, packed)) == CLUSTERS * 20
