"""From words to the JSON of a filter.

One rule: words are another way to write MongoDB's filters, not another language: what they mean is the JSON they
become, and that is judged by the parser of filters.
"""

from collections.abc import Callable, Iterable
from difflib import get_close_matches

from rollbook.documents.values import Document, Value
from rollbook.language.words.lexing import CONSTANTS, KEYWORDS, Token, refused, tokens_in
from rollbook.language.words.vocabularies import PLAIN, Vocabulary

LENGTH_MAX, DEPTH_MAX = 16_384, 50


def parse_words(text: str, vocabulary: Vocabulary = PLAIN) -> Document:
    """The filter that ``text`` means, as JSON; nothing means every document.

    Refuses (FilterRefused) with the column of the problem, and with a suggestion where a name is misspelt.
    """
    if len(text) > LENGTH_MAX:
        raise refused(f"a filter in words has at most {LENGTH_MAX} characters", LENGTH_MAX + 1)
    parser = _Parser(list(tokens_in(text)), vocabulary)
    return parser.whole()


class _Parser:
    """Reads tokens from the left, one ahead."""

    def __init__(self, tokens: list[Token], vocabulary: Vocabulary) -> None:
        self._tokens = tokens
        self._vocabulary = vocabulary
        self._place = 0
        self._depth = 0

    @property
    def _next(self) -> Token:
        return self._tokens[self._place]

    @property
    def _at_end(self) -> bool:
        return self._next.kind == "end"

    def whole(self) -> Document:
        if self._at_end:
            return {}
        filter = self._either()
        if not self._at_end:
            raise refused(f"{self._next.text!r} can't stand here; is an 'and' or an '(' missing?", self._next.column)
        return filter

    def _take(self) -> Token:
        token = self._next
        self._place += token.kind != "end"
        return token

    def _either(self) -> Document:
        choices: list[Value] = [self._together()]
        while self._next.is_keyword("or"):
            self._take()
            choices.append(self._together())
        return choices[0] if len(choices) == 1 and isinstance(choices[0], dict) else {"$or": choices}

    def _together(self) -> Document:
        clauses = [self._clause()]
        while True:
            if self._next.is_keyword("and"):
                self._take()
            elif self._at_end or self._next.is_keyword("or") or self._next.is_symbol(")"):
                return _all(clauses)
            clauses.append(self._clause())

    def _clause(self) -> Document:
        token = self._take()
        if token.is_keyword("not"):
            return {"$nor": [self._deeper(self._clause, token.column)]}
        if token.is_symbol("("):
            filter = self._deeper(self._either, token.column)
            self._expect(")", "to close the parenthesis")
            return filter
        if token.kind == "json" and isinstance(token.value, dict):
            return token.value
        if token.kind in ("word", "path") and (condition := self._condition_on(token)) is not None:
            return condition
        if token.is_keyword(*KEYWORDS) or token.kind in ("symbol", "end", "json"):
            raise refused(f"a condition is expected here, not {token.text or 'the end'!r}", token.column)
        return self._bare(token)

    def _deeper(self, read: Callable[[], Document], column: int) -> Document:
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise refused(f"parentheses and 'not' are nested more than {DEPTH_MAX} deep", column)
        filter = read()
        self._depth -= 1
        return filter

    def _condition_on(self, name: Token) -> Document | None:
        """The condition on the field that ``name`` is, if one follows; an odd name may be a path in backticks."""
        sign = self._next
        if sign.kind not in ("symbol", "word") or name.is_keyword("not", "and", "or"):
            return None
        if sign.is_keyword("not"):
            following = self._tokens[self._place + 1]
            if not following.is_keyword("in"):
                return None
            self._place += 2
            return {self._path(name): {"$nin": self._values()}}
        read = SIGNS.get(sign.text.lower())
        if read is None:
            return None
        self._take()
        return {self._path(name): read(self)}

    def _path(self, name: Token) -> str:
        if name.kind == "path":
            return str(name.value)
        path = self._vocabulary.path_of(name.text)
        known = self._vocabulary.paths
        if path == name.text and known and path not in known and not _is_free(path, known):
            close = get_close_matches(path, [*known, *self._vocabulary.aliases], 1, 0.75)
            if close:
                problem = (
                    f"there is no field {path!r}; did you mean {close[0]!r}? (`{path}` in backticks is taken as it is)"
                )
                raise refused(problem, name.column)
        return path

    def _bare(self, token: Token) -> Document:
        meaning = self._vocabulary.meaning(str(token.value))
        if meaning is None:
            raise refused(
                f"{token.text!r} alone is no condition; write a field, as in: name = {token.text}", token.column
            )
        return meaning

    def _value(self) -> Value:
        token = self._take()
        if token.kind in ("value", "json"):
            value: Value = token.value
            return value
        if token.kind == "word":
            return CONSTANTS.get(token.text.lower(), token.text)
        raise refused(f"a value is expected here, not {token.text or 'the end'!r}", token.column)

    def _values(self) -> list[Value]:
        self._expect("(", "before the list of values")
        values: list[Value] = []
        while not self._next.is_symbol(")"):
            if values:
                self._expect(",", "between the values")
            values.append(self._value())
        self._take()
        return values

    def _expect(self, symbol: str, why: str) -> None:
        token = self._take()
        if not token.is_symbol(symbol):
            raise refused(f"{symbol!r} is expected here {why}, not {token.text or 'the end'!r}", token.column)

    # What follows the name of a field: the condition on it, by the sign that was read.

    def _equal(self) -> Value:
        value = self._value()
        return {"$eq": value} if isinstance(value, dict) else value

    def _has(self) -> Value:
        if self._next.is_keyword("all"):
            self._take()
            return {"$all": self._values()}
        if self._next.is_keyword("any"):
            self._take()
            return {"$in": self._values()}
        return self._equal()

    def _matches(self) -> Document:
        return {"$regex": self._value(), "$options": "i"}

    def _element(self) -> Document:
        column = self._next.column
        self._expect("(", "before the conditions on an element")
        filter = self._deeper(self._either, column)
        self._expect(")", "to close the parenthesis")
        return {"$elemMatch": filter}


def _all(clauses: list[Document]) -> Document:
    """The clauses together, as plain members of one object where each is on a field of its own."""
    if len(clauses) == 1:
        return clauses[0]
    names = [name for clause in clauses for name in clause]
    plain = not any(name.startswith("$") for name in names)
    if plain and len(set(names)) == len(names) == len(clauses) and all(clauses):
        return {name: value for clause in clauses for name, value in clause.items()}
    return {"$and": [*clauses]}


def _is_free(path: str, known: Iterable[str]) -> bool:
    """Whether the path lies below a known one whose members are free."""
    return any(path.startswith(f"{one}.") for one in known)


def _holding(operator: str) -> Callable[[_Parser], Value]:
    return lambda parser: {operator: parser._value()}


SIGNS: dict[str, Callable[[_Parser], Value]] = {
    "=": _Parser._equal,
    "!=": _holding("$ne"),
    "<": _holding("$lt"),
    "<=": _holding("$lte"),
    ">": _holding("$gt"),
    ">=": _holding("$gte"),
    "~": _Parser._matches,
    "!~": lambda parser: {"$not": parser._matches()},
    "=~": _holding("$regex"),
    "in": lambda parser: {"$in": parser._values()},
    "has": _Parser._has,
    "any": _Parser._element,
    "exists": lambda parser: {"$exists": True},
    "missing": lambda parser: {"$exists": False},
    "size": _holding("$size"),
    "type": _holding("$type"),
}
