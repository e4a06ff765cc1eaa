"""The types of documents against the schema, tables against their wire form, and differences against the registry."""

import subprocess
import sys
from types import GenericAlias
from typing import Any, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollbook.client.calls import Answer, encoded
from rollbook.client.differences import equal, json_patch
from rollbook.client.documents import Cluster
from rollbook.client.tables import table_of
from rollbook.clusters.schema import CLUSTER, Fields, Flag, Free, Kind, ListOf, Number
from rollbook.documents.json_patches import parse_json_patch, patched


def same(kind: Kind, type: Any) -> bool:
    """Whether a type says what the schema says."""
    match kind:
        case Fields(members):
            hints = get_type_hints(type)
            return list(hints) == list(members) and all(same(members[name].kind, hints[name]) for name in members)
        case ListOf(item):
            return isinstance(type, GenericAlias) and same(item, type.__args__[0])
        case Number():
            return type is float
        case Flag():
            return type is bool
        case Free():
            return type is Any
    return type is str


def test_the_typed_cluster_is_the_documented_one() -> None:
    assert same(CLUSTER, Cluster)


SERVER = ["numpy", "apsw", "starlette", "pyroaring", "pandas", "rich", "typer", "orjson", "yaml", "re2", "uvloop"]


@pytest.mark.parametrize("module", ["rollbook.client", "rollbook.compat"])
def test_importing_the_client_imports_no_part_of_the_server(module: str) -> None:
    names = "[each for each in sys.modules if '.' not in each or 'rollbook' in each]"
    code = f"import sys; from {module} import *; print({names})"
    loaded = set(eval(subprocess.check_output([sys.executable, "-c", code], text=True)))
    assert not loaded & set(SERVER)
    ours = {each for each in loaded if each.startswith("rollbook.") and not each.startswith("rollbook.client")}
    assert ours - {"rollbook.compat"} == {"rollbook.errors"}


def test_a_table_is_read_in_each_of_its_forms() -> None:
    columns = {
        "id": {"values": ["a", "b"]},
        "status": {"dictionary": [None, "live"], "codes": [1, 0]},
        "tags": {"dictionary": ["gpu", "edge"], "lengths": [2, 0], "codes": [0, 1]},
    }
    table = table_of(Answer(200, "OK", [], encoded({"revision": 7, "count": 2, "columns": columns})))
    assert list(table.rows()) == [
        {"id": "a", "status": "live", "tags": ["gpu", "edge"]},
        {"id": "b", "status": None, "tags": []},
    ]
    frame = table.to_pandas()
    assert list(frame.columns) == ["id", "status", "tags"]
    assert list(frame["status"]) == ["live", None]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text("a/~", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab/~", max_size=2), inner, max_size=3),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.text("ab/~", max_size=2), VALUES, max_size=4)


@given(OBJECTS, OBJECTS)
def test_a_difference_makes_one_document_of_the_other(before: dict[str, Any], after: dict[str, Any]) -> None:
    patch = json_patch(before, after)
    assert equal(patched(before, parse_json_patch(patch)), after)
    assert (not patch) == equal(before, after)


def test_many_differences_replace_what_holds_them() -> None:
    before, after = {"a": list(range(1000)), "b": 1}, {"a": list(range(1, 1001)), "b": 1}
    assert json_patch(before, after) == [{"op": "replace", "path": "/a", "value": after["a"]}]
