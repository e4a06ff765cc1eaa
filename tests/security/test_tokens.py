"""Tokens as they are written and recognised."""

from hypothesis import given
from hypothesis import strategies as st

from rollbook.security.tokens import ALPHABET, TOKEN_LENGTH, new_token, new_token_id, token_id_of, without_tokens


def test_a_token_is_one_word_of_64_characters_that_carries_its_id():
    id = new_token_id()
    token = new_token(id)
    assert token_id_of(token) == id
    assert len(token) == TOKEN_LENGTH == 64
    assert token.replace("_", "").isalnum()
    assert token.isascii()
    assert new_token(id) != token


@given(st.integers(15, 63), st.sampled_from(ALPHABET))
def test_a_mistyped_token_is_none(place, letter):
    token = new_token("0123456789")
    mistyped = token[:place] + letter + token[place + 1 :]
    assert (token_id_of(mistyped) is None) == (mistyped != token)


def test_what_is_no_token_has_no_id():
    token = new_token("0123456789")
    for text in ("", "rbk_", token[:-1], token + "0", token.lower(), " " + token):
        assert token_id_of(text) is None


def test_tokens_are_struck_out_of_texts():
    token = new_token("0123456789")
    text = f"GET http://x:{token}@host/clusters/west failed; half of one: {token[:40]}"
    shown = without_tokens(text)
    assert token[15:40] not in shown
    assert shown.count("rbk_0123456789_***") == 2
