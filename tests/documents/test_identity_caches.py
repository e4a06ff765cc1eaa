"""A cache of large values: what was used least makes room, and a value leaves room for its successor."""

from rollbook.documents.identity_caches import IdentityCache


def test_what_was_used_least_makes_room() -> None:
    cache, keys = IdentityCache[int](weight_max=10), [object() for _ in range(3)]
    cache.put(keys[0], 0, weight=5)
    cache.put(keys[1], 1, weight=5)
    assert cache.get(keys[0]) == 0
    cache.put(keys[2], 2, weight=5)
    assert [cache.get(key) for key in keys] == [0, None, 2]


def test_an_answer_is_for_the_very_object() -> None:
    cache = IdentityCache[int](weight_max=10)
    cache.put(key := [1], 1, weight=1)
    assert cache.get(key) == 1
    assert cache.get([1]) is None


def test_the_largest_value_and_its_successors_have_room_together() -> None:
    cache, keys = IdentityCache[int](weight_max=10), [object() for _ in range(5)]
    cache.put(keys[0], 0, weight=8)
    for number in range(1, 5):
        cache.put_after(keys[number], number, weight=8, former=keys[number - 1], former_weight=1)
        assert cache.get(keys[number - 1]) == number - 1
        assert cache.get(keys[number]) == number
    assert cache.get(keys[0]) is None


def test_what_was_not_used_for_two_looks_is_forgotten() -> None:
    cache, keys = IdentityCache[int](weight_max=10), [object() for _ in range(2)]
    for key in keys:
        cache.put(key, 1, weight=5)
    cache.forget_unused()
    assert cache.get(keys[1]) == 1
    cache.forget_unused()
    assert [cache.get(key) for key in keys] == [None, 1]
    cache.put(keys[0], 2, weight=5)
    assert [cache.get(key) for key in keys] == [2, 1], "what was forgotten weighs nothing"
