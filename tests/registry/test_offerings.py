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
