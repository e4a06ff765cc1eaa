"""Patterns that are refused: what is invalid anywhere, and, by name, what a linear-time engine can't do."""

import time

import pytest

from rollbook.errors import LanguageRefused
from rollbook.language.regular_expressions import compile_pattern


def refusal(pattern, options="", **limits):
    with pytest.raises(LanguageRefused) as caught:
        compile_pattern(pattern, options, **limits)
    return caught.value


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("a(?=b)", "a look-ahead assertion"),
        ("a(?!b)", "a negative look-ahead assertion"),
        ("(?<=a)b", "a look-behind assertion"),
        ("(?<!a)b", "a negative look-behind assertion"),
        (r"(a)\1", "a back-reference"),
        (r"(?<n>a)\k<n>", "a back-reference"),
        (r"(?P<n>a)(?P=n)", "a back-reference"),
        (r"(a)\g1", "a back-reference"),
        (r"\1", "a back-reference"),
        (r"\81", "a back-reference"),
        (r"\91", "a back-reference"),
        ("(a)" * 10 + r"\10", "a back-reference"),
        ("(a)?(?(1)b|c)", "a conditional group"),
        ("a(?R)?b", "recursion"),
        ("(a)(?1)", "recursion"),
        ("(a)(?-1)", "recursion"),
        ("(?<n>a)(?&n)", "recursion"),
        ("(?|(a)|(b))", "a group that resets the numbers of groups"),
        ("(?>a|ab)c", "an atomic group"),
        ("a*+a", "a possessive quantifier"),
        ("[ab]++c", "a possessive quantifier"),
        ("a++b?a", "a possessive quantifier"),
        ("a++b*a", "a possessive quantifier"),
        ("a++b{0}a", "a possessive quantifier"),
        ("a++A", "a possessive quantifier"),
        ("(?m)\n++$", "a possessive quantifier"),  # it would give back the newline that "$" stands before
        (r"a\Kb", r"\K"),
        (r"a\Rb", r"\R"),
        (r"\X", r"\X"),
        (r"[\Qa]", r"\Q in a bracket class"),
        (r"[\E]", r"\E in a bracket class"),
        (r"[\P{Xan}]", "the negated property Xan in a bracket class"),
        (r"(?i)[\p{Lu}]", "the property Lu in a bracket class that ignores case"),
        (r"(?i)[a-\p{Lu}]", "the property Lu in a bracket class that ignores case"),
        (r"(*UCP)[\W]", r"\W in a bracket class under (*UCP)"),
        ("(*UCP)[[:punct:]]", "the class [:punct:] under (*UCP)"),
        (r"\Ga", r"\G"),
        (r"(*UCP)\bx", r"\b under (*UCP)"),
        (r"(*UCP)\Bx", r"\B under (*UCP)"),
        (r"(*UCP)\X", r"\X"),
        ("a(*SKIP)b", "the verb (*SKIP)"),
        ("a(*lower)", "the verb (*lower)"),
        ("a(*UTF", "the verb (*)"),
        ("(*PRUNE)a|b", "a verb that cuts off alternatives"),
        ("(*COMMIT)ab", "the verb (*COMMIT)"),
        ("(a(*ACCEPT)b)", "the verb (*ACCEPT) in a group"),
        ("a{1001}", "a repetition of more than 1000 times"),
        ("a{1,1001}", "a repetition of more than 1000 times"),
        ("a{10000000}", "a repetition of more than 1000 times"),
        (f"a{{{'9' * 5000}}}", "a repetition of more than 1000 times"),
        ("(?J)(?<n>a)", "the flag J"),
        ("(?xx)a", "the flag xx"),
        ("(?C1)a", "a callout"),
    ],
)
def test_what_linear_time_excludes_is_refused_by_name(pattern, name):
    refused = refusal(pattern)
    assert f"uses {name} " in refused.message
    assert "not supported: " in refused.message
    assert refused.mongo_code == 51091


INVALID = (
    *("(", ")", "a)", "[", "[a", "[b-a]", "*a", "a|*", "a**", "\\", "(?<n", "(?z)", "(?i", r"\i", r"\p{Nowhere}"),
    *(r"\x{110000}", r"\x{d800}", r"\o{9}", "[[:nothing:]]", "(?#", "(?<a>x)(?<a>y)", "(?<1>x)", r"\x{zz}"),
    *("[[.a.]]", "[[=a=]]", "[[.alpha.]:]]", "(*UCP)[[:nothing:]]", r"\x{dfff}", r"\x{}"),
    *(r"[\N]", r"[\X]", "a{2,1}", "(?<n>a", "(?'n>a)"),
)


@pytest.mark.parametrize("pattern", INVALID)
def test_what_is_invalid_is_refused(pattern):
    refused = refusal(pattern)
    assert "is invalid" in refused.message
    assert refused.mongo_code == 51091


@pytest.mark.parametrize(
    ("pattern", "place"), [("a)", 2), ("x[a", 1), ("(a", 2), ("a(?=b)", 3), (r"ab\i", 4), ("a{1001}", 7)]
)
def test_a_refused_pattern_says_where(pattern, place):
    assert f"(near character {place})" in refusal(pattern).message


@pytest.mark.parametrize(("options", "code"), [("g", 51108), ("I", 51108), ("im s", 51108), ("i\0", 2), ("i\0z", 2)])
def test_unknown_options_are_refused(options, code):
    assert refusal("a", options).mongo_code == code


def test_a_null_byte_is_refused():
    assert refusal("a\0").mongo_code == 2


def test_the_length_is_bounded_in_bytes():
    compile_pattern("é" * 16_382)
    refused = refusal("é" * 16_383)
    assert "longer than 32764 bytes" in refused.message
    assert refused.mongo_code == 51091


@pytest.mark.parametrize("pattern", [r"\pL{100}", r"\pL{999}", r"(?:\pL|\pN){500}", "((a{100}){100}){100}"])
def test_the_size_of_a_compiled_pattern_is_bounded(pattern):
    assert refusal(pattern).mongo_code == 51091


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|aa)+$", "(.*a){20}$", "(?:a?){500}a{500}"])
def test_no_pattern_is_catastrophic(pattern):
    compiled = compile_pattern(pattern)
    began = time.monotonic()
    compiled.matches("a" * 2000 + "b")
    assert time.monotonic() - began < 2
