"""What ``doctor`` makes of metrics and of running requests, as data."""

import re
from pathlib import Path
from typing import Any

import pytest

from rollbook.api.metrics.rows import Metric
from rollbook.cli.nouns import judging
from rollbook.cli.nouns.judging import (
    ALARMS,
    Finding,
    judge_alarms,
    judge_answers,
    judge_callers,
    judge_commits,
    judge_disk,
    judge_errors,
    judge_loop,
    judge_requests,
    judge_syncs,
)
from rollbook.cli.nouns.metering import Histogram, parse_metrics


def histogram(name: str, *, fast: int, slow: int, labels: str = "") -> str:
    """A histogram with values of at most 10 ms, and values of between 0.25 and 1 s."""
    counts = {"0.01": fast, "0.25": fast, "1.0": fast + slow, "+Inf": fast + slow}
    lines = [f'{name}_bucket{{le="{bound}"{labels}}} {count}' for bound, count in counts.items()]
    return "\n".join([*lines, f"{name}_count{{{labels.removeprefix(',')}}} {fast + slow}"]) + "\n"


HTTP = "rollbook_http_request_duration_seconds"
QUERIES, READS = ',method="POST",route="/clusters/query"', ',method="GET",route="/clusters/{id}"'


@pytest.mark.parametrize(
    ("judge", "text", "result", "words"),
    [
        (judge_answers, "", "ok", "no requests yet"),
        (
            judge_answers,
            histogram(HTTP, fast=100, slow=0, labels=READS),
            "ok",
            "p50 5.0 ms, p99 9.9 ms of 100 requests",
        ),
        (
            judge_answers,
            histogram(HTTP, fast=10_000, slow=0, labels=READS) + histogram(HTTP, fast=0, slow=4, labels=QUERIES),
            "note",
            "slow: POST /clusters/query 992.5 ms",
        ),
        (judge_commits, histogram("rollbook_commit_duration_seconds", fast=99, slow=1), "ok", "p99 10.0 ms"),
        (judge_commits, histogram("rollbook_commit_duration_seconds", fast=0, slow=1), "note", "p99 992.5 ms"),
        (judge_syncs, "", "ok", "no syncs yet"),
        (judge_syncs, histogram("rollbook_journal_sync_duration_seconds", fast=0, slow=1), "note", "the disk is slow"),
        (judge_loop, histogram("rollbook_event_loop_lateness_seconds", fast=9, slow=1), "note", "more to do"),
        (judge_disk, "", "ok", "in no directory of the server"),
        (judge_disk, "rollbook_journal_free_bytes 1e9\nrollbook_journal_data_bytes 5e8", "ok", "1.00 GB free"),
        (judge_disk, "rollbook_journal_free_bytes 999999999", "bad", "make room"),
        (judge_errors, 'rollbook_http_requests_total{route="/a",status="2xx"} 5', "ok", "none of 5 requests"),
        (judge_errors, 'rollbook_http_requests_total{route="/a",status="5xx"} 1', "note", "1 of 1 requests"),
        (judge_callers, 'rollbook_caller_requests_total{caller="a",verb="read"} 3', "ok", "a sent 100% of 3 requests"),
        (judge_alarms, "rollbook_journal_writable 1\nrollbook_clock_doubted 0", "ok", "none"),
        (judge_alarms, "rollbook_clock_doubted 1", "note", "the system's clock jumped ahead"),
        (judge_alarms, "rollbook_clock_doubted 1\nrollbook_journal_writable 0", "bad", "writes are refused"),
        (judge_alarms, 'rollbook_silences_held{cause="mass-silence"} 1', "bad", "mass-silence"),
        (judge_alarms, 'rollbook_silences_held{cause="started"} 1', "note", "started"),
    ],
)
def test_metrics_are_judged(judge: Any, text: str, result: str, words: str) -> None:
    found: Finding = judge(parse_metrics(text))
    assert (found[0], words in found[1]) == (result, True), found


def running(operation: str, milliseconds: float) -> dict[str, Any]:
    return {"operation": operation, "milliseconds": milliseconds, "caller": "a"}


@pytest.mark.parametrize(
    ("requests", "finding"),
    [
        ([], ("ok", "0 running, none for long; 0 watches")),
        ([running("watchClusters", 1e9), running("queryClusters", 999)], ("ok", "1 running, none for long; 1 watches")),
        (
            [running("queryClusters", 1_000), running("readCluster", 1)],
            ("note", "1 of 2 take long: queryClusters of a for 1.0 s; see rollbook api GET /debug/requests"),
        ),
        (
            [running("queryClusters", 10_000)],
            ("bad", "1 of 1 take long: queryClusters of a for 10.0 s; see rollbook api GET /debug/requests"),
        ),
    ],
)
def test_running_requests_are_judged(requests: list[dict[str, Any]], finding: Finding) -> None:
    assert judge_requests(requests) == finding


def test_quantiles_are_those_of_prometheus() -> None:
    taken = Histogram((1.0, 2.0, 4.0, float("inf")), (0, 10, 20, 20))
    assert [taken.quantile(share) for share in (0.25, 0.5, 0.75, 1.0)] == [1.5, 2.0, 3.0, 4.0]
    assert Histogram((1.0, float("inf")), (0, 5)).quantile(0.99) == 1.0
    assert Histogram((), ()).quantile(0.99) == 0.0


def test_what_was_counted_since_is_the_difference_and_gauges_stay() -> None:
    first = parse_metrics('a_total{b="c"} 5\nd 7')
    second = parse_metrics('a_total{b="c"} 9\na_total{b="new"} 1\nd 8')
    since = second.since(first)
    assert (since.by("b", "a_total"), since.value("d")) == ({"c": 4.0, "new": 1.0}, 8.0)


def test_labels_may_hold_any_character() -> None:
    metrics = parse_metrics('# HELP a b\na{b="{x} \\"y\\", z=\\\\"} 2\nnot a sample at all')
    assert metrics.by("b", "a") == {'{x} \\"y\\", z=\\\\': 2.0}
    assert metrics.value("nothing") is None


def test_every_alarm_is_about_a_metric_that_there_is() -> None:
    from rollbook.api.metrics.scraping import METRICS

    names = {each.name for each in METRICS if isinstance(each, Metric)}
    assert {name for _, name, _, _ in ALARMS} <= names


def test_every_metric_that_is_judged_is_one_that_there_is() -> None:
    from rollbook.api.metrics.scraping import METRICS

    read = set(re.findall(r"rollbook_\w+", Path(judging.__file__).read_text()))
    assert read
    assert read <= {each.name for each in METRICS}
