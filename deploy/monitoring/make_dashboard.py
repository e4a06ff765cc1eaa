"""Writes ``dashboard.json``, the Grafana dashboard of a registry, from the table below.

python deploy/monitoring/make_dashboard.py > deploy/monitoring/dashboard.json
"""

import json
from typing import Any

ROWS: list[tuple[str, list[tuple[str, str, str, list[tuple[str, str]]]]]] = [
    (
        "Now",
        [
            ("stat", "Clusters", "short", [("rollbook_clusters", "")]),
            ("stat", "Revision", "none", [("rollbook_revision", "")]),
            ("stat", "Writable", "bool_yes_no", [("rollbook_journal_writable", "")]),
            ("stat", "Watchers", "short", [("rollbook_watchers", "")]),
            ("stat", "Memory", "bytes", [('process_resident_memory_bytes{job="rollbook"}', "")]),
            ("stat", "Version", "none", [("rollbook_build_info", "{{version}}")]),
        ],
    ),
    (
        "Requests",
        [
            (
                "timeseries",
                "Requests by operation",
                "reqps",
                [
                    (
                        "sum by (method, route) (rate(rollbook_http_requests_total[$__rate_interval]))",
                        "{{method}} {{route}}",
                    )
                ],
            ),
            (
                "timeseries",
                "Requests by status",
                "reqps",
                [("sum by (status) (rate(rollbook_http_requests_total[$__rate_interval]))", "{{status}}")],
            ),
            (
                "timeseries",
                "Duration",
                "s",
                [
                    (
                        f"histogram_quantile({quantile}, sum by (le) "
                        "(rate(rollbook_http_request_duration_seconds_bucket[$__rate_interval])))",
                        f"p{round(quantile * 100)}",
                    )
                    for quantile in (0.5, 0.99)
                ],
            ),
            (
                "timeseries",
                "Event-loop lag",
                "s",
                [
                    (
                        "histogram_quantile(0.99, sum by (le) "
                        "(rate(rollbook_event_loop_lateness_seconds_bucket[$__rate_interval])))",
                        "p99",
                    )
                ],
            ),
        ],
    ),
    (
        "Writes",
        [
            (
                "timeseries",
                "Commands by result",
                "ops",
                [("sum by (result) (rate(rollbook_commands_total[$__rate_interval]))", "{{result}}")],
            ),
            (
                "timeseries",
                "Batches and queue",
                "short",
                [
                    ("rate(rollbook_commits_total[$__rate_interval])", "batches/s"),
                    ("rollbook_commands_waiting", "waiting commands"),
                ],
            ),
            (
                "timeseries",
                "Commits",
                "s",
                [
                    (
                        f"histogram_quantile(0.99, sum by (le) (rate(rollbook_{name}_bucket[$__rate_interval])))",
                        f"{legend}, p99",
                    )
                    for name, legend in (
                        ("commit_duration_seconds", "whole batch"),
                        ("journal_sync_duration_seconds", "sync"),
                    )
                ],
            ),
            (
                "timeseries",
                "Commands in a batch",
                "short",
                [
                    (
                        f"histogram_quantile({quantile}, sum by (le) "
                        "(rate(rollbook_commit_batch_commands_bucket[$__rate_interval])))",
                        f"p{round(quantile * 100)}",
                    )
                    for quantile in (0.5, 0.99)
                ],
            ),
        ],
    ),
    (
        "Disk",
        [
            (
                "timeseries",
                "Journal",
                "bytes",
                [("rollbook_journal_data_bytes", "documents and history"), ("rollbook_journal_log_bytes", "log")],
            ),
            ("timeseries", "Free", "bytes", [("rollbook_journal_free_bytes", "free")]),
            ("timeseries", "History", "short", [("rollbook_history_changes", "changes")]),
        ],
    ),
    (
        "Callers",
        [
            (
                "timeseries",
                "Requests by caller",
                "reqps",
                [
                    (
                        "topk(10, sum by (caller) (rate(rollbook_caller_requests_total[$__rate_interval])))",
                        "{{caller}}",
                    )
                ],
            ),
            (
                "timeseries",
                "Requests by verb",
                "reqps",
                [("sum by (verb) (rate(rollbook_caller_requests_total[$__rate_interval]))", "{{verb}}")],
            ),
            ("timeseries", "Running requests", "short", [("rollbook_requests_running", "requests")]),
        ],
    ),
    (
        "Clusters",
        [
            ("timeseries", "Liveness", "short", [("rollbook_leases", "{{state}}")]),
            (
                "timeseries",
                "Heartbeats",
                "ops",
                [("rate(rollbook_heartbeats_total[$__rate_interval])", "heartbeats/s")],
            ),
            ("timeseries", "Holds", "bool", [("rollbook_silences_held", "{{cause}}")]),
            ("timeseries", "Flapping", "short", [("rollbook_leases_flapping", "clusters")]),
        ],
    ),
    (
        "Watches and webhooks",
        [
            (
                "timeseries",
                "Watches",
                "short",
                [("rollbook_watchers", "watchers"), ("rollbook_watch_lag_changes", "changes behind")],
            ),
            ("timeseries", "Messages waiting", "bytes", [("rollbook_watch_waiting_bytes", "bytes")]),
            ("timeseries", "Webhooks", "short", [("rollbook_webhooks", "{{state}}")]),
            (
                "timeseries",
                "Deliveries",
                "short",
                [("rollbook_webhook_lag_changes", "changes behind"), ("rollbook_webhook_dead_letters", "dead letters")],
            ),
        ],
    ),
]


def dashboard() -> dict[str, Any]:
    """The whole dashboard, as Grafana imports it."""
    panels, top = [], 0
    for title, row in ROWS:
        panels.append({"type": "row", "title": title, "gridPos": {"x": 0, "y": top, "w": 24, "h": 1}, "panels": []})
        height, width = (4, 24 // len(row)) if row[0][0] == "stat" else (8, 24 // len(row))
        for place, (kind, name, unit, queries) in enumerate(row):
            panels.append(
                {
                    "type": kind,
                    "title": name,
                    "datasource": {"type": "prometheus", "uid": "${datasource}"},
                    "gridPos": {"x": place * width, "y": top + 1, "w": width, "h": height},
                    "fieldConfig": {"defaults": {"unit": unit, "min": 0}, "overrides": []},
                    "targets": [
                        {"refId": chr(ord("A") + index), "expr": expression, "legendFormat": legend}
                        for index, (expression, legend) in enumerate(queries)
                    ],
                    **({"options": {"textMode": "name"}} if name == "Version" else {}),
                }
            )
        top += height + 1
    for number, panel in enumerate(panels, start=1):
        panel["id"] = number
    return {
        "uid": "rollbook",
        "title": "Rollbook",
        "tags": ["rollbook"],
        "schemaVersion": 39,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {
            "list": [{"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus"}]
        },
        "panels": panels,
    }


if __name__ == "__main__":
    print(json.dumps(dashboard(), indent=2))
