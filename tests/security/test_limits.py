"""Rates of requests: bursts, refusals that cost nothing, and the headers that say so."""

from hypothesis import given
from hypothesis import strategies as st

from rollbook.security.limits import Buckets, Rate, host_of

RATE = Rate(per_second=10, burst=5)


def test_a_burst_passes_and_then_the_rate_holds():
    buckets = Buckets()
    assert [buckets.take("a", RATE, 100.0).allowed for _ in range(6)] == [True] * 5 + [False]
    assert not buckets.take("a", RATE, 100.09).allowed
    assert buckets.take("a", RATE, 100.1).allowed
    assert not buckets.take("a", RATE, 100.1).allowed
    assert buckets.take("b", RATE, 100.1).allowed


def test_a_refusal_says_when_to_come_again():
    buckets = Buckets()
    remaining = [buckets.take("a", RATE, 0.0).remaining for _ in range(5)]
    assert remaining == [4, 3, 2, 1, 0]
    refused = buckets.take("a", RATE, 0.0)
    assert round(refused.retry_seconds, 6) == 0.1
    assert refused.headers(RATE) == {
        "ratelimit-policy": '"requests";q=5;w=1',
        "ratelimit": '"requests";r=0;t=1',
        "retry-after": "1",
    }
    assert buckets.take("a", RATE, refused.retry_seconds).allowed


@given(st.lists(st.floats(0, 0.5), max_size=100))
def test_no_window_holds_more_than_the_burst_and_the_rate(pauses):
    buckets, now, times = Buckets(), 0.0, []
    for pause in pauses:
        now += pause
        if buckets.take("a", RATE, now).allowed:
            times.append(now)
    for start, begun in enumerate(times):
        for count, ended in enumerate(times[start:], 1):
            assert count <= RATE.burst + (ended - begun) * RATE.per_second + 1e-6


@given(st.lists(st.floats(0, 0.5), max_size=100))
def test_what_would_be_refused_is_known_beforehand(pauses):
    buckets, now = Buckets(), 0.0
    for pause in pauses:
        now += pause
        assert buckets.refuses("a", RATE, now) is not buckets.take("a", RATE, now).allowed


def test_buckets_that_rested_are_forgotten(monkeypatch):
    monkeypatch.setattr(Buckets, "KEPT_MAX", 2)
    buckets = Buckets()
    for number in range(10):
        buckets.take(number, RATE, float(number))
    assert len(buckets._arrivals) <= 3


def test_a_flood_of_addresses_takes_no_more_memory_and_those_that_are_furthest_ahead_stay_refused(monkeypatch):
    monkeypatch.setattr(Buckets, "KEPT_MAX", 10)
    buckets = Buckets()
    while buckets.take("loud", RATE, 0.0).allowed:
        pass
    for number in range(100):
        buckets.take(number, RATE, 0.0)
        assert len(buckets._arrivals) <= 10
    assert not buckets.take("loud", RATE, 0.0).allowed


def test_a_host_with_a_network_of_ipv6_is_one_host():
    assert host_of("2001:db8:0:1::1") == host_of("2001:db8:0:1:ffff::2") != host_of("2001:db8:0:2::1")
    assert host_of("fe80::1%eth0") == host_of("fe80::2")
    assert host_of("::ffff:192.0.2.1") == host_of("192.0.2.1") != host_of("::ffff:192.0.2.2")
    assert host_of("unknown") == "unknown"
    assert host_of("not:an:address") == "not:an:address"
