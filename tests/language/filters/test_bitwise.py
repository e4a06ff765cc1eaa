"""Conditions on the bits of integers."""

import pytest

from tests.language.filters.matching import matching

DOCUMENTS = {
    "absent": {},
    "0": {"a": 0},
    "54": {"a": 54},  # 110110
    "54.0": {"a": 54.0},
    "54.5": {"a": 54.5},
    "-1": {"a": -1},
    "-54": {"a": -54},  # ...001010
    "greatest": {"a": 2**63 - 1},
    "1e300": {"a": 1e300},
    "'54'": {"a": "54"},
    "true": {"a": True},
    "[54]": {"a": ["x", 54]},
}


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        ({"$bitsAllSet": 50}, ["54", "54.0", "-1", "greatest", "[54]"]),
        ({"$bitsAllSet": 50.0}, ["54", "54.0", "-1", "greatest", "[54]"]),
        ({"$bitsAllSet": [1, 5, 1]}, ["54", "54.0", "-1", "greatest", "[54]"]),
        ({"$bitsAllSet": 0}, ["0", "54", "54.0", "-1", "-54", "greatest", "[54]"]),
        ({"$bitsAllSet": []}, ["0", "54", "54.0", "-1", "-54", "greatest", "[54]"]),
        ({"$bitsAllSet": [200]}, ["-1", "-54"]),  # the sign goes on for ever
        ({"$bitsAllSet": [63]}, ["-1", "-54"]),
        ({"$bitsAllSet": [2**31 - 1]}, ["-1", "-54"]),
        ({"$bitsAllClear": 9}, ["0", "54", "54.0", "[54]"]),
        ({"$bitsAllClear": [0, 63]}, ["0", "54", "54.0", "[54]"]),
        ({"$bitsAnySet": 9}, ["-1", "-54", "greatest"]),
        ({"$bitsAnySet": 0}, []),
        ({"$bitsAnyClear": 6}, ["0", "-54"]),
        ({"$bitsAnyClear": [62]}, ["0", "54", "54.0", "[54]"]),
        ({"$bitsAnyClear": []}, []),
    ],
)
def test_masks_and_positions_ask_for_bits(condition, names):
    assert matching({"a": condition}, DOCUMENTS) == names


def test_the_least_number_has_its_sign_alone():
    least = {"least": {"a": -(2**63)}, "as a double": {"a": -(2.0**63)}}
    assert matching({"a": {"$bitsAllSet": [63]}}, least) == ["least", "as a double"]
    assert matching({"a": {"$bitsAllClear": 2**63 - 1}}, least) == ["least", "as a double"]
