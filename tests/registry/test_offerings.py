"""What is kept of the nodes of clusters, between one fit and the next."""

from rollbook.documents.codec import encode_json
from rollbook.limits import DEFAULT_LIMITS, budget_from_now
from rollbook.registry.reading.facts import Facts
from rollbook.registry.reading.offerings import Offerings, offering_in
from rollbook.registry.reading.scanning import Scan
from rollbook.view.entries import Entry
from tests.examples import cluster, node


def entry_of(number: int, *, memory: int = 64) -> Entry:
    document = cluster(f"c{number}", node("a", memory=memory), node("b"))
    return Entry(number, f"c{number}", number, number, 0, 0, 0, encode_json(document))


def test_a_part_of_what_is_too_much_is_kept_until_it_changes_or_goes() -> None:
    entries = [entry_of(number) for number in range(4)]
    scan = Scan(entries, Facts(), budget_from_now(DEFAULT_LIMITS))
    offerings = Offerings(nodes_max=6)  # two nodes and the cluster itself weigh three
    first = [offerings.of(entry, scan, []) for entry in entries]
    again = [offerings.of(entry, scan, []) for entry in entries]
    assert first == again == [offering_in(scan.document_of(entry, with_facts=False)) for entry in entries]
    assert [one is other for one, other in zip(first, again, strict=True)] == [True, True, False, False]
    changed = entry_of(1, memory=128)
    assert offerings.of(changed, scan, []).nodes[0].memory == 128
    assert offerings.of(changed, scan, []) is offerings.of(changed, scan, [])
    offerings.make_room(entries[1:])  # the first is gone, so there is room for another one
    assert offerings.of(entries[2], scan, []) is offerings.of(entries[2], scan, [])
    assert offerings.of(entries[3], scan, []) is not offerings.of(entries[3], scan, [])


def test_what_a_caller_sees_of_a_cluster_is_known_again_though_its_entry_is_another_one() -> None:
    entry = entry_of(1)
    scan = Scan([entry], Facts(), budget_from_now(DEFAULT_LIMITS))
    offerings = Offerings()
    assert offerings.of(entry._replace(revision=5), scan, []) is offerings.of(entry, scan, [])


def test_callers_who_see_different_parts_of_a_cluster_do_not_displace_each_other() -> None:
    entry = entry_of(1)
    masked = entry._replace(held=encode_json(cluster("c1", node("a"))))
    scan = Scan([entry, masked], Facts(), budget_from_now(DEFAULT_LIMITS))
    offerings = Offerings()
    first = [offerings.of(each, scan, []) for each in (entry, masked)]
    again = [offerings.of(each, scan, []) for each in (entry, masked)]
    assert [len(each.nodes) for each in first] == [2, 1]
    assert [one is other for one, other in zip(first, again, strict=True)] == [True, True]


def test_gpus_of_a_list_are_counted_by_model_and_memory_whatever_they_are() -> None:
    gpus = [
        {"modelName": "NVIDIA A100", "memory": 1},
        {"modelName": "NVIDIA A100", "memory": True},
        {"modelName": "NVIDIA A100", "memory": 1.0},
        {"modelName": ["A100"], "memory": {}},
        "A100",
    ]
    (offered,) = offering_in(cluster("c", {**node("a"), "gpus": {"gpus": gpus}})).nodes
    assert sorted(offered.gpus.values()) == [1, 1, 2]
