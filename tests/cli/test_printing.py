"""Cells and tables, apart from any server."""

import io
import json
import os
from pathlib import Path

import pytest

from rollbook.cli.nouns.aligning import as_table, painted
from rollbook.cli.nouns.printing import FORMATS, Columns, age_of, as_json, at_path, parse_format, shown

NOW = 1_800_000_000.0  # 2027-01-15T08:00:00Z


@pytest.mark.parametrize(
    ("time", "age"),
    [
        ("2027-01-15T08:00:00Z", "0s"),
        ("2027-01-15T07:58:30.5Z", "89s"),
        ("2027-01-15T07:58:00Z", "2m"),
        ("2027-01-15T06:00:01Z", "119m"),
        ("2027-01-14T08:00:00Z", "24h"),
        ("2027-01-01T08:00:00Z", "14d"),
        ("2027-01-15T11:00:00Z", "in 3h"),
        ("2027-02-30T11:00:00Z", None),
        ("yesterday", None),
        (5, None),
    ],
)
def test_a_time_is_shown_as_its_age(time: object, age: str | None) -> None:
    assert age_of(time, NOW) == age


def test_what_is_no_time_is_shown_as_it_is_but_printable_and_short() -> None:
    assert shown("\x1b[31mred") == r"\x1b[31mred"
    assert shown("x" * 100) == "x" * 59 + "…"
    assert shown(["a", 1, None]) == "a,1,"
    assert shown({"a": 1}) == '{"a": 1}'


def test_numbers_stand_to_the_right() -> None:
    assert as_table(["ID", "N"], [["a", "5"], ["b", "10"]]) == ["ID   N", "a    5", "b   10"]


def test_tables_are_as_wide_as_the_terminal_and_ids_stay_whole() -> None:
    rows = [["cluster-" + "x" * 20, "y" * 50, "z" * 30, "7"]]
    table = as_table(["ID", "TAGS", "MODEL", "N"], rows, columns=80)
    assert [len(line) for line in table] == [80, 80]
    assert table[1].startswith(rows[0][0])
    assert table[1].endswith("…  7")


def test_columns_that_do_not_fit_are_left_out_from_the_right_and_the_headings_say_so() -> None:
    row = ["x" * 60, "y" * 20, "12345", "z" * 9]
    assert as_table(["ID", "TAGS", "N", "MODEL"], [row], columns=80) == [
        f"{'ID':62}{'TAGS':8}      N …",
        f"{row[0]}  yyyyyyy…  12345",
    ]
    assert as_table(["ID", "TAGS"], [["x" * 90, "y"]], columns=80) == [f"{'ID'} …", "x" * 90]
    assert as_table(["ID", "N"], [["a", "5"]], columns=1) == ["ID …", "a"]


def test_what_is_well_and_what_is_not_has_a_colour_but_no_name_has() -> None:
    table = as_table(["ID", "STATUS", "TAGS"], [["live", "live", "a"], ["b", "unreachable", "silent night"]])
    assert list(painted(table))[1:] == [
        "live  \x1b[32mlive\x1b[0m         a",
        "b     \x1b[31munreachable\x1b[0m  silent night",
    ]


def test_paths_lead_into_arrays_and_rows_have_paths_as_names() -> None:
    document = {"nodes": [{"gpus": ["a", "b"]}, {"gpus": ["b"]}]}
    assert at_path(document, "nodes.gpus") == ["a", "b"]
    assert at_path({"gpus.count": 3}, "gpus.count") == 3
    assert at_path({"a": 1}, "a.b") is None


def test_names_are_whole(capsys: pytest.CaptureFixture[str]) -> None:
    for id in ("x" * 100, "2027-01-15T08:00:00Z"):
        parse_format("name").many([{"id": id}], Columns(("id",)))
        assert capsys.readouterr().out == f"{id}\n"


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("format", FORMATS)
def test_nothing_that_a_terminal_obeys_is_written_to_one(format: str, monkeypatch: pytest.MonkeyPatch) -> None:
    evil = "\x1b[31m\x9b\u202e\x07\t\U000e0001"
    monkeypatch.setattr("sys.stdout", terminal := Terminal())
    parse_format(format).many([{"id": evil}], Columns(("id",)))
    assert all(each.isprintable() for each in terminal.getvalue().splitlines())
    if format in ("json", "jsonl"):
        found = json.loads(terminal.getvalue())
        assert (found[0] if format == "json" else found)["id"] == evil


GOLDEN = Path(__file__).parent.parent / "data" / "printed"
FLEET = [
    {"id": "west-1", "gpus": {"count": 16}, "tags": ["gpu", "a,b"], "nodes": [{"model": "A100"}, {"model": "H100"}]},
    {"id": "ost-ü\x1b[31m", "gpus": {"count": 4.5}, "tags": [], "note": 'says "x"\nand more', "odd": {"a": None}},
    {"id": "long", "tags": ["x" * 80], "note": True},
]
SHOWN = Columns(("id", "gpus.count", "tags", "nodes.model"), ("note", "odd"))


@pytest.mark.parametrize("kind", ["many", "one", "another"])
@pytest.mark.parametrize("format", [*FORMATS, "columns=note,id"])
def test_what_is_printed_is_what_is_in_the_golden_files(
    capsys: pytest.CaptureFixture[str], kind: str, format: str
) -> None:
    """``ROLLBOOK_GOLDEN=write`` writes the files, to be looked at before they are committed."""
    printer, golden = parse_format(format), GOLDEN / f"{kind}-{format.replace('=', '-')}.txt"
    if kind == "many":
        printer.many(FLEET, SHOWN)
    for document in FLEET if kind != "many" else ():
        (printer.one if kind == "one" else printer.another)(document, SHOWN)
    printed = capsys.readouterr().out
    if os.environ.get("ROLLBOOK_GOLDEN") == "write":
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(printed)
    assert printed == golden.read_text()


@pytest.mark.parametrize(
    "value",
    [
        [],
        {},
        [[]],
        {"a": [], "b": {}, "c": [{"d": [1, -0.0, 1e300, 10**30, True, None]}]},
        'é\n"\\/',
        "\ud800",
        float("inf"),
    ],
)
def test_json_is_indented_as_the_standard_library_does(value: object) -> None:
    assert as_json(value) == json.dumps(value, indent=2, ensure_ascii=False)
