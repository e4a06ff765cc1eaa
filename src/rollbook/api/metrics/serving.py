"""Metrics of whom the registry serves: requests over HTTP, watchers and webhooks."""

from collections import Counter
from functools import reduce
from operator import add

from rollbook.api.metrics.rows import Metric, Scrape, Values
from rollbook.histograms import Histogram


def requests(scrape: Scrape) -> Values:
    """How many requests were answered, by how."""
    return {answer: durations.total for answer, durations in scrape.answers.items()}


def durations(scrape: Scrape) -> Values:
    """How long requests took, whatever the answer."""
    by_request: dict[tuple[str, str], list[Histogram]] = {}
    for answer, taken in scrape.answers.items():
        by_request.setdefault((answer.route, answer.method), []).append(taken)
    return {labels: reduce(add, all_taken) for labels, all_taken in by_request.items()}


def refusals(scrape: Scrape) -> Values:
    """The requests that were refused because of who asked, and those that would have been."""
    observed = {(verb, "observed"): count for verb, count in scrape.registry.committer.counts.observed.items()}
    return {**(Counter(scrape.refusals) + Counter(observed))}


REQUESTS = (
    Metric(
        "rollbook_http_requests_total",
        "counter",
        "Requests that were answered, by route, method and class of the status. What has no route is counted as other.",
        requests,
        ("route", "method", "status"),
    ),
    Metric(
        "rollbook_direct_answers_total",
        "counter",
        "Requests that a shortcut answered, without the application: plain reads, queries, updates and heartbeats. "
        "They are among all requests too.",
        lambda scrape: scrape.direct,
        ("shortcut",),
    ),
    Metric(
        "rollbook_caller_requests_total",
        "counter",
        "Requests by who sent them, without the address, and by the verb that their operation takes (`none`: it takes "
        "none). Callers beyond the first 100 are `other`.",
        lambda scrape: scrape.callers,
        ("caller", "verb"),
    ),
    Metric(
        "rollbook_requests_running",
        "gauge",
        "Requests that are being answered right now, watches among them; `GET /debug/requests` lists them.",
        lambda scrape: scrape.running,
    ),
    Metric(
        "rollbook_access_refusals_total",
        "counter",
        "Requests of callers who lacked the verb, or whose credentials were wrong (verb `credentials`): enforced, they "
        "were refused; observed, they passed. Also writes that passed though their effect is not allowed.",
        refusals,
        ("verb", "outcome"),
    ),
    Metric(
        "rollbook_security_file_refused",
        "gauge",
        "1 while what is in `ROLLBOOK_SECURITY_FILE` is wrong, and what was read before it is in force. Absent without "
        "such a file.",
        lambda scrape: None if scrape.security.file is None else scrape.security.file.problem is not None,
    ),
    Metric(
        "rollbook_http_request_duration_seconds",
        "histogram",
        "How long it took from when a request was read until its answer began. Of reads that are answered at once, "
        "every sixteenth is timed, and counts for all sixteen.",
        durations,
        ("route", "method"),
    ),
    Metric(
        "rollbook_event_loop_lateness_seconds",
        "histogram",
        "How late the event loop was, looked at ten times a second: what holds it up holds up every request.",
        lambda scrape: scrape.loop_lag,
    ),
)

WATCHERS = (
    Metric(
        "rollbook_watchers",
        "gauge",
        "Who watches for changes over HTTP right now. There may be watchers_max of them.",
        lambda scrape: len(scrape.registry.watching),
    ),
    Metric(
        "rollbook_watch_overflows_total",
        "counter",
        "Watches that were ended because their readers were too slow, or their filters could not be evaluated; "
        "a reader resumes from where it was.",
        lambda scrape: scrape.registry.watching.mailroom.overflows,
    ),
    Metric(
        "rollbook_watch_waiting_bytes",
        "gauge",
        "The size of the messages that wait in memory until watchers read them.",
        lambda scrape: scrape.registry.watching.mailroom.bytes_held,
    ),
    Metric(
        "rollbook_watch_lag_changes",
        "gauge",
        "Changes that are durable and were not put before the watchers yet.",
        lambda scrape: max(0, scrape.registry.view.revision - scrape.registry.watching.revision),
    ),
)

WEBHOOKS = (
    Metric(
        "rollbook_webhooks",
        "gauge",
        "Webhooks by how their deliveries stand: current, delivering, retrying after an error, stopped or disabled.",
        lambda scrape: None if scrape.webhooks is None else scrape.webhooks.states,
        ("state",),
    ),
    Metric(
        "rollbook_webhook_lag_changes",
        "gauge",
        "How many changes the slowest of the webhooks that are not disabled has before it.",
        lambda scrape: None if scrape.webhooks is None else scrape.webhooks.lag,
    ),
    Metric(
        "rollbook_webhook_dead_letters",
        "gauge",
        "Messages that were given up, and wait for somebody to look at them, to try them again or to throw them away.",
        lambda scrape: None if scrape.webhooks is None else scrape.webhooks.letters,
    ),
    Metric(
        "rollbook_webhook_dead_letters_dropped",
        "gauge",
        "Dead letters of the webhooks there are that had to make room for newer ones, and are lost.",
        lambda scrape: None if scrape.webhooks is None else scrape.webhooks.letters_dropped,
    ),
)
