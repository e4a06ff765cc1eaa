from hypothesis import given
from hypothesis import strategies as st

from rollbook.documents.splices import Splice, apply_all, splice_between, splices_between, undo_all

bodies = st.text(st.sampled_from("aé€𝄞b"), max_size=12).map(str.encode)


@given(before=bodies, after=bodies)
def test_a_splice_leads_forward_and_back_and_cuts_no_character(before: bytes, after: bytes) -> None:
    splice = splice_between(before, after)
    assert splice.applied(before) == after
    assert splice.undone(after) == before
    splice.removed.decode(), splice.inserted.decode(), before[: splice.start].decode()


def test_a_splice_holds_only_what_differs() -> None:
    before, after = b'{"status":"live","beat":1}', b'{"status":"live","beat":27}'
    assert splice_between(before, after) == Splice(24, b"1", b"27")


def test_characters_that_share_bytes_are_replaced_whole() -> None:
    assert splice_between("é".encode(), "è".encode()) == Splice(0, "é".encode(), "è".encode())


def node(number: int, letter: str) -> str:
    return (
        f'{{"id":"node-{number}","gpus":{{"modelName":"A100","memory":80}},"note":"{letter * 30}","n":{number * 7919}}}'
    )


long_bodies = st.builds(
    lambda count, numbers, tail: (
        f'{{"count":{count},"nodes":[{",".join(node(*each) for each in numbers)}],"t":{tail}}}'
    ),
    st.integers(0, 10**6),
    st.lists(st.tuples(st.integers(0, 40), st.sampled_from("aé€𝄞")), max_size=150),
    st.integers(0, 10**6),
).map(str.encode)


@given(before=long_bodies, after=long_bodies)
def test_several_splices_lead_forward_and_back_and_cut_no_character(before: bytes, after: bytes) -> None:
    splices = splices_between(before, after)
    body = bytearray(before)
    apply_all(body, splices)
    assert body == after
    undo_all(body, splices)
    assert body == before
    for splice in splices:
        splice.removed.decode(), splice.inserted.decode(), after[: splice.start].decode()


def test_a_node_that_joins_a_large_cluster_costs_what_it_is() -> None:
    nodes = [node(number, "é") for number in range(2_000)]
    before, after = (
        f'{{"count":{len(some)},"nodes":[{",".join(some)}],"memory":{len(some) * 512}}}'.encode()
        for some in (nodes, [*nodes, node(2_000, "é")])
    )
    for some, other in ((before, after), (after, before)):
        splices = splices_between(some, other)
        assert len(splices) <= 4
        assert sum(len(splice.removed) + len(splice.inserted) for splice in splices) < 1_000


def test_nodes_that_leave_from_the_middle_cost_what_they_are() -> None:
    nodes = [node(number, "x") for number in range(5_000)]
    before, after = (
        f'{{"count":{len(some)},"nodes":[{",".join(some)}],"memory":{len(some) * 512}}}'.encode()
        for some in (nodes, [*nodes[:1_000], *nodes[1_003:2_000], *nodes[2_001:]])
    )
    for some, other in ((before, after), (after, before)):
        assert sum(len(splice.removed) + len(splice.inserted) for splice in splices_between(some, other)) < 2_000
