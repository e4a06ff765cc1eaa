"""The parts of docs/reference that are read off the language: every operator, by family, with examples.

One rule: an operator's line is the first of its docstring's, in its family's table; its examples are rows of
``language_examples``, which the tests execute. Families stand under the headings of MongoDB's manual.
"""

import inspect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, get_args

from rollbook.language.expressions import table as expression_table
from rollbook.language.expressions.operators import NamedFunction
from rollbook.language.filters import tables as filter_tables
from rollbook.language.foreign import PLACES
from rollbook.language.pipelines import table as stage_table
from rollbook.language.pipelines.accumulators import table as accumulator_table
from rollbook.language.projections import nodes as projection_nodes
from rollbook.language.updates import table as update_table
from rollbook.language.updates.pushing import MODIFIERS
from rollbook.language.updates.renaming import parse_rename
from tests.docs.language_examples import expressions as expression_examples
from tests.docs.language_examples import filters as filter_examples
from tests.docs.language_examples import pipelines as pipeline_examples
from tests.docs.language_examples import projections as projection_examples
from tests.docs.language_examples import updates as update_examples
from tests.docs.language_examples.rows import Example
from tests.docs.markdown import sections, table

FILTER_FAMILIES = {
    "Comparison": ("comparison",),
    "Logical": ("logical",),
    "Element": ("element",),
    "Evaluation": ("evaluation",),
    "Array": ("array",),
    "Bitwise": ("bitwise",),
}
UPDATE_FAMILIES = {"Fields": ("fields", "arithmetic"), "Array": ("arrays", "pushing"), "Bitwise": ("bitwise",)}
EXPRESSION_FAMILIES = {
    "Arithmetic": ("arithmetic", "rounding", "powers"),
    "Array": ("arrays", "array_ends", "array_forms", "sorting_arrays", "zipping"),
    "Bitwise": ("bitwise",),
    "Boolean": ("boolean",),
    "Comparison": ("comparison",),
    "Conditional": ("conditional",),
    "Object": ("objects", "fields"),
    "Set": ("sets",),
    "Statistical": ("accumulators", "percentiles"),
    "String": ("strings", "substrings", "trimming", "replacing", "searching"),
    "Time": ("calendars", "times"),
    "Trigonometry": ("trigonometry",),
    "Type": ("types", "converting"),
    "Variable and literal": ("binding",),
}
STAGE_FAMILIES = {
    "Choosing documents": ("selecting",),
    "Ordering and paging": ("ordering",),
    "Shaping documents": ("shaping", "unwinding"),
    "Grouping and counting": ("grouping", "buckets", "auto_buckets"),
    "Several pipelines": ("facets",),
}
ACCUMULATOR_FAMILIES = {
    "Numbers": ("numeric", "percentiles"),
    "One value": ("choosing",),
    "All values": ("collecting",),
    "Several values": ("several", "ranking"),
}

MODIFIER_LINES = {
    "$each": "Takes an array of values instead of one; `$addToSet` takes it too.",
    "$position": "Inserts before this index; a negative one counts from the end.",
    "$sort": "Orders the whole array afterwards: `1`, `-1`, or an object of paths into its elements.",
    "$slice": "Keeps so many elements in the end, the first ones, or the last where it is negative.",
}
POSITION_LINES = {
    "$": "The element that the filter beside the update matched.",
    "$[]": "Every element.",
    "$[name]": "The elements that the array filter with this name matches.",
}
FORM_LINES = {
    "Included": ("`1`, `true`", "Shows the field; of the others that are not named only `id`."),
    "Excluded": (
        "`0`, `false`",
        "Leaves the field out, and shows all that are not named. Only `id: 0` goes with fields shown.",
    ),
    "Computed": ("an expression", "Shows what the expression gives. A text without `$` is a constant, not a path."),
    "Sliced": ("`$slice`", "Shows so many elements of an array: `n`, the last where negative, or `[skip, n]`."),
    "FirstMatch": ("`$elemMatch`", "Shows the first element of an array that meets the conditions."),
    "Positional": ("`1` for `path.$`", "Shows the first element of an array that the filter matched."),
}

Rows = Mapping[str, object]


def filters() -> str:
    """Every operator of filters."""
    return families(filter_rows(), filter_examples.EXAMPLES)


def updates() -> str:
    """Every operator of updates, the modifiers of ``$push``, and what paths may hold."""
    examples = (*update_examples.EXAMPLES, *update_examples.MODIFIERS)
    modifiers = operators({name: MODIFIER_LINES[name] for name in MODIFIERS}, examples)
    positions = operators(POSITION_LINES, update_examples.POSITIONS, head="in a path")
    return "\n\n".join(
        [
            families(update_rows(), examples),
            sections([("Modifiers of $push", modifiers), ("Positions in arrays", positions)]),
        ]
    )


def expressions() -> str:
    """Every operator of expressions."""
    return families(expression_rows(), expression_examples.EXAMPLES)


def stages() -> str:
    """Every stage of pipelines."""
    return families(stage_rows(), pipeline_examples.EXAMPLES, head="stage")


def accumulators() -> str:
    """Every accumulator."""
    return families(accumulator_rows(), pipeline_examples.ACCUMULATORS, head="accumulator")


def projections() -> str:
    """Everything that a projection can say of a field."""
    kinds = [kind.__name__ for kind in get_args(projection_nodes.Leaf)]
    rows = ((*FORM_LINES[kind], cell(kind, projection_examples.EXAMPLES)) for kind in kinds)
    return table(("value", "meaning", "examples"), rows)


def filter_rows() -> dict[str, Rows]:
    """The operators of filters, by family."""
    return rows_of(FILTER_FAMILIES, filter_tables, "OPERATORS", "FORMS", "TOP_FORMS")


def update_rows() -> dict[str, Rows]:
    """The operators of updates, by family."""
    rows = rows_of(UPDATE_FAMILIES, update_table, "OPERATORS")
    return {**rows, "Fields": {**rows["Fields"], "$rename": parse_rename}}


def expression_rows() -> dict[str, Rows]:
    """The operators of expressions, by family."""
    return rows_of(EXPRESSION_FAMILIES, expression_table, "OPERATORS")


def stage_rows() -> dict[str, Rows]:
    """The stages, by family."""
    return rows_of(STAGE_FAMILIES, stage_table, "STAGES")


def accumulator_rows() -> dict[str, Rows]:
    """The accumulators, by family."""
    return rows_of(ACCUMULATOR_FAMILIES, accumulator_table, "ACCUMULATORS")


def rows_of(headings: Mapping[str, Sequence[str]], tables: Any, *members: str) -> dict[str, Rows]:
    """The rows of each family's modules; ``tables`` is the module that gathers them, ``members`` name their tables."""
    return {
        heading: {
            row.name: row
            for member in members
            for module in modules
            for row in getattr(getattr(tables, module), member, ())
        }
        for heading, modules in headings.items()
    }


def refused() -> str:
    """Every operator that is refused, by reason."""
    by_reason: dict[tuple[str, str], list[str]] = {}
    for place, rows in PLACES.items():
        for name, reason in rows.items():
            by_reason.setdefault((place, reason), []).append(f"`{name}`")
    lines = ((" ".join(sorted(names)), place, f"{reason}.") for (place, reason), names in by_reason.items())
    return table(("refused", "where", "why"), lines)


def operators_index() -> str:
    """Every operator and where it can be used."""
    places: dict[str, list[str]] = {}
    for place, page, rows in languages():
        for heading, family in rows.items():
            for name in family:
                places.setdefault(name, []).append(f"[{place}]({page}#{anchor(heading)})")
    for place, rows in PLACES.items():
        for name in rows if place not in ("variables", "options") else ():
            places.setdefault(name, []).append(f"[refused in {place}](deliberate-differences.md#refused-operators)")
    return table(("operator", "in"), ((f"`{name}`", " · ".join(places[name])) for name in sorted(places)))


def languages() -> Iterator[tuple[str, str, dict[str, Rows]]]:
    """The parts of the language: its name, its page, its families."""
    yield "filters", "filters.md", filter_rows()
    yield "updates", "updates.md", update_rows()
    yield "expressions", "expressions.md", expression_rows()
    yield "stages", "pipelines.md", stage_rows()
    yield "accumulators", "pipelines.md", accumulator_rows()


def anchor(heading: str) -> str:
    """The anchor of a heading."""
    return heading.lower().replace(" ", "-")


def families(rows: Mapping[str, Rows], examples: Sequence[Example], *, head: str = "operator") -> str:
    """A section with a table for each family."""
    return sections((heading, operators(family, examples, head=head)) for heading, family in rows.items())


def operators(rows: Rows, examples: Sequence[Example], *, head: str = "operator") -> str:
    """A table of operators in alphabetical order."""
    lines = ((f"`{name}`", line_of(rows[name]), cell(name, examples)) for name in sorted(rows))
    return table((head, "meaning", "examples"), lines)


def cell(name: str, examples: Iterable[Example]) -> str:
    """The examples of one operator."""
    return "<br>".join(example.shown() for example in examples if example.operator == name)


def line_of(row: Any) -> str:
    """The line of an operator: the first of its docstring's, and the names of its arguments."""
    if isinstance(row, str):
        return row
    functions = [row, *(getattr(row, name, None) for name in ("test", "edit", "evaluate", "compile", "parse"))]
    written = next(each.__doc__ for each in functions if inspect.isroutine(each) and each.__doc__)
    marks = [" Updates may use it."] if getattr(row, "in_updates", False) else []
    marks += [f" Arguments: {arguments_of(row)}."] if isinstance(row, NamedFunction) else []
    return "".join([written.partition("\n")[0].replace("``", "`"), *marks])


def arguments_of(row: NamedFunction) -> str:
    """The names of the arguments; those that may be left out say so."""
    return ", ".join(
        f"`{argument.name}`" if argument.absent is not None else f"`{argument.name}` (may be left out)"
        for argument in row.signature.arguments
    )


def all_rows() -> list[tuple[str, Mapping[str, object], dict[str, Rows]]]:
    """The tables of the language as it uses them, and as the reference shows them."""
    filters = {**filter_tables.OPERATORS, **filter_tables.FORMS, **filter_tables.TOP_FORMS}
    return [
        ("filters", filters, filter_rows()),
        ("updates", {**update_table.OPERATORS, "$rename": parse_rename}, update_rows()),
        ("expressions", expression_table.OPERATORS, expression_rows()),
        ("stages", stage_table.STAGES, stage_rows()),
        ("accumulators", accumulator_table.ACCUMULATORS, accumulator_rows()),
    ]


def all_examples() -> dict[str, tuple[Example, ...]]:
    """The examples of each part of the language."""
    return {
        "filters": filter_examples.EXAMPLES,
        "updates": (*update_examples.EXAMPLES, *update_examples.MODIFIERS, *update_examples.POSITIONS),
        "expressions": expression_examples.EXAMPLES,
        "stages": pipeline_examples.EXAMPLES,
        "accumulators": pipeline_examples.ACCUMULATORS,
        "projections": projection_examples.EXAMPLES,
    }


LANGUAGE_PARTS = (filters, updates, expressions, stages, accumulators, projections, refused, operators_index)
