"""What ``doctor`` makes of a server's metrics and of the requests that it is answering.

One rule: a limit here is the one of the alert in ``deploy/monitoring/rules.yaml`` where there is one. ``note`` is what
somebody should look at; ``bad``, what keeps the registry from doing its work, or soon will.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from rollbook.cli.nouns.metering import Histogram, Metrics

Finding: TypeAlias = tuple[str, str]
"""``ok``, ``note`` or ``bad``, and what was found."""

SHARE = 0.99
ANSWER_SECONDS, COMMIT_SECONDS, SYNC_SECONDS, LOOP_SECONDS = 0.25, 0.5, 0.5, 0.05
"""From when on the 99th percentile of requests, commits, syncs and event-loop lag is worth a note."""
FREE_BYTES_MIN = 1e9
SLOW_MS, LONG_MS = 1_000.0, 10_000.0
"""From when on a request that is running is slow, and from when on it hangs."""
WATCHES = frozenset({"watchClusters", "watchClustersByBody"})
SHOWN_MAX = 3

HTTP_SECONDS = "rollbook_http_request_duration_seconds"

ALARMS: tuple[tuple[str, str, Callable[[float], bool], str], ...] = (
    ("bad", "rollbook_journal_writable", lambda value: value == 0, "writes are refused"),
    ("bad", "rollbook_history_compaction_failing", lambda value: value > 0, "the oldest changes can't be deleted"),
    ("bad", "rollbook_security_file_refused", lambda value: value > 0, "the security file is wrong and not in force"),
    ("note", "rollbook_clock_doubted", lambda value: value > 0, "the system's clock jumped ahead"),
    ("note", "rollbook_commit_failures_total", lambda value: value > 0, "batches were refused by the disk"),
    ("note", "rollbook_task_restarts_total", lambda value: value > 0, "background tasks failed and were restarted"),
    ("note", "rollbook_watch_overflows_total", lambda value: value > 10, "watches were ended: their readers are slow"),
    ("note", "rollbook_webhook_dead_letters", lambda value: value > 0, "webhook messages were given up"),
    ("note", "rollbook_webhook_lag_changes", lambda value: value > 1000, "a webhook is this many changes behind"),
    ("note", "rollbook_index_snapshot_failures_total", lambda value: value > 0, "index snapshots were not written"),
)
"""What is wrong where a metric is so."""


def judge_requests(running: Sequence[dict[str, Any]]) -> Finding:
    """The requests that ``GET /debug/requests`` lists, but for watches, which are meant to last."""
    others = [each for each in running if each["operation"] not in WATCHES]
    slow = sorted((each for each in others if each["milliseconds"] >= SLOW_MS), key=lambda each: -each["milliseconds"])
    if not slow:
        return "ok", f"{len(others)} running, none for long; {len(running) - len(others)} watches"
    names = ", ".join(
        f"{each['operation']} of {each['caller']} for {each['milliseconds'] / 1000:.1f} s" for each in slow[:SHOWN_MAX]
    )
    result = "bad" if slow[0]["milliseconds"] >= LONG_MS else "note"
    return result, f"{len(slow)} of {len(others)} take long: {names}; see rollbook api GET /debug/requests"


def judge_answers(metrics: Metrics) -> Finding:
    """How long requests took until their answers began."""
    routes = {
        f"{method} {route}": metrics.histogram(HTTP_SECONDS, route=route, method=method)
        for route in metrics.by("route", f"{HTTP_SECONDS}_count")
        for method in metrics.by("method", f"{HTTP_SECONDS}_count", route=route)
    }
    slowest = sorted(routes, key=lambda name: -routes[name].quantile(SHARE))
    slow = [name for name in slowest if routes[name].quantile(SHARE) > ANSWER_SECONDS]
    found = _quantile("requests", metrics.histogram(HTTP_SECONDS))
    if not slow:
        return "ok", found
    names = ", ".join(f"{name} {_seconds(routes[name].quantile(SHARE))}" for name in slow[:SHOWN_MAX])
    return "note", f"{found}; slow: {names}; ROLLBOOK_SLOW_MS logs each slow request with its plan"


def judge_errors(metrics: Metrics) -> Finding:
    """The requests that failed by no fault of their callers."""
    failed = metrics.by("route", "rollbook_http_requests_total", status="5xx")
    every = metrics.value("rollbook_http_requests_total") or 0.0
    worst = sorted((route for route, count in failed.items() if count), key=lambda route: -failed[route])
    if not worst:
        return "ok", f"none of {every:.0f} requests was answered with 5xx"
    names = ", ".join(f"{route} {failed[route]:.0f}" for route in worst[:SHOWN_MAX])
    return "note", f"{sum(failed.values()):.0f} of {every:.0f} requests were answered with 5xx: {names}; see the log"


def judge_commits(metrics: Metrics) -> Finding:
    """How long batches took from their first decision until they were visible, and how large they are."""
    taken, sizes = metrics.histogram("rollbook_commit_duration_seconds"), "rollbook_commit_batch_commands"
    count = metrics.value(f"{sizes}_count") or 0.0
    mean = f"; {(metrics.value(f'{sizes}_sum') or 0.0) / count:.1f} writes each" if count else ""
    waiting = f"; {metrics.value('rollbook_commands_waiting') or 0:.0f} writes wait"
    return _slow(taken, COMMIT_SECONDS), _quantile("batches", taken) + mean + waiting


def judge_syncs(metrics: Metrics) -> Finding:
    """How long the disk, or the database, took to have a batch for good."""
    taken = metrics.histogram("rollbook_journal_sync_duration_seconds")
    result, found = _slow(taken, SYNC_SECONDS), _quantile("syncs", taken)
    return result, found if result == "ok" else f"{found}: the disk is slow, and every write waits for it"


def judge_loop(metrics: Metrics) -> Finding:
    """How late the event loop was."""
    taken = metrics.histogram("rollbook_event_loop_lateness_seconds")
    result, found = _slow(taken, LOOP_SECONDS), _quantile("looks", taken)
    return result, found if result == "ok" else f"{found}: the registry has more to do than one core can"


def judge_disk(metrics: Metrics) -> Finding:
    """The room that the journal has."""
    free = metrics.value("rollbook_journal_free_bytes")
    if free is None:
        return "ok", "the journal is in no directory of the server"
    size = (metrics.value("rollbook_journal_data_bytes") or 0.0) + (metrics.value("rollbook_journal_log_bytes") or 0.0)
    found = f"{_gigabytes(free)} free; the journal takes {_gigabytes(size)}"
    return ("ok", found) if free >= FREE_BYTES_MIN else ("bad", f"{found}; a full disk refuses every write: make room")


def judge_callers(metrics: Metrics) -> Finding:
    """Who sends the most requests, and what for."""
    name = "rollbook_caller_requests_total"
    callers = metrics.by("caller", name)
    every = sum(callers.values()) or 1.0
    busiest = sorted(callers, key=lambda caller: -callers[caller])[:SHOWN_MAX]
    verbs = {caller: _largest(metrics.by("verb", name, caller=caller)) for caller in busiest}
    names = ", ".join(
        f"{caller} sent {callers[caller] / every:.0%} of {every:.0f} requests, mostly {verbs[caller]}"
        for caller in busiest
    )
    count = "1 caller" if len(callers) == 1 else f"{len(callers)} callers"
    return "ok", f"{count}: {names}" if callers else "nobody has asked anything"


def judge_alarms(metrics: Metrics) -> Finding:
    """What else an alert would be raised for."""
    found = [
        (result, f"{name} is {value:.0f}: {words}")
        for result, name, is_wrong, words in ALARMS
        if (value := metrics.value(name)) is not None and is_wrong(value)
    ]
    found += [
        ("bad" if cause == "mass-silence" else "note", f"silences are not written into documents: {cause}")
        for cause, held in metrics.by("cause", "rollbook_silences_held").items()
        if held
    ]
    if not found:
        return "ok", "none"
    is_bad = any(result == "bad" for result, _ in found)
    return "bad" if is_bad else "note", "; ".join(words for _, words in found)


BY_METRICS: tuple[tuple[str, Callable[[Metrics], Finding]], ...] = (
    ("answers", judge_answers),
    ("errors", judge_errors),
    ("commits", judge_commits),
    ("syncs", judge_syncs),
    ("event loop", judge_loop),
    ("disk", judge_disk),
    ("callers", judge_callers),
    ("alarms", judge_alarms),
)


def _largest(counts: Mapping[str, float]) -> str:
    return max(counts, key=lambda each: counts[each])


def _slow(taken: Histogram, seconds_max: float) -> str:
    return "note" if taken.quantile(SHARE) > seconds_max else "ok"


def _quantile(what: str, taken: Histogram) -> str:
    if not taken.total:
        return f"no {what} yet"
    return f"p50 {_seconds(taken.quantile(0.5))}, p99 {_seconds(taken.quantile(SHARE))} of {taken.total:.0f} {what}"


def _seconds(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.1f} ms"


def _gigabytes(size_bytes: float) -> str:
    return f"{size_bytes / 1e9:.2f} GB"
