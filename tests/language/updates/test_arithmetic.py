import pytest

from tests.language.updates.applying import refusal, refused_code, updated

INT64_MAX = 2**63 - 1


@pytest.mark.parametrize(
    ("old", "amount", "total"),
    [
        (5, 2, 7),
        (5, -7, -2),
        (5, 0.5, 5.5),
        (5.5, 1, 6.5),
        (5, 2.0, 7.0),  # a double on either side makes a double
        (2**31 - 1, 1, 2**31),  # an int widens to a long
        (-(2**31), -1, -(2**31) - 1),
        (INT64_MAX - 1, 1, INT64_MAX),
        (INT64_MAX, -1, INT64_MAX - 1),
        (INT64_MAX, 1.0, 2.0**63),
        (2**63, 1, 2.0**63),  # beyond 64 bits an integer is a double
    ],
)
def test_inc_adds(old, amount, total):
    assert repr(updated({"a": old}, {"$inc": {"a": amount}})) == repr({"a": total})


@pytest.mark.parametrize(
    ("old", "factor", "product"),
    [
        (5, 2, 10),
        (5, 0, 0),
        (5, 0.5, 2.5),
        (5, 2.0, 10.0),
        (2**31 - 1, 2**31 - 1, (2**31 - 1) ** 2),
        (2**62, -2, -(2**63)),
        (-0.0, 3, -0.0),
    ],
)
def test_mul_multiplies(old, factor, product):
    assert repr(updated({"a": old}, {"$mul": {"a": factor}})) == repr({"a": product})


@pytest.mark.parametrize(
    ("update", "value"),
    [
        ({"$inc": {"a.b": 3}}, 3),
        ({"$inc": {"a.b": -0.5}}, -0.5),
        ({"$mul": {"a.b": 3}}, 0),
        ({"$mul": {"a.b": 2.5}}, 0.0),
    ],
)
def test_a_missing_number_counts_as_zero_of_the_operand_type(update, value):
    assert repr(updated({}, update)) == repr({"a": {"b": value}})


@pytest.mark.parametrize(
    ("old", "update"),
    [
        (INT64_MAX, {"$inc": {"a": 1}}),
        (-(2**63), {"$inc": {"a": -1}}),
        (2**62, {"$mul": {"a": 2}}),
        (1e308, {"$mul": {"a": 10}}),
        (1.7e308, {"$inc": {"a": 1.7e308}}),
    ],
)
def test_a_result_that_no_number_holds_is_refused(old, update):
    operator = next(iter(update))
    assert refused_code({"a": old}, update) == (2, f"/{operator}/a")


@pytest.mark.parametrize("operator", ["$inc", "$mul"])
@pytest.mark.parametrize("value", [None, "1", True, [], [1], {}, {"$each": [1]}])
def test_only_numbers_calculate(operator, value):
    assert refused_code({"a": 1}, {operator: {"a": value}}) == (14, f"/{operator}/a")
    assert refused_code({"a": value}, {operator: {"a": 1}}) == (14, f"/{operator}/a")


def test_a_refusal_names_operator_path_and_type():
    assert refusal({"a": {"b": "x"}}, {"$inc": {"a.b": 1}}).message == (
        "$inc of 'a.b': needs a number, but the document has a value of type string"
    )


@pytest.mark.parametrize(
    ("old", "update"), [(5, {"$inc": {"a": 0}}), (5, {"$mul": {"a": 1}}), (0.5, {"$inc": {"a": 0}})]
)
def test_a_number_that_stays_the_same_is_no_change(old, update):
    document = {"a": old}
    assert updated(document, update) is document
