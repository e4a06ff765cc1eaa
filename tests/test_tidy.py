"""The rules of the code's layout that a machine can check, each with its reason.

One rule: a rule that is broken for a good reason is changed here, with that reason; it is never worked around.
"""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

SOURCES = Path("src/rollbook")
MODULES = sorted(path for path in SOURCES.rglob("*.py") if path.stat().st_size)
MODULE_NAMES = {
    ".".join(("rollbook", *path.relative_to(SOURCES).with_suffix("").parts)).removesuffix(".__init__"): path
    for path in MODULES
}
FOLDERS = sorted({path.parent for path in MODULES})

MODULE_LINES_MAX = 300
FUNCTION_LINES_MAX = 40
FOLDER_MODULES_MAX = 30
METHODS_MAX = 10

LONG_MODULES = {"errors.py": 440}
"""The errors are one tree, and a table reads best in one piece."""

BETTER_WORDS = {
    "told": "reported, sent or returned",
    "untold": "missing",
    "tells": "reports, sends, returns or decides",
    "whoever": "the caller, or what it is",
    "enrol": "create",
    "deaf": "not receiving",
    "soundness": "integrity",
    "strike off": "delete",
    "lone digest": "unique digest",
    "the ordinary way": "the application",
    "occurrence": "change event",
    "figures": "metrics or numbers",
}
"""Images and words with several meanings that the code once had, and the terms of the field that took their place."""

FORMER_WORDS = re.compile(rf"\b({'|'.join(BETTER_WORDS)})\b", re.IGNORECASE)
FORMER_CLASSES = frozenset(
    {"Audience", "Budget", "Effort", "Form", "Kept", "Mark", "Occurrence", "Pace", "Place", "Stored", "Told", "Work"}
)

FAMILIES = SOURCES / "language"
"""A folder of the language has a module for each family of operators that MongoDB's manual names."""

HOMELESS = {"utils", "util", "helpers", "common", "base", "core", "manager", "misc"}
"""A helper without a home is a concept without a name."""


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def functions_in(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree_of(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def name_of(path: Path) -> str:
    return str(path.relative_to(SOURCES))


def classes_in(path: Path) -> Iterator[ast.ClassDef]:
    return (node for node in ast.walk(tree_of(path)) if isinstance(node, ast.ClassDef))


def public_methods_of(node: ast.ClassDef) -> int:
    """Properties count: each is a question that the class answers."""
    methods = (each for each in node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef))
    return sum(not method.name.startswith("_") for method in methods)


def lines_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (function.end_lineno or 0) - function.lineno + 1


def layer_of(path: Path) -> str:
    """A package of the language is a layer of its own: families of operators share the words of MongoDB's manual."""
    parts = path.relative_to(SOURCES).parts
    return "/".join(parts[:-1]) if parts[0] == "language" else parts[0]


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_is_short_and_opens_with_what_it_is_for(path: Path) -> None:
    assert path.read_text().count("\n") <= LONG_MODULES.get(name_of(path), MODULE_LINES_MAX), "split it by questions"
    assert ast.get_docstring(tree_of(path)), "open it with what it is for"
    assert path.stem not in HOMELESS


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_function_fits_on_a_screen(path: Path) -> None:
    for function in functions_in(path):
        assert lines_of(function) <= FUNCTION_LINES_MAX, f"{path}:{function.lineno} {function.name}"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_class_answers_few_questions(path: Path) -> None:
    for node in classes_in(path):
        assert public_methods_of(node) <= METHODS_MAX, f"{path}:{node.lineno} {node.name}: split it by concept"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_word_that_was_given_up_comes_back(path: Path) -> None:
    found = FORMER_WORDS.search(path.read_text())
    assert found is None, f"{path}: {found[0]!r}; say {BETTER_WORDS[found[0].lower()]}"
    former = FORMER_CLASSES & {node.name for node in classes_in(path)}
    assert not former, f"{path}: each of these names meant several things"


@pytest.mark.parametrize("folder", FOLDERS, ids=name_of)
def test_a_folder_can_be_overlooked(folder: Path) -> None:
    if not folder.is_relative_to(FAMILIES):
        modules = [path for path in folder.glob("*.py") if path.stem != "__init__"]
        assert len(modules) <= FOLDER_MODULES_MAX, "split it into rooms"


def test_a_class_name_means_one_thing_in_its_layer() -> None:
    names = Counter(
        f"{layer_of(path)} {node.name}"
        for path in MODULES
        for node in tree_of(path).body
        if isinstance(node, ast.ClassDef)
    )
    assert not {name for name, count in names.items() if count > 1}


def imports_of(path: Path) -> Iterator[str]:
    """The modules of ours that a module imports at any time, those inside functions included; not for types alone."""
    for node in ast.walk(WithoutTypes().visit(ast.parse(path.read_text()))):
        if isinstance(node, ast.ImportFrom) and node.module is not None and not node.level:
            for alias in node.names:
                yield from (each for each in (f"{node.module}.{alias.name}", node.module) if each in MODULE_NAMES)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULE_NAMES)


class WithoutTypes(ast.NodeTransformer):
    """Leaves out what stands under ``if TYPE_CHECKING:``."""

    def visit_If(self, node: ast.If) -> ast.AST | None:
        return None if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING" else self.generic_visit(node)


def test_no_modules_import_each_other_in_a_circle() -> None:
    """The language is excepted: filters hold operators that hold filters, and so do its modules."""
    graph = {
        name: list(imports_of(path)) for name, path in MODULE_NAMES.items() if not name.startswith("rollbook.language")
    }
    with pytest.raises(CycleError):
        TopologicalSorter({"a": ["b"], "b": ["a"]}).prepare()
    TopologicalSorter(graph).prepare()


def test_a_long_module_still_needs_its_exception() -> None:
    long = {name for name in LONG_MODULES if (SOURCES / name).read_text().count("\n") > MODULE_LINES_MAX}
    assert long == set(LONG_MODULES)


def test_the_rules_see_the_code() -> None:
    names = Counter(function.name for path in MODULES for function in functions_in(path))
    assert len(MODULES) > 200
    assert names["parse_filter"] > 0
