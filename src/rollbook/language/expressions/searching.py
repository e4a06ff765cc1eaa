"""Operators that search strings with regular expressions: ``$regexMatch $regexFind $regexFindAll``.

One rule: a constant regular expression is read once, before there is a document, and refused there. Positions count
code points.
"""

from collections.abc import Callable

from msgspec import Struct

from rollbook.documents.values import Document, Maybe, Value
from rollbook.errors import LanguageRefused
from rollbook.language.expressions.arguments import text_or_null
from rollbook.language.expressions.growth import counted, read
from rollbook.language.expressions.nodes import Constant, Expression
from rollbook.language.expressions.operators import Argument, Compiling, Parsing, Signature, SpecialForm, refused
from rollbook.language.expressions.scopes import Evaluate, Scope
from rollbook.language.regular_expressions import Match, Pattern, compile_pattern
from rollbook.limits import RequestBudget

UNKNOWN_OPTION, INVALID_REGEX = 51108, 51111

_SIGNATURE = Signature(
    (Argument("input", absent=31022), Argument("regex", absent=31023), Argument("options", default=None)),
    not_an_object=51103,
    unknown=31024,
)


class Search(Struct, frozen=True):
    """A text, and the regular expression and its options to search it with."""

    input: Expression
    regex: Expression
    options: Expression


def parse_search(json: Value, parsing: Parsing) -> Search:
    """The text, the regular expression and its options."""
    members = _SIGNATURE.members_of(json, parsing)
    text, regex, options = [parsing.child(members.get(name), name) for name in ("input", "regex", "options")]
    return Search(text, regex, options)


def compile_test(form: Search, compiling: Compiling) -> Evaluate:
    """Whether a regular expression matches somewhere in a string; false when either is null or missing."""
    work = compiling.work
    return _compile(form, compiling, lambda pattern, text: pattern.within(work)(text), otherwise=False)


def compile_find(form: Search, compiling: Compiling) -> Evaluate:
    """The first match of a regular expression in a string, its place and its groups; null when there is none."""

    work = compiling.work

    def first(pattern: Pattern, text: str) -> Maybe:
        match = pattern.first(text, work)
        return None if match is None else _described(match, text)

    return _compile(form, compiling, first, otherwise=None, captures=True)


def compile_find_all(form: Search, compiling: Compiling) -> Evaluate:
    """Every match of a regular expression in a string, its place and its groups."""
    work = compiling.work

    def all_of_them(pattern: Pattern, text: str) -> Maybe:
        found: list[Value] = []
        for match in counted(pattern.find_all(text, work), _bytes_of, work):
            read(work, text)
            found.append(_described(match, text))
        return found

    return _compile(form, compiling, all_of_them, otherwise=[], captures=True)


def _compile(
    form: Search,
    compiling: Compiling,
    result: Callable[[Pattern, str], Maybe],
    *,
    otherwise: Value,
    captures: bool = False,
) -> Evaluate:
    pattern_in = _compile_pattern(form, compiling, captures=captures)
    text_in, work = compiling.child(form.input), compiling.work

    def search(scope: Scope) -> Maybe:
        given, pattern = text_in(scope), pattern_in(scope)
        text = text_or_null(given, "input", 51104)
        if text is None or pattern is None:
            return otherwise
        read(work, text)
        return result(pattern, text)

    return search


def _compile_pattern(form: Search, compiling: Compiling, *, captures: bool) -> Callable[[Scope], Pattern | None]:
    regex, options, work = compiling.folded(form.regex), compiling.folded(form.options), compiling.work
    if isinstance(regex, Constant) and isinstance(options, Constant):
        pattern = _pattern(regex.value, options.value, work, captures=captures)
        return lambda scope: pattern
    regex_in, options_in = compiling.child(regex), compiling.child(options)
    return lambda scope: _pattern(regex_in(scope), options_in(scope), work, captures=captures)


def _pattern(regex: Maybe, options: Maybe, work: RequestBudget, *, captures: bool) -> Pattern | None:
    """The pattern to search with; None when the regular expression is null or missing."""
    expression, letters = text_or_null(regex, "regex", 51105), text_or_null(options, "options", 51106) or ""
    if expression is not None and "\0" in expression:
        raise refused(51109, "needs a regex without null bytes")
    if "\0" in letters:
        raise refused(51110, "needs options without null bytes")
    if expression is None:
        return None
    try:
        pattern = compile_pattern(expression, letters, captures=captures)
    except LanguageRefused as refusal:
        code = UNKNOWN_OPTION if refusal.mongo_code == UNKNOWN_OPTION else INVALID_REGEX
        raise refused(code, refusal.message) from None
    work.spend(pattern.steps)
    return pattern


def _described(match: Match, text: str) -> Document:
    return {"match": text[match.start : match.end], "idx": match.start, "captures": list(match.groups)}


def _bytes_of(match: Match) -> int:
    return 40 + match.end - match.start + sum(8 + len(group or "") for group in match.groups)


OPERATORS = (
    SpecialForm("$regexMatch", parse_search, compile_test),
    SpecialForm("$regexFind", parse_search, compile_find),
    SpecialForm("$regexFindAll", parse_search, compile_find_all),
)
