"""Files of MongoDB's tools come in and go back out: extended JSON, BSON and archives, packed and not, and damaged."""

import datetime
import gzip
import json
import math
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import bson
import pytest
import zstandard
from bson import json_util
from bson.binary import Binary
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from bson.json_util import JSONMode
from bson.min_key import MinKey
from bson.objectid import ObjectId
from hypothesis import given
from hypothesis import strategies as st

from rollbook.cli.mongodb.extended_json import extended_of, json_of_extended
from rollbook.cli.mongodb.values import Notes, decode_bson, digest_of, digest_of_all, encode_bson
from rollbook.limits import DEFAULT_LIMITS
from tests.cli.conftest import Rollbook
from tests.cli.mongodb_dumps import archive, bson_file, extended, original
from tests.examples import cluster
from tests.serving import ServerProcess

DOCUMENTS = [original("west"), original("east", nodes={"count": 0, "nodeData": []}), original("nord", tags=["Ü"])]
LINES = "\n".join(extended(each, JSONMode.RELAXED) for each in DOCUMENTS).encode()

FILES = {
    "relaxed.json": LINES,
    "canonical.json": "\n".join(extended(each, JSONMode.CANONICAL) for each in DOCUMENTS).encode(),
    "version1.json": "\n".join(extended(each, JSONMode.LEGACY) for each in DOCUMENTS).encode(),
    "array.json": b"[" + LINES.replace(b"\n", b",\n") + b"]",
    "pretty.json": json.dumps(json.loads("[" + LINES.decode().replace("\n", ",") + "]"), indent=2).encode(),
    "lines.json.gz": gzip.compress(LINES),
    "named-otherwise": gzip.compress(LINES),
    "clusters.bson": bson_file(DOCUMENTS),
    "clusters.bson.gz": gzip.compress(bson_file(DOCUMENTS)),
    "clusters.bson.zst": zstandard.compress(bson_file(DOCUMENTS)),
    "dump.archive": archive({("blocks", "blocks"): [{"_id": 1}], ("blocks", "clusters"): DOCUMENTS}),
    "dump.archive.gz": gzip.compress(archive({("blocks", "clusters"): DOCUMENTS})),
}


def exported(rollbook: Rollbook, *place: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in rollbook("export", *place).out.splitlines()]


def as_json(document: dict[str, Any]) -> dict[str, Any]:
    return {**document, "_id": str(document["_id"])}


@pytest.mark.parametrize("name", FILES)
def test_every_form_of_file_brings_the_same_documents(rollbook, home: Path, name: str) -> None:
    (home / name).write_bytes(FILES[name])
    ran = rollbook("import", "--data", "kept", "--from", name)
    assert (ran.code, ran.out) == (0, "")
    assert ran.err.startswith("3 imported, 0 there already, 0 refused\n")
    stored = exported(rollbook, "--data", "kept")
    assert [{**each, **as_json(given)} for each, given in zip(stored, DOCUMENTS, strict=True)] == stored
    whole = digest_of_all({each["id"]: digest_of(each) for each in stored})
    assert ran.err.endswith(f"verified: the registry has 3 documents as they were read, SHA-256 {whole}\n")


def test_the_report_says_what_the_documented_schema_would_ask(rollbook, home: Path) -> None:
    (home / "dump.bson").write_bytes(bson_file([*DOCUMENTS, cluster("whole")]))
    ran = rollbook("import", "--data", "kept", "--from", "dump.bson")
    lines = ran.err.splitlines()
    assert lines[1] == "3 documents kept as they are, though the documented schema would ask for more:"
    assert any(
        "clusterMetadata.owner is missing" in line and "3 documents, the first is west" in line for line in lines
    )
    assert any(line.startswith("  nodes.nodeData.0.memory is missing") and ": 2 documents" in line for line in lines)
    (undocumented,) = [line for line in lines if line.startswith("fields that no schema documents")]
    assert "clusterMetadata.vendor" in undocumented
    assert "_id" not in undocumented


def test_a_directory_of_mongodump_is_searched(rollbook, home: Path) -> None:
    (home / "dump" / "blocks").mkdir(parents=True)
    (home / "dump" / "blocks" / "clusters.bson").write_bytes(bson_file(DOCUMENTS))
    (home / "dump" / "blocks" / "blocks.bson").write_bytes(bson_file([]))
    assert rollbook("import", "--data", "kept", "--from", "dump").err.startswith("3 imported")
    (home / "dump" / "other").mkdir()
    (home / "dump" / "other" / "clusters.bson").write_bytes(bson_file(DOCUMENTS[:1]))
    ran = rollbook("import", "--data", "kept", "--from", "dump")
    assert (ran.code, "blocks/clusters.bson, other/clusters.bson" in ran.err) == (2, True)
    assert "1 there already" in rollbook("import", "--data", "kept", "--from", "dump", "--database", "other").err
    ran = rollbook("import", "--data", "kept", "--from", "dump", "--collection", "fleet")
    assert (ran.code, "has no fleet.bson; it has blocks/blocks.bson" in ran.err) == (2, True)


def test_an_archive_with_several_collections_asks_which(rollbook, home: Path) -> None:
    several = {("blocks", "clusters"): DOCUMENTS, ("old", "clusters"): DOCUMENTS[:1], ("old", "fleet"): DOCUMENTS[1:]}
    (home / "dump.archive").write_bytes(archive(several))
    ran = rollbook("import", "--data", "kept", "--from", "dump.archive")
    assert (ran.code, "in each of blocks, old: name one with --database" in ran.err) == (2, True)
    ran = rollbook("import", "--data", "kept", "--from", "dump.archive", "--database", "old", "--collection", "fleet")
    assert ran.err.startswith("2 imported")
    ran = rollbook("import", "--data", "kept", "--from", "dump.archive", "--collection", "x")
    assert (
        ran.code,
        "has no collection x; those that it has: blocks.clusters, old.clusters, old.fleet" in ran.err,
    ) == (
        2,
        True,
    )


def test_types_that_json_lacks_become_strings_and_numbers_and_are_counted(rollbook, home: Path) -> None:
    when = datetime.datetime(2024, 5, 1, 12, 30, tzinfo=datetime.UTC)
    document = original(
        "west",
        memory=Int64(2**40),
        reputation=Decimal128("4.5"),
        config={"since": when, "key": Binary(b"\x00\x01"), "owner": ObjectId(b"x" * 12), "none": None},
    )
    for name, content in {
        "a.bson": bson_file([document]),
        "b.json": extended(document, JSONMode.CANONICAL).encode(),
        "c.json": extended(document, JSONMode.LEGACY).encode(),
    }.items():
        (home / name).write_bytes(content)
        ran = rollbook("import", "--data", name[0], "--from", name)
        assert "warning: JSON has no type date: 1 value became strings or numbers" in ran.err
        (stored,) = exported(rollbook, "--data", name[0])
        assert (stored["memory"], stored["reputation"]) == (2**40, 4.5)
        assert stored["config"]["since"] == "2024-05-01T12:30:00.000Z"
        assert (stored["config"]["key"], stored["config"]["owner"]) == ("AAE=", (b"x" * 12).hex())


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        (original("west", reputation=math.nan), "reputation is nan, which JSON has no number for (at /reputation)"),
        (original("west", config={"f": MinKey()}), "config.f is a MinKey"),
        (original("west", memory="lots"), '"lots"'),
        (original("a b"), "[id-refused]"),
        ({"_id": 1, "regionId": "x"}, "id is missing"),
    ],
)
def test_a_document_that_can_not_be_kept_is_reported_and_the_others_go_on(
    rollbook, home: Path, document: dict[str, Any], problem: str
) -> None:
    (home / "dump.bson").write_bytes(bson_file([original("first"), document, original("last")]))
    ran = rollbook("import", "--data", "kept", "--from", "dump.bson")
    assert ran.code == 1
    assert ran.err.startswith("document 2: ")
    assert problem in ran.err.splitlines()[0] + ran.err.splitlines()[1]
    assert [each["id"] for each in exported(rollbook, "--data", "kept")] == ["first", "last"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (bson_file(DOCUMENTS)[:-7], "ends too early: document 3 is not whole"),
        (bson_file(DOCUMENTS) + b"\x05\x00", "ends too early: document 4 is not whole"),
        (bson_file(DOCUMENTS) + b"\xff\xff\xff\x7f\x00", "is damaged: document 4 can't be 2147483647 bytes long"),
        (gzip.compress(bson_file(DOCUMENTS))[:-12], "is damaged or ends too early"),
        (archive({("x", "clusters"): DOCUMENTS})[:-30], "ends too early: the header of a block is not whole"),
    ],
)
def test_what_is_whole_of_a_file_that_ends_too_early_is_kept_and_the_rest_comes_later(
    rollbook, home: Path, content: bytes, message: str
) -> None:
    (home / "dump").write_bytes(content)
    ran = rollbook("import", "--data", "kept", "--from", "dump")
    assert (ran.code, message in ran.err) == (1, True), ran.err
    kept = len(exported(rollbook, "--data", "kept"))
    (home / "dump").write_bytes(bson_file(DOCUMENTS))
    ran = rollbook("import", "--data", "kept", "--from", "dump")
    assert ran.err.startswith(f"{3 - kept} imported, {kept} there already, 0 refused\n")


@pytest.mark.parametrize("content", [b"id,regionId\nwest,eu\n", b"PK\x03\x04 a zip file", b"{", b"\x00" * 64])
def test_what_is_no_dump_is_refused_in_words(rollbook, home: Path, content: bytes) -> None:
    (home / "other").write_bytes(content)
    ran = rollbook("import", "--data", "kept", "--from", "other")
    assert (ran.code, ran.out) == (1, "")
    assert "other is neither extended JSON nor BSON nor an archive of mongodump" in ran.err


def test_a_document_that_is_there_already_is_left_and_another_one_is_not_written_over(rollbook, home: Path) -> None:
    (home / "dump.bson").write_bytes(bson_file(DOCUMENTS))
    rollbook("import", "--data", "kept", "--from", "dump.bson")
    (home / "new.bson").write_bytes(bson_file([original("west", memory=2), *DOCUMENTS[1:], original("new")]))
    ran = rollbook("import", "--data", "kept", "--from", "new.bson")
    assert (ran.code, "document 1: another document has the id 'west'" in ran.err) == (1, True)
    assert "1 imported, 2 there already, 1 refused" in ran.err
    assert exported(rollbook, "--data", "kept")[0]["memory"] == 1024
    assert rollbook("import", "--data", "kept", "--from", "new.bson", "--replace").code == 0
    assert {each["id"]: each["memory"] for each in exported(rollbook, "--data", "kept")}["west"] == 2


def test_an_id_that_stands_twice_is_refused(rollbook, home: Path) -> None:
    (home / "dump.bson").write_bytes(bson_file([original("west"), original("west", memory=2)]))
    ran = rollbook("import", "--data", "kept", "--from", "dump.bson")
    assert (ran.code, "document 2: an earlier document has the id 'west' too" in ran.err) == (1, True)


def test_a_server_takes_them_in_too(rollbook, home: Path) -> None:
    (home / "dump.bson").write_bytes(bson_file(DOCUMENTS))
    with ServerProcess(home / "served", environment={"ROLLBOOK_SCHEMA": "lenient"}) as server:
        ran = rollbook("import", "--url", server.url, "--from", "dump.bson")
        assert (ran.code, ran.err.startswith("3 imported")) == (0, True)
        assert "2 there already" in rollbook("import", "--url", server.url, "--from", "dump.bson").err.replace("3", "2")
        assert rollbook("export", "--url", server.url, "--to", "back.bson").code == 0
    assert {each["id"] for each in bson.decode_all((home / "back.bson").read_bytes())} == {"west", "east", "nord"}


def test_a_strict_server_refuses_sparse_documents_and_the_way_out_is_named(rollbook, home: Path, server) -> None:
    (home / "dump.bson").write_bytes(bson_file([*DOCUMENTS, cluster("whole")]))
    ran = rollbook("import", "--url", server.url, "--from", "dump.bson")
    assert (ran.code, "1 imported, 0 there already, 3 refused" in ran.err) == (1, True)
    assert "ROLLBOOK_SCHEMA=lenient" in ran.err


@pytest.mark.parametrize(
    ("name", "more"),
    [("back.json", []), ("back.json.gz", ["--canonical"]), ("back.bson", []), ("back.bson.gz", []), ("back.zst", [])],
)
def test_what_is_exported_equals_what_came(rollbook, home: Path, name: str, more: list[str]) -> None:
    (home / "dump.bson").write_bytes(bson_file(DOCUMENTS))
    first = rollbook("import", "--data", "kept", "--from", "dump.bson").err.splitlines()[-1]
    ran = rollbook("export", "--data", "kept", "--to", name, *more)
    assert (ran.code, ran.out) == (0, "")
    assert ran.err.startswith(
        "3 exported, 0 there already, 0 refused\nverified: " + name + " has 3 documents as in the registry"
    )
    assert ran.err.split()[-1] == first.split()[-1]
    assert not list(home.glob("part-*"))
    again = rollbook("import", "--data", "copy", "--from", name)
    assert (again.code, again.err.splitlines()[-1]) == (0, first)
    assert exported(rollbook, "--data", "copy") == exported(rollbook, "--data", "kept")


def test_object_ids_go_back_as_they_came_and_documents_without_one_get_one(rollbook, home: Path) -> None:
    (home / "dump.bson").write_bytes(bson_file(DOCUMENTS[:1]))
    (home / "whole.json").write_text(json.dumps(cluster("whole")))
    rollbook("import", "--data", "kept", "--from", "dump.bson")
    rollbook("import", "--data", "kept", "whole.json")
    for name in ("a.bson", "b.bson"):
        rollbook("export", "--data", "kept", "--to", name)
    came, made = bson.decode_all((home / "a.bson").read_bytes())
    assert came["_id"] == DOCUMENTS[0]["_id"]
    assert (type(made["_id"]), made["__v"]) == (ObjectId, 0)
    assert (home / "a.bson").read_bytes() == (home / "b.bson").read_bytes()


def test_a_number_that_mongodb_has_no_room_for_is_reported(rollbook, home: Path) -> None:
    (home / "whole.json").write_text(json.dumps([cluster("large", memory=2**64 - 1), cluster("small")]))
    rollbook("import", "--data", "kept", "whole.json")
    ran = rollbook("export", "--data", "kept", "--to", "back.bson")
    assert (ran.code, ran.err.startswith("large: the document can't be BSON")) == (1, True)
    assert [each["id"] for each in bson.decode_all((home / "back.bson").read_bytes())] == ["small"]


def test_an_export_that_can_not_be_written_leaves_what_was_there(rollbook, home: Path) -> None:
    (home / "dump.bson").write_bytes(bson_file(DOCUMENTS))
    rollbook("import", "--data", "kept", "--from", "dump.bson")
    before = (home / "dump.bson").read_bytes()
    assert rollbook("export", "--data", "missing", "--to", "dump.bson").code == 2
    assert rollbook("export", "--data", "kept", "--to", "nowhere/dump.bson").code == 2
    assert (home / "dump.bson").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["import"], 2, "name a file, or a source with --from"),
        (["import", "x.json", "--from", "y.json"], 2, "name a file, or a source with --from"),
        (["import", "--from", "nowhere.bson"], 2, "can't read nowhere.bson: No such file"),
        (["import", "--from", "mongodb://"], 2, "no connection string of MongoDB"),
        (
            ["import", "--from", "mongodb://me:secret@127.0.0.1:1/x?serverSelectionTimeoutMS=100"],
            5,
            "no MongoDB answers at 127.0.0.1:1",
        ),
        (["import", "--from", "mongodb://127.0.0.1:1/x?serverSelectionTimeoutMS=soon"], 2, "no connection string"),
        (["export", "--data", "DATA", "--to", "-"], 2, "--to names a file or a MongoDB"),
        (["export", "--to", "x.bson", "--output", "y.json"], 2, "--output and --to exclude each other"),
    ],
)
def test_what_can_not_be_is_said_in_words(
    rollbook, home: Path, arguments: list[str], code: int, message: str, recwarn: pytest.WarningsRecorder
) -> None:
    (home / "empty.json").write_text("[]")
    rollbook("import", "--data", "DATA", "empty.json")
    ran = rollbook(*arguments)
    assert (ran.code, ran.out) == (code, "")
    assert message in ran.err
    assert "secret" not in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize("name", ["relaxed.json", "clusters.bson.gz", "dump.archive.gz"])
def test_standard_input_may_be_any_of_them(home: Path, name: str) -> None:
    command = [sys.executable, "-m", "rollbook", "import", "--data", "kept", "--from", "-"]
    done = subprocess.run(command, input=FILES[name], capture_output=True, check=False)
    assert (done.returncode, done.stderr.startswith(b"3 imported, 0 there already, 0 refused")) == (0, True)


def test_an_import_from_a_pipe_that_is_stopped_goes_on(home: Path) -> None:
    os.mkfifo(home / "pipe")
    command = [sys.executable, "-m", "rollbook", "import", "--data", "kept", "--from", "pipe"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as importing:
        with (home / "pipe").open("wb") as pipe:
            pipe.write(bson_file(DOCUMENTS[:2]))
            pipe.flush()
            while not (home / "kept" / "rollbook.sqlite3").exists():
                assert importing.poll() is None
            importing.send_signal(signal.SIGTERM)
            assert importing.wait(20) == 130
        assert importing.stderr is not None
        assert "run the command again to go on" in importing.stderr.read()
    (home / "dump.bson").write_bytes(bson_file(DOCUMENTS))
    assert subprocess.run([*command[:-1], "dump.bson"], check=False).returncode == 0


TEXT = st.text('aé\u2028\U0001f600\0"', max_size=4)
SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | TEXT
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
KEYS = st.text("aé._", max_size=3)
JSON = st.recursive(
    SCALARS | NUMBERS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from("abc"), JSON))
def test_every_document_of_the_registry_survives_the_way_out_and_back(document: dict[str, Any]) -> None:
    there = {"_id": "0" * 24, "id": "west", **document, "__v": 0}
    assert decode_bson(encode_bson(there), limits=DEFAULT_LIMITS, notes=Notes()) == there
    for canonical in (False, True):
        line = json.loads(extended_of(there, canonical=canonical))
        assert json_of_extended(line, limits=DEFAULT_LIMITS, notes=Notes()) == there
        assert json_util.loads(extended_of(there, canonical=canonical).decode())["id"] == "west"
