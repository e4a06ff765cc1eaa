from hypothesis import given
from hypothesis import strategies as st

from rollbook.journal.sqlite.splices import Splice, splice_between

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
