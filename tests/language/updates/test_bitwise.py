import pytest

from tests.language.updates.applying import refused_code, updated


@pytest.mark.parametrize(
    ("old", "operand", "result"),
    [
        (13, {"and": 10}, 8),
        (3, {"or": 5}, 7),
        (1, {"xor": 5}, 4),
        (12, {"and": 10, "or": 1}, 9),
        (12, {"or": 1, "and": 10}, 8),  # in the order of the object
        (-1, {"and": 2**40}, 2**40),  # two's complement, sign extended
        (-(2**63), {"or": 1}, -(2**63) + 1),
        (2**31 - 1, {"xor": 2**31}, 2**32 - 1),
    ],
)
def test_bit_changes_the_bits_of_an_integer(old, operand, result):
    assert updated({"a": old}, {"$bit": {"a": operand}}) == {"a": result}


@pytest.mark.parametrize(("operand", "result"), [({"and": 5}, 0), ({"or": 5}, 5), ({"xor": 5}, 5)])
def test_a_missing_field_has_no_bits_set(operand, result):
    assert updated({}, {"$bit": {"a.b": operand}}) == {"a": {"b": result}}


@pytest.mark.parametrize("old", [None, 1.0, 2**63, True, "1", [], [1], {}])
def test_only_integers_have_bits(old):
    assert refused_code({"a": old}, {"$bit": {"a": {"and": 1}}}) == (2, "/$bit/a")


@pytest.mark.parametrize(
    ("operand", "at"),
    [
        (1, ""),
        (None, ""),
        ([], ""),
        ({}, ""),
        ({"not": 1}, "/not"),
        ({"and": 1, "nand": 1}, "/nand"),
        ({"and": 1.0}, "/and"),
        ({"and": True}, "/and"),
        ({"or": "1"}, "/or"),
        ({"xor": None}, "/xor"),
        ({"xor": 2**63}, "/xor"),
    ],
)
def test_bit_takes_an_object_of_integers(operand, at):
    assert refused_code({"a": 1}, {"$bit": {"a": operand}}) == (2, f"/$bit/a{at}")
