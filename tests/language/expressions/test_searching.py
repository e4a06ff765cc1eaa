"""Searching strings with regular expressions."""

from typing import Any

import pytest

from tests.language.expressions.evaluating import code_of, refusal_of, value_of


def search(text: Any, regex: Any, options: Any = "", how: str = "$regexMatch") -> Any:
    return {how: {"input": text, "regex": regex, "options": options}}


def found(match: str, place: int, *groups: str | None) -> Any:
    return {"match": match, "idx": place, "captures": list(groups)}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        (search("us-west-2", "^us-.*-[0-9]$"), True),
        (search("US-WEST-2", "west"), False),
        (search("US-WEST-2", "west", "i"), True),
        (search("a\nwest", "^west$", "m"), True),
        (search("a\nb", "a.b", "s"), True),
        (search("west", "we st", "xu"), True),
        (search("west", "west", None), True),
        (search(None, "west"), False),
        (search("west", "$nothing"), False),
        (search("é🎉west", "w(.)(x)?", how="$regexFind"), found("we", 2, "e", None)),
        (search("west", "", how="$regexFind"), found("", 0)),
        (search("west", "x", how="$regexFind"), None),
        (search("$nothing", "x", how="$regexFind"), None),
        (search("é1é22", "é([0-9]+)", how="$regexFindAll"), [found("é1", 0, "1"), found("é22", 2, "22")]),
        (search("aaa", "aa", how="$regexFindAll"), [found("aa", 0)]),
        (search("ab", "(a)|(b)", how="$regexFindAll"), [found("a", 0, "a", None), found("b", 1, None, "b")]),
        # After an empty match a character is passed over; nothing is looked for after the last.
        (search("éab", "a*", how="$regexFindAll"), [found("", 0), found("a", 1), found("", 2)]),
        (search("ab", "x*$", how="$regexFindAll"), [found("", 2)]),
        (search("", "x*", how="$regexFindAll"), [found("", 0)]),
        (search("west", "x", how="$regexFindAll"), []),
        (search(None, None, how="$regexFindAll"), []),
    ],
)
def test_a_search_gives(expression: Any, value: Any) -> None:
    assert value_of(expression) == value


def test_the_regex_and_the_options_may_come_from_the_document() -> None:
    document = {"name": "West", "regex": "^w", "options": "i"}

    assert value_of(search("$name", "$regex", "$options"), document)


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ({"$regexMatch": "west"}, 51103),
        ({"$regexMatch": {"input": "a", "regex": "a", "flags": "i"}}, 31024),
        ({"$regexFind": {"regex": "a"}}, 31022),
        ({"$regexFindAll": {"input": "a"}}, 31023),
        (search(7, 7, 7), 51105),
        (search(7, None, 7), 51106),
        (search(7, "(", "z"), 51108),
        (search(7, "(", "i"), 51111),
        (search(7, "a"), 51104),
        (search(7, "a", how="$regexFind"), 51104),
        (search(7, "a", how="$regexFindAll"), 51104),
        (search("a", "(", "$options"), 51111),
        (search("a", "$open"), 51111),
        (search("a", "a", "$open"), 51108),
        (search("a", "\0", "\0"), 51109),
        (search(7, None), 51104),
        (search("a", "\0"), 51109),
        (search("a", None, "\0"), 51110),
        (search("$text", "$regex"), 51105),
    ],
)
def test_a_search_refuses(expression: Any, code: int) -> None:
    assert code_of(expression, {"text": 7, "regex": 7, "open": "("}) == code


def test_a_refused_search_says_where() -> None:
    refusal = refusal_of({"$not": [search("$name", "(")]})

    assert refusal.at == "/$not/0/$regexMatch"
    assert refusal.message.startswith("$regexMatch: ")
