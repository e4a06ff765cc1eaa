"""Where the engine's syntax differs from MongoDB's (PCRE's), patterns mean what MongoDB says."""

import pytest

from rollbook.language.regular_expressions import compile_pattern


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        # The end of the text, also before a newline that ends it.
        ("a$", ["a", "a\n", "ba"], ["a\n\n", "a\nb", "ab"]),
        ("^a$", ["a", "a\n"], ["b\na", "a\nb", "a\n\n"]),
        ("(a|b)$", ["xb\n"], ["b\nx"]),
        ("a\\n?$", ["a", "a\n", "a\n\n"], ["ab"]),
        (r"a\Z", ["a", "a\n"], ["a\n\n", "a\nb"]),
        (r"a\z", ["a"], ["a\n"]),
        (r"\Aa", ["ab"], ["b\na"]),
        # Lines.
        ("(?m)^b$", ["a\nb\nc", "b", "b\n"], ["ab"]),
        ("(?m)^$", ["", "a\n\nb"], ["a\n"]),  # no line begins after the last newline
        ("(?m:^b)c$", ["a\nbc"], ["a\nbc\nd"]),
        # The dot and newlines.
        ("a.b", ["a b", "aéb", "a\rb"], ["a\nb"]),
        ("(?s)a.b", ["a\nb"], []),
        ("(?s:a.)b.", ["a\nbc"], ["a\nb\n"]),
        (r"a\Nb", ["a b"], ["a\nb"]),
        ("a[^b]c", ["a\nc"], ["abc"]),
        # White space.
        (r"a\sb", ["a b", "a\tb", "a\x0bb"], ["a\xa0b"]),
        (r"a[\s]b", ["a\x0bb"], []),
        (r"a\Sb", ["axb"], ["a\x0bb"]),
        (r"a[\Sx]b", ["axb", "a\xa0b"], ["a\x0bb", "a b"]),
        (r"\h", ["\t", "\xa0", "\u2003"], ["\n", "x"]),
        (r"^\H+$", ["x\n"], ["\t"]),
        (r"\v", ["\n", "\x85", "\u2028"], ["\t", "v"]),
        # Extended patterns.
        ("(?x) a b # spelled\n c", ["abc"], ["a b c"]),
        (r"(?x) a\ b [ #]", ["a b ", "a b#"], ["ab"]),
        ("(?x) a +", ["aa"], ["a +"[1:]]),
        ("(?x: a b) c", ["ab c"], ["abc"]),
        # Characters by name and number.
        (r"\x41\x{1F600}\103\o{104}\e\cA", ["A😀CD\x1b\x01"], []),
        (r"[\x41-\x{43}\b]", ["B", "\b"], ["b"]),
        (r"\Qa.b\E.", ["a.bx"], ["axbx", "a.b"]),
        (r"\Qa.b", ["a.b"], ["axb"]),
        (r"a\-\_\/\é", ["a-_/é"], []),
        # Brackets.
        ("[]a]", ["]", "a"], ["b"]),
        ("[^]a]", ["b"], ["]", "a"]),
        (r"[a-\d]", ["-", "a", "5"], ["b"]),
        (r"[\w-.]", ["-", ".", "x"], ["+"]),
        ("[a-]", ["-", "a"], ["b"]),
        ("[a^]", ["^"], ["b"]),
        ("[[:alpha:][:^digit:]]", ["a", "-"], ["5"]),
        ("[[a]", ["[", "a"], ["b"]),
        (r"[.*+?{}()|$\\\]]", list(".*+?{}()|$\\]"), ["a"]),
        # Groups and flags.
        ("(?<n>a)(?'m'b)(?P<k>c)", ["abc"], ["ab"]),
        ("x(?#said)y", ["xy"], ["x(?#said)y"]),
        ("(a(?i)b|c)", ["aB", "C"], ["AB"]),
        ("(?i)a(?-i)b", ["Ab"], ["AB"]),
        ("(?i)a(?^)b", ["Ab"], ["AB"]),
        ("(?n)(a)(?<n>b)", ["ab"], ["a"]),
        ("^(?U)a+b", ["aab"], ["b"]),
        ("^(?>abc)+$", ["abcabc"], ["abcab"]),
        ("^a++b", ["aab"], ["aa"]),
        ("^x*+$", ["", "xx"], ["xy"]),
        # Repetitions.
        ("^a{2}$", ["aa"], ["a", "aaa"]),
        ("^a{,2}$", ["a{,2}"], ["aa"]),
        ("^a{x}$", ["a{x}"], []),
        ("^a{2$", ["a{2"], ["aa"]),
        # Case and Unicode.
        ("(?i)é", ["É"], ["e"]),
        (r"(?i)\W", ["-"], ["s", "K"]),
        (r"(?i)\p{Lu}", ["A"], ["a"]),
        (r"^\p{Cyrillic}\pL\P{Lu}\p{^Lu}$", ["Жяа1"], ["ЖяАа"]),
        (r"^[\p{Greek}\p{Nd}]+$", ["λ٣"], ["l"]),
        (r"^\p{Xan}\p{L&}\p{Any}$", ["1a-"], ["-a-"]),
        (r"\d", ["5"], ["٣"]),
        (r"(*UCP)^\d\w\s$", ["٣é\u2003"], ["x"]),
        (r"(*UCP)^[[:alpha:]\d]+$", ["é٣"], ["-"]),
        # Verbs that change nothing, and those that end it.
        ("(*UTF8)(*PRUNE)a", ["ba"], ["b"]),
        ("(*COMMIT)a", ["ba"], ["b"]),
        ("a(*THEN:x)", ["a"], ["b"]),
        ("a(*MARK:x)b", ["ab"], ["a"]),
        ("a|(*FAIL)b", ["a"], ["b"]),
        ("a(*ACCEPT)b|c", ["ax", "c"], ["b"]),
    ],
)
def test_a_pattern_means_what_mongodb_says(pattern, matching, others):
    compiled = compile_pattern(pattern)
    assert [text for text in matching + others if compiled.matches(text)] == matching
    assert [text for text in matching + others if compiled.search(text)] == matching


@pytest.mark.parametrize(
    ("pattern", "options", "matching", "others"),
    [
        ("gpu", "i", ["GPU"], ["cpu"]),
        ("^b", "m", ["a\nb"], ["ab"]),
        ("a.b", "s", ["a\nb"], ["ab"]),
        ("a b", "x", ["ab"], ["a b"]),
        ("^ A . b $", "imsx", ["x\na\nB"], ["ab"]),
        ("é", "u", ["é"], ["e"]),
        ("a", "ii", ["A"], ["b"]),
    ],
)
def test_options_hold_for_the_whole_pattern(pattern, options, matching, others):
    compiled = compile_pattern(pattern, options)
    assert [text for text in matching + others if compiled.matches(text)] == matching


@pytest.mark.parametrize(
    ("pattern", "text", "start", "found"),
    [
        ("b(c)?(x)?", "abc", 0, (1, 3, ("c", None))),
        ("b", "éüb", 0, (2, 3, ())),
        ("(ü)b", "éüb", 1, (1, 3, ("ü",))),
        ("b", "bab", 1, (2, 3, ())),
        ("^b", "bb", 1, None),
        (r"\s*$", "a \n", 0, (1, 3, ())),
        ("a$", "a\n", 0, (0, 1, ())),
        ("$", "", 0, (0, 0, ())),
    ],
)
def test_a_match_is_counted_in_characters(pattern, text, start, found):
    match = compile_pattern(pattern).search(text, start)
    assert (match and (match.start, match.end, match.groups)) == found


@pytest.mark.parametrize(
    "pattern", ["gpu", "^gpu", "gpu$", "^gpu$", "", "^", "$", "^$", r"a\.b", r"^a\+$", "é", "g.*u", "gp?u", "(gpu)+"]
)
def test_a_plain_text_needs_no_engine_and_means_the_same(pattern):
    for text in ["", "gpu", "xgpu", "gpux", "xgpux", "gpu\n", "gpu\n\n", "\n", "a.b", "axb", "a+", "é", "gu", "gxu"]:
        compiled = compile_pattern(pattern)
        assert compiled.matches(text) is (compiled.search(text) is not None)
