"""Those settings that change a limit of what one request may ask for."""

from rollbook.setting_values import Setting, whole_number

LIMIT_SETTINGS = (
    Setting(
        "body_bytes_max",
        "ROLLBOOK_BODY_BYTES_MAX",
        whole_number(1_024, 1024 * 1024 * 1024),
        "The largest request body, in bytes.",
    ),
    Setting(
        "document_bytes_max",
        "ROLLBOOK_DOCUMENT_BYTES_MAX",
        whole_number(1_024, 1024 * 1024 * 1024),
        "The largest document, in bytes of JSON.",
    ),
    Setting(
        "atomic_bytes_max",
        "ROLLBOOK_ATOMIC_BYTES_MAX",
        whole_number(1_024, 1024 * 1024 * 1024),
        "The largest body of an atomic batch, in bytes, and the most that the documents it changes weigh together.",
    ),
    Setting(
        "max_time_ms",
        "ROLLBOOK_MAX_TIME_MS",
        whole_number(1, 3_600_000),
        "How long one request may compute, in milliseconds.",
    ),
    Setting(
        "result_bytes_max",
        "ROLLBOOK_RESULT_BYTES_MAX",
        whole_number(1_024, 64 * 1024 * 1024 * 1024),
        "How many bytes of new values one request may make.",
    ),
    Setting(
        "answer_bytes_max",
        "ROLLBOOK_ANSWER_BYTES_MAX",
        whole_number(1_024, 64 * 1024 * 1024 * 1024),
        "How many bytes of computed answers may wait for their readers, of all requests together. Beyond that, larger "
        "answers than 256 KiB are refused (503). Documents that go out as they are stored do not count.",
    ),
    Setting("watchers_max", "ROLLBOOK_WATCHERS_MAX", whole_number(0, 1_000_000), "How many may watch at a time."),
    Setting("webhooks_max", "ROLLBOOK_WEBHOOKS_MAX", whole_number(0, 10_000), "How many webhooks there may be."),
    Setting(
        "in_values_max",
        "ROLLBOOK_IN_VALUES_MAX",
        whole_number(1, 10_000_000),
        "How many values one `$in` may list.",
    ),
)
