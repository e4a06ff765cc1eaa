"""Times as documents hold them: calendar arithmetic, parts and text, as MongoDB's manual has them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollbook.language.applying import matches
from tests.language.expressions.evaluating import code_of, value_of

LEAP = "2024-02-29T12:00:00Z"
NIGHT = "2026-03-29T00:30:00Z"  # an hour before clocks go forward in Berlin


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ({"$dateAdd": {"startDate": LEAP, "unit": "year", "amount": 1}}, "2025-02-28T12:00:00.000Z"),
        ({"$dateAdd": {"startDate": "2026-01-31", "unit": "month", "amount": 1}}, "2026-02-28T00:00:00.000Z"),
        ({"$dateAdd": {"startDate": "2026-11-30", "unit": "quarter", "amount": 1}}, "2027-02-28T00:00:00.000Z"),
        ({"$dateSubtract": {"startDate": LEAP, "unit": "week", "amount": 2}}, "2024-02-15T12:00:00.000Z"),
        ({"$dateAdd": {"startDate": 0, "unit": "millisecond", "amount": 1500}}, "1970-01-01T00:00:01.500Z"),
        (
            {"$dateAdd": {"startDate": NIGHT, "unit": "day", "amount": 1, "timezone": "Europe/Berlin"}},
            "2026-03-29T23:30:00.000Z",
        ),
        (
            {"$dateAdd": {"startDate": NIGHT, "unit": "hour", "amount": 24, "timezone": "Europe/Berlin"}},
            "2026-03-30T00:30:00.000Z",
        ),
        ({"$dateAdd": {"startDate": None, "unit": "day", "amount": 1}}, None),
        ({"$dateAdd": {"startDate": LEAP, "unit": "$nothing", "amount": 1}}, None),
        ({"$dateDiff": {"startDate": "2025-12-31T23:59:59Z", "endDate": "2026-01-01", "unit": "year"}}, 1),
        ({"$dateDiff": {"startDate": "2026-01-01T00:00", "endDate": "2026-12-31", "unit": "year"}}, 0),
        ({"$dateDiff": {"startDate": "2026-03-01", "endDate": "2026-01-31", "unit": "month"}}, -2),
        ({"$dateDiff": {"startDate": "2026-11-28", "endDate": "2026-11-29", "unit": "week"}}, 1),
        (
            {"$dateDiff": {"startDate": "2026-11-28", "endDate": "2026-11-29", "unit": "week", "startOfWeek": "Mon"}},
            0,
        ),
        ({"$dateDiff": {"startDate": 0, "endDate": 86_399_999, "unit": "day"}}, 0),
        ({"$dateDiff": {"startDate": 0, "endDate": 86_399_999, "unit": "day", "timezone": "+01"}}, 1),
        ({"$dateDiff": {"startDate": NIGHT, "endDate": LEAP, "unit": "second"}}, -65_536_200),
        ({"$dateTrunc": {"date": LEAP, "unit": "month"}}, "2024-02-01T00:00:00.000Z"),
        ({"$dateTrunc": {"date": LEAP, "unit": "week"}}, "2024-02-25T00:00:00.000Z"),
        ({"$dateTrunc": {"date": LEAP, "unit": "week", "startOfWeek": "monday"}}, "2024-02-26T00:00:00.000Z"),
        ({"$dateTrunc": {"date": LEAP, "unit": "hour", "binSize": 5}}, "2024-02-29T10:00:00.000Z"),
        ({"$dateTrunc": {"date": LEAP, "unit": "year", "binSize": 10}}, "2020-01-01T00:00:00.000Z"),
        ({"$dateTrunc": {"date": LEAP, "unit": "day", "timezone": "America/New_York"}}, "2024-02-29T05:00:00.000Z"),
        ({"$dateTrunc": {"date": 1_500, "unit": "second"}}, "1970-01-01T00:00:01.000Z"),
        ({"$dateToString": {"date": LEAP}}, "2024-02-29T12:00:00.000Z"),
        ({"$dateToString": {"date": LEAP, "timezone": "+05:30"}}, "2024-02-29T17:30:00.000"),
        ({"$dateToString": {"date": LEAP, "format": "%d.%m.%Y %H:%M %%"}}, "29.02.2024 12:00 %"),
        ({"$dateToString": {"date": LEAP, "format": "%j %U %V %G %u %w %b"}}, "060 08 09 2024 4 5 Feb"),
        ({"$dateToString": {"date": LEAP, "format": "%z %Z", "timezone": "-0330"}}, "-0330 -210"),
        ({"$dateToString": {"date": None, "onNull": "never"}}, "never"),
        ({"$dateToString": {"date": "$nothing"}}, None),
        ({"$dateFromString": {"dateString": "29/02/2024", "format": "%d/%m/%Y"}}, "2024-02-29T00:00:00.000Z"),
        ({"$dateFromString": {"dateString": "2024-02-29", "timezone": "Europe/Berlin"}}, "2024-02-28T23:00:00.000Z"),
        ({"$dateFromString": {"dateString": "soon", "onError": "unknown"}}, "unknown"),
        ({"$dateFromString": {"dateString": LEAP, "timezone": "Europe/Berlin", "onError": "both"}}, "both"),
        ({"$dateFromString": {"dateString": "2024-02-29T12:00+01:00", "timezone": "UTC"}}, "2024-02-29T11:00:00.000Z"),
        ({"$dateFromString": {"dateString": "2024-02-29T12:00Z", "timezone": "+00:00"}}, "2024-02-29T12:00:00.000Z"),
        ({"$dateFromString": {"dateString": "10 +0100", "format": "%H %z"}}, "1900-01-01T09:00:00.000Z"),
        ({"$dateFromString": {"dateString": None, "onNull": 0}}, 0),
        ({"$toDate": 1_000.9}, "1970-01-01T00:00:01.000Z"),
        ({"$toDate": "2024-02-29T12:00:00+01:00"}, "2024-02-29T11:00:00.000Z"),
        ({"$year": LEAP}, 2024),
        ({"$dayOfWeek": [LEAP]}, 5),
        ({"$hour": {"date": LEAP, "timezone": "Asia/Kathmandu"}}, 17),
        ({"$week": "2026-01-03"}, 0),
        ({"$week": "2026-01-04"}, 1),
        ({"$isoWeek": "2027-01-01"}, 53),
        ({"$isoWeekYear": "2027-01-01"}, 2026),
        ({"$millisecond": "2026-01-01T00:00:00.123456Z"}, 123),
        ({"$minute": "$nothing"}, None),
    ],
)
def test_times_give(expression: Any, value: Any) -> None:
    assert value_of(expression) == value


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ({"$dateAdd": {"startDate": True, "unit": "day", "amount": 1}}, 16006),
        ({"$dateAdd": {"startDate": "soon", "unit": "day", "amount": 1}}, 241),
        ({"$dateAdd": {"startDate": LEAP, "unit": "days", "amount": 1}}, 9),
        ({"$dateAdd": {"startDate": LEAP, "unit": "day", "amount": 1.5}}, 5166405),
        ({"$dateAdd": {"startDate": LEAP, "unit": "day"}}, 5166402),
        ({"$dateAdd": {"startDate": LEAP, "unit": "year", "amount": 9_000}}, 5166406),
        ({"$dateSubtract": {"startDate": LEAP, "unit": "day", "amount": 10**12}}, 5166406),
        ({"$dateDiff": {"startDate": LEAP, "endDate": LEAP, "unit": "week", "startOfWeek": "day"}}, 9),
        ({"$dateTrunc": {"date": LEAP, "unit": "day", "binSize": 0}}, 5439018),
        ({"$dateToString": {"date": LEAP, "format": "%q"}}, 18536),
        ({"$dateToString": {"date": LEAP, "timezone": "Mars/Olympus"}}, 40485),
        ({"$dateToString": {"date": LEAP, "timezone": "../etc/passwd"}}, 40485),
        ({"$dateFromString": {"dateString": "2024-02-30"}}, 241),
        ({"$dateFromString": {"dateString": "x", "format": "%Y"}}, 241),
        ({"$dateFromString": {"dateString": 5}}, 241),
        ({"$dateFromString": {"dateString": "2024-02-29T12:00Z", "timezone": "Europe/Berlin"}}, 241),
        ({"$dateFromString": {"dateString": "2024-02-29T12:00+01", "timezone": "+01"}}, 241),
        ({"$dateFromString": {"dateString": "10 +0100", "format": "%H %z", "timezone": "-02:00"}}, 241),
        ({"$dateFromString": {"dateString": "2024", "format": 5, "onError": 1}}, 40684),
        ({"$dateFromString": {"dateString": "2024", "format": "%q", "onError": 1}}, 18536),
        ({"$year": [LEAP, LEAP]}, 40536),
        ({"$toDate": 10**18}, 5166406),
    ],
)
def test_what_is_no_time_is_refused(expression: Any, code: int) -> None:
    assert code_of(expression) == code


def test_not_seen_for_three_days_is_a_filter() -> None:
    filter = {"$expr": {"$gte": [{"$dateDiff": {"startDate": "$seen", "endDate": "$$NOW", "unit": "day"}}, 3]}}
    now = datetime.now(UTC)
    assert matches({"seen": (now - timedelta(days=4)).isoformat()}, filter)
    assert not matches({"seen": (now - timedelta(days=1)).isoformat()}, filter)
    assert not matches({}, filter)


times = st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)).map(
    lambda time: time.isoformat(timespec="milliseconds") + "Z"
)
units = st.sampled_from(["year", "quarter", "month", "week", "day", "hour", "minute", "second", "millisecond"])
zones = st.sampled_from(["UTC", "+05:30", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu"])


@given(times, units, zones)
def test_a_truncated_time_is_the_beginning_of_its_unit(time: str, unit: str, zone: str) -> None:
    begun = value_of({"$dateTrunc": {"date": time, "unit": unit, "timezone": zone}})
    assert begun <= time
    between = {"startDate": begun, "endDate": time, "unit": unit, "timezone": zone}
    assert value_of({"$dateDiff": between}) == 0
    assert value_of({"$dateTrunc": {"date": begun, "unit": unit, "timezone": zone}}) == begun


@given(times, units, zones, st.integers(-500, 500))
def test_what_was_added_is_the_difference(time: str, unit: str, zone: str, amount: int) -> None:
    later = value_of({"$dateAdd": {"startDate": time, "unit": unit, "amount": amount, "timezone": zone}})
    between = {"startDate": time, "endDate": later, "unit": unit, "timezone": zone}
    assert value_of({"$dateDiff": between}) == amount


@given(times)
def test_text_of_a_time_is_read_again(time: str) -> None:
    assert value_of({"$dateFromString": {"dateString": {"$dateToString": {"date": time}}}}) == time
    assert value_of({"$toDate": time}) == time
