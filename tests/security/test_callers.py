"""Callers: what they may, and that the usual one is free to ask."""

from rollbook.security.access import access_of
from rollbook.security.callers import Caller
from rollbook.security.roles import BUILT_IN, VERBS


def test_a_full_caller_may_everything_and_sees_everything() -> None:
    assert Caller.FULL.is_full
    assert all(Caller.FULL.may(verb) for verb in VERBS)
    assert Caller.FULL.access.sight().is_whole


def test_a_caller_may_what_its_roles_allow() -> None:
    caller = Caller("token:ci", "token", access_of([BUILT_IN["reader"]], {}))
    assert not caller.is_full
    assert caller.may("read")
    assert not caller.may("delete")
    assert not caller.access.sight().is_whole


def test_a_caller_without_roles_may_nothing() -> None:
    assert not any(Caller("token:ci", "token", access_of([], {})).may(verb) for verb in VERBS)
