"""The memory of documents as callers see them."""

from rollbook.language.filters.nodes import EVERYTHING
from rollbook.security.masks import HIDDEN, hiding
from rollbook.security.seeing import BODY_BYTES, MaskedBodies
from rollbook.security.sights import Grant, Sight, sight_of
from rollbook.view.entries import Entry

WITHOUT_B: Sight = sight_of([Grant(frozenset({"read"}), EVERYTHING, None, hiding([("b",)]), HIDDEN)])
BODY = b'{"id":"x","a":"%s"}' % (b"y" * 1000)
PLACES = 3


def entry_of(body: bytes) -> Entry:
    """An entry whose JSON is an object of its own, though an equal one may be there."""
    return Entry(0, "x", 1, 1, 0, 0, 0, bytes(bytearray(body)))


def test_documents_that_come_back_do_not_make_the_memory_larger_than_it_may_be() -> None:
    weight = BODY_BYTES + len(BODY)
    masked = MaskedBodies(bytes_max=PLACES * weight + weight // 2)
    for round in range(50):
        for letter in (b"A", b"B"):
            masked.remember_whole(WITHOUT_B, entry_of(BODY.replace(b"x", letter)))
        masked.remember_whole(WITHOUT_B, entry_of(BODY.replace(b"y", b"z", round + 1)))
    there = [BODY.replace(b"x", letter) for letter in (b"A", b"B")]
    there += [BODY.replace(b"y", b"z", round + 1) for round in range(50)]
    assert sum(masked.known(WITHOUT_B, [body]) is not None for body in there) == PLACES
