"""The audit log: a chain over lines that survives a crash and shows a change."""

from pathlib import Path

from rollbook.security.audit import FILE_NAME, AuditLog, problems_in_audit

AT = "2026-01-31T12:00:00.000Z"


def logged(directory: Path, *events: str, **options) -> None:
    log = AuditLog(directory, **options)
    for event in events:
        log.append(AT, "token:ci", event, path="/clusters")
    log.close()


def test_entries_are_read_in_order_across_restarts(tmp_path):
    logged(tmp_path, "a", "b")
    logged(tmp_path, "c")
    log = AuditLog(tmp_path)
    assert [(entry["seq"], entry["event"]) for entry in log.entries()] == [(1, "a"), (2, "b"), (3, "c")]
    assert [entry["event"] for entry in log.entries(since=2)] == ["c"]
    assert problems_in_audit(tmp_path) == []
    assert (tmp_path / FILE_NAME).stat().st_mode & 0o777 == 0o600


def test_a_changed_line_breaks_the_chain(tmp_path):
    logged(tmp_path, "a", "b", "c")
    path = tmp_path / FILE_NAME
    path.write_bytes(path.read_bytes().replace(b'"event":"b"', b'"event":"x"'))
    (problem,) = problems_in_audit(tmp_path)
    assert "line 3" in problem


def test_a_removed_line_breaks_the_chain(tmp_path):
    logged(tmp_path, "a", "b", "c")
    path = tmp_path / FILE_NAME
    first, _, last = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first + last)
    assert len(problems_in_audit(tmp_path)) == 1


def test_a_line_torn_by_a_crash_is_cut_off(tmp_path):
    logged(tmp_path, "a", "b")
    path = tmp_path / FILE_NAME
    path.write_bytes(path.read_bytes()[:-20])
    logged(tmp_path, "c")
    assert problems_in_audit(tmp_path) == []
    assert [entry["event"] for entry in AuditLog(tmp_path).entries()] == ["a", "c"]


def test_full_files_are_rotated_and_the_oldest_go(tmp_path):
    logged(tmp_path, *"abcdefgh", file_bytes_max=300, files_kept=2)
    logged(tmp_path, "i", file_bytes_max=300, files_kept=2)
    entries = list(AuditLog(tmp_path).entries())
    assert entries[-1]["seq"] == 9
    assert 2 <= len(entries) < 9
    assert len(list(tmp_path.glob("audit.0*.ndjson"))) == 2
    assert problems_in_audit(tmp_path) == []
