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
        ("(?m)^b\\n", ["b\n"], ["b"]),
        ("(?m:^)$", ["", "\n"], ["a\n"]),
        (r"(?m)^a\z", ["a"], ["a\n"]),
        # The dot and newlines.
        ("a.b", ["a b", "aéb", "a\rb"], ["a\nb"]),
        ("(?s)a.b", ["a\nb"], []),
        ("(?s:a.)b.", ["a\nbc"], ["a\nb\n"]),
        (r"a\Nb", ["a b"], ["a\nb"]),
        ("a[^b]c", ["a\nc"], ["abc"]),
        # White space.
        (r"a\sb", ["a b", "a\tb", "a\x0bb"], ["a\xa0b"]),
        (r"^\s$", ["\t", "\r", " "], ["\x08", "\x0e", "X"]),
        (r"^\S$", ["\0", "\x08", "\x0e", "\x1f", "!", "\U0010ffff"], ["\t", "\r", " "]),
        (r"a[\s]b", ["a\x0bb"], []),
        (r"a\Sb", ["axb"], ["a\x0bb"]),
        (r"a[\Sx]b", ["axb", "a\xa0b"], ["a\x0bb", "a b"]),
        (r"\h", ["\t", "\xa0", "\u2003"], ["\n", "x"]),
        (r"^\H+$", ["x\n"], ["\t"]),
        (r"\v", ["\n", "\x85", "\u2028"], ["\t", "v"]),
        # Extended patterns.
        ("(?x) a b # spelled\n c", ["abc"], ["a b c", "ab"]),
        (r"(?x) a\ b [ #]", ["a b ", "a b#"], ["ab"]),
        ("(?x) a +", ["aa"], ["a +"[1:]]),
        ("(?x: a b) c", ["ab c"], ["abc"]),
        # Characters by name and number.
        (r"\x41\x{1F600}\103\o{104}\e\cA", ["A😀CD\x1b\x01"], []),
        (r"[\x41-\x{43}\b]", ["B", "\b"], ["b", "X"]),
        (r"\x414", ["A4"], ["\u0414"]),
        (r"^\x$", ["\0"], [""]),
        (r"\xg", ["\0g"], ["g"]),
        (r"\x{d7ff}\x{e000}\x{10ffff}", ["\ud7ff\ue000\U0010ffff"], []),
        (r"\10\18", ["\b\x018"], ["10"]),  # as there are no groups of these numbers
        (r"^\0$", ["\0"], ["0"]),
        (r"\0123", ["\n3"], ["S"]),
        (r"\1234", ["S4"], ["S"]),
        (r"^[\1018]$", ["A", "8"], ["1", "0"]),
        (r"^[\1]$", ["\x01"], ["1"]),
        (r"\cz\c[", ["\x1a\x1b"], []),
        (r"\Qa.b\E.", ["a.bx"], ["axbx", "a.b"]),
        (r"x\Qa.b\E.", ["xa.bx"], ["xa.b"]),
        (r"\Qa.b", ["a.b"], ["axb"]),
        (r"a\Eb", ["ab"], ["a"]),
        (r"a\-\_\/\é", ["a-_/é"], []),
        # Brackets.
        ("[]a]", ["]", "a"], ["b"]),
        ("[^]a]", ["b"], ["]", "a"]),
        (r"[a-\d]", ["-", "a", "5"], ["b"]),
        (r"[\w-.]", ["-", ".", "x"], ["+"]),
        ("[a-]", ["-", "a"], ["b"]),
        ("[a-a]", ["a"], ["-", "b"]),
        (r"^[\P{Lu}B]+$", ["aB"], ["A"]),
        (r"(?i)^[\p{Nd}\d_]+$", ["٣1_"], ["a"]),
        (r"^[\p{Lu}_]+$", ["A_"], ["a"]),
        ("[a^]", ["^"], ["b"]),
        ("[[:alpha:][:^digit:]]", ["a", "-"], ["5"]),
        ("[[a]", ["[", "a"], ["b"]),
        ("x[[:a]", ["x[", "x:", "xa"], ["x", "xb", "xX"]),
        ("x[[.a]", ["x[", "x.", "xa"], ["x", "xb"]),
        ("x[[=a]", ["x[", "x=", "xa"], ["x", "xb"]),
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
        ("^a++b-", ["aab-"], ["aab"]),
        ("^a++b$", ["aab"], ["aa"]),
        ("^a++", ["aa"], ["b"]),
        ("^x*+$", ["", "xx"], ["xy"]),
        # Repetitions.
        ("^a{2}$", ["aa"], ["a", "aaa"]),
        ("^a{02}$", ["aa"], ["a", "aaa"]),
        ("^a{1,0000003}$", ["a", "aaa"], ["", "aaaa"]),
        ("^a{2,}$", ["aa", "aaa"], ["a"]),
        ("^a{00}$", [""], ["a"]),
        ("ab{0}c", ["ac"], ["abc"]),
        ("ab{0,1}c", ["ac", "abc"], ["abbc"]),
        ("ab{1}c", ["abc"], ["ac"]),
        ("^a{1000}$", ["a" * 1000], ["a" * 999, "a" * 1001]),
        ("^a{,2}$", ["a{,2}"], ["aa"]),
        ("^a{x}$", ["a{x}"], []),
        ("^a{2$", ["a{2"], ["aa"]),
        # Case and Unicode.
        ("(?i)é", ["É"], ["e"]),
        (r"(?i)\W", ["-", "ſ", "\u212a"], ["s", "K"]),  # a long s and the sign of kelvin, whose small letters are s, k
        (r"(?i)\w", ["s", "K"], ["-", "ſ", "\u212a"]),
        (r"(?i)[s]", ["S", "ſ"], ["k"]),
        (r"(?i)\p{Greek}", ["λ", "Λ"], ["µ"]),  # the sign of micro, whose capital is Greek
        (r"(?i)\p{Lu}", ["A"], ["a"]),
        (r"^\p{Cyrillic}\pL\P{Lu}\p{^Lu}$", ["Жяа1"], ["ЖяАа"]),
        (r"^[\p{Greek}\p{Nd}]+$", ["λ٣"], ["l"]),
        (r"^\P{Xan}\p{^Xan}\P{^Lu}\P{^Xan}$", ["-.Ab"], ["a.Ab", "-aAb", "-.ab", "-.A-"]),
        (r"^\p{Xan}\p{L&}\p{Any}$", ["1a-"], ["-a-"]),
        (r"\d", ["5"], ["٣"]),
        (r"(*UCP)^\d\w\s$", ["٣é\u2003"], ["x"]),
        (r"(*UCP)^\D\W\S$", ["x-é"], ["٣-é", "xéé", "x-\u2003"]),
        (r"(*UCP)^[[:alpha:]\d]+$", ["é٣"], ["-"]),
        (r"(*UCP)^[a-\d]+$", ["a-٣"], ["b"]),
        (r"(*UCP)^[\D]$", ["x"], ["٣"]),
        # Verbs that change nothing, and those that end it.
        ("(*UTF8)(*PRUNE)a", ["ba"], ["b"]),
        ("(*COMMIT)a", ["ba"], ["b"]),
        ("a(*THEN:x)", ["a"], ["b"]),
        ("a(*MARK:x)b", ["ab"], ["a"]),
        ("a(*:x)b", ["ab"], ["a"]),
        ("a|(*FAIL)b", ["a"], ["b"]),
        ("a|(*F)b", ["a"], ["b"]),
        ("a(*ACCEPT)b|c", ["ax", "c"], ["b"]),
        ("a(*ACCEPT)bc", ["ax"], ["b"]),
        ("(*FAIL)a|b", ["b"], ["a"]),
        ("((UTF))", ["UTF"], ["U"]),
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
        ("é|a", "ééa", 2, (2, 3, ())),
        ("(a)?b", "ab", 0, (0, 2, ("a",))),
        ("a|b$", "ab\n", 1, (1, 2, ())),
        ("a+?", "aa", 0, (0, 1, ())),
        ("(?U)a+", "aa", 0, (0, 1, ())),
        ("(?U)a+?", "aa", 0, (0, 2, ())),
        ("(?n)(a)(?<n>b)", "ab", 0, (0, 2, ("b",))),
    ],
)
def test_a_match_is_counted_in_characters(pattern, text, start, found):
    match = compile_pattern(pattern, captures=True).search(text, start)
    assert (match and (match.start, match.end, match.groups)) == found


@pytest.mark.parametrize(
    "pattern", ["gpu", "^gpu", "gpu$", "^gpu$", "", "^", "$", "^$", r"a\.b", r"^a\+$", "é", "g.*u", "gp?u", "(gpu)+"]
)
def test_a_plain_text_needs_no_engine_and_means_the_same(pattern):
    for text in ["", "gpu", "xgpu", "gpux", "xgpux", "gpu\n", "gpu\n\n", "\n", "a.b", "axb", "a+", "é", "gu", "gxu"]:
        compiled = compile_pattern(pattern)
        assert compiled.matches(text) is (compiled.search(text) is not None)


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("é(.)", "xéaéb", [(1, 3, ("a",)), (3, 5, ("b",))]),
        ("a*", "éab", [(0, 0, ()), (1, 2, ()), (2, 2, ())]),
        ("x*", "éüb", [(0, 0, ()), (1, 1, ()), (2, 2, ())]),
        ("x*", "éüx", [(0, 0, ()), (1, 1, ()), (2, 3, ())]),
        ("x*", "", [(0, 0, ())]),
        ("b", "ab", [(1, 2, ())]),
        ("b?$", "ab", [(1, 2, ())]),
        ("x", "ab", []),
    ],
)
def test_all_matches_follow_each_other(pattern, text, found):
    matches = compile_pattern(pattern, captures=True).find_all(text)
    assert [(match.start, match.end, match.groups) for match in matches] == found
