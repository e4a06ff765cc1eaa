"""The settings that say what is logged."""

from typing import Literal, TypeAlias

from rollbook.setting_values import Setting, one_of, switch, whole_number

LogLevel: TypeAlias = Literal["debug", "info", "warning", "error"]
LogFormat: TypeAlias = Literal["text", "json"]

OBSERVING_SETTINGS = (
    Setting("log_level", "ROLLBOOK_LOG_LEVEL", one_of(LogLevel), "The least level that is logged."),
    Setting("log_format", "ROLLBOOK_LOG_FORMAT", one_of(LogFormat), "`json` logs an object a line."),
    Setting("access_log", "ROLLBOOK_ACCESS_LOG", switch, "`on` logs every request."),
    Setting(
        "slow_ms",
        "ROLLBOOK_SLOW_MS",
        whole_number(0, 3_600_000),
        "Requests whose answer takes this long to begin, in milliseconds, are logged with their steps and the plan of "
        "their filter; 0: none is.",
    ),
)
