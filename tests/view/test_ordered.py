"""Ordered keys are a sorted set, however they came and went."""

from hypothesis import given
from hypothesis import strategies as st

from rollbook.view.index.ordered import OrderedKeys


@given(st.lists(st.integers(0, 30)), st.lists(st.integers(0, 30)), st.integers(0, 30), st.sampled_from([2, 3, 5]))
def test_it_is_a_sorted_set(first: list[float], toggled: list[float], bound: float, block_keys_max: int) -> None:
    keys, expected = OrderedKeys(set(first), block_keys_max=block_keys_max), set(first)
    for key in toggled:
        assert sorted(expected) == [one for block in keys.derived(tuple) for one in block]
        keys.remove(key) if key in expected else keys.add(key)
        expected ^= {key}
    assert list(keys) == sorted(expected)
    assert list(reversed(keys)) == sorted(expected, reverse=True)
    assert len(keys) == len(expected)
    for included in (True, False):
        assert list(keys.after(bound, included=included)) == [
            key for key in sorted(expected) if key > bound or (included and key == bound)
        ]
        assert list(keys.before(bound, included=included)) == [
            key for key in sorted(expected) if key < bound or (included and key == bound)
        ]
