"""Dotted paths that name what a projection or a stage makes: MongoDB's rules for them.

One rule: a path is judged as written, and the first thing wrong with it is what the refusal names.
"""

from rollbook.documents.paths import Path, parse_path

FIELD_PATH_LENGTH_MAX = 200
"""MongoDB's limit: a document is nested no deeper than that."""

DOLLAR_CODE = 16410


def problem_with_path(dotted: str, *, parents: Path = (), dollars_below: bool = False) -> tuple[int, str] | None:
    """What is wrong with a dotted path below ``parents``, as MongoDB's error code and a sentence; or None.

    ``dollars_below`` lets names after the first begin with ``$``, as names in documents may.
    """
    if not dotted:
        return 40352, "a field's name can't be empty"
    if dotted[-1] == ".":
        return 40353, f"the path '{dotted}' ends with a dot"
    path = parse_path(dotted)
    if len(parents) + len(path) > FIELD_PATH_LENGTH_MAX:
        return 15, f"the path has more than {FIELD_PATH_LENGTH_MAX} names"
    for place, name in enumerate(path):
        problem = _problem_with_name(name, dotted)
        if problem is not None and not (dollars_below and place and problem[0] == DOLLAR_CODE):
            return problem
    return None


def _problem_with_name(name: str, dotted: str) -> tuple[int, str] | None:
    if not name:
        return 15998, f"the path '{dotted}' has an empty name between its dots"
    if name[0] == "$":
        return DOLLAR_CODE, f"the field name '{name}' begins with '$', which only operators do"
    if "\0" in name:
        return 16411, f"the field name {name!r} has a null byte"
    return None
