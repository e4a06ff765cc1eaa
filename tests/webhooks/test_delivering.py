"""Deliveries to a real target: signed, in order, tried again, given up, replayed."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest

from tests.examples import cluster
from tests.serving import free_port
from tests.webhooks.conftest import QUICK
from tests.webhooks.receiving import Answer, Target, first_told, is_signed, target

Hook = Callable[..., dict[str, Any]]


def revision_of(reply: httpx.Response) -> int:
    """The revision of a written document."""
    return int(reply.headers["etag"].strip('"'))


def status(http: httpx.Client, hook: dict[str, Any]) -> dict[str, Any]:
    """How the deliveries of a webhook stand."""
    found: dict[str, Any] = http.get(f"/webhooks/{hook['id']}").json()["status"]
    return found


def wait_until(condition: Callable[[], Any], seconds: float = 15.0) -> None:
    """Until something is so."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)


def writes(http: httpx.Client, id: str, count: int) -> list[int]:
    """The revisions of a creation and as many updates as make ``count`` changes."""
    return [
        revision_of(http.post("/clusters", json=cluster(id))),
        *(revision_of(http.put(f"/clusters/{id}", json={"reputation": step})) for step in range(1, count)),
    ]


def test_every_change_that_matters_is_posted_signed_and_in_order(
    http: httpx.Client, hook: Hook, receiver: Target, fresh_id: str
) -> None:
    here = {"regionId": f"region-of-{fresh_id}"}
    made = hook(filter=here)

    http.post("/clusters", json=cluster(f"{fresh_id}-other"))
    http.post("/clusters", json=cluster(fresh_id, regionId="elsewhere"))
    http.put(f"/clusters/{fresh_id}", json=here, headers={"x-reason": "moved"})
    http.put(f"/clusters/{fresh_id}", json={"reputation": 1})
    http.put(f"/clusters/{fresh_id}", json={"regionId": "away"})
    http.post("/clusters", json=cluster(f"{fresh_id}-b", **here))
    http.delete(f"/clusters/{fresh_id}-b")

    received = receiver.wait_for(5)
    assert [each.event["event"] for each in received] == ["entered", "updated", "left", "created", "deleted"]
    assert sorted(first_told(received)) == first_told(received)
    first = received[0]
    assert (first.path, first.event["id"], first.event["reason"]) == ("/hook", fresh_id, "moved")
    assert first.event["document"]["regionId"] == here["regionId"]
    assert first.headers["content-type"] == "application/json"
    assert first.headers["webhook-id"] == f"{made['id']}_{first.revision}"
    assert abs(int(first.headers["webhook-timestamp"]) - time.time()) < 10
    assert all(is_signed(each, made["secret"]) for each in received)
    assert not is_signed(first, "whsec_" + "A" * 32)


def test_a_delivery_is_the_event_that_a_watch_tells(
    http: httpx.Client, hook: Hook, receiver: Target, fresh_id: str
) -> None:
    hook(filter={"id": fresh_id}, **{"as": "both"})
    since = writes(http, fresh_id, 3)[0] - 1

    told = http.get("/clusters/watch", params={"since": since, "wait": "5s", "as": "both"}).json()["events"]

    assert [each.event for each in receiver.wait_for(3)] == told


def test_a_message_is_tried_again_after_errors_with_the_same_id(
    http: httpx.Client, hook: Hook, receiver: Target, fresh_id: str
) -> None:
    answers = iter([Answer(500), Answer(503)])
    receiver.answer = lambda _: next(answers, Answer())
    made = hook(filter={"id": fresh_id})

    first, second = writes(http, fresh_id, 2)

    received = receiver.wait_for(4)
    assert [each.revision for each in received] == [first, first, first, second]
    assert len({each.headers["webhook-id"] for each in received[:3]}) == 1
    assert all(is_signed(each, made["secret"]) for each in received)
    wait_until(lambda: status(http, made)["lag"] == 0)
    now = status(http, made)
    assert now["lastSuccess"]["revision"] == second
    assert (now["lastError"]["revision"], now["lastError"]["problem"]) == (first, "answered 503 Service Unavailable")
    assert (now["state"], now["attempts"], now["deadLetters"]) == ("current", 0, 0)


def test_a_target_that_is_not_there_gets_everything_when_it_is(http: httpx.Client, hook: Hook, fresh_id: str) -> None:
    port = free_port()
    made = hook(url=f"http://127.0.0.1:{port}/", filter={"id": fresh_id}, retry={**QUICK, "attempts": 100})
    revisions = writes(http, fresh_id, 3)
    wait_until(lambda: status(http, made)["attempts"] > 1)
    now = status(http, made)
    assert now["state"] == "retrying"
    assert now["lag"] == 3
    assert now["nextAttemptAt"] is not None

    with target(port) as late:
        assert [each.revision for each in late.wait_for(3)] == revisions


def test_a_target_that_does_not_answer_in_time_is_tried_again(
    http: httpx.Client, hook: Hook, receiver: Target, fresh_id: str
) -> None:
    answers = iter([Answer(after_seconds=1.0), Answer(body_bytes=200, drip_seconds=0.05)])
    receiver.answer = lambda _: next(answers, Answer())
    made = hook(filter={"id": fresh_id}, timeoutSeconds=0.2)

    (revision,) = writes(http, fresh_id, 1)

    assert [each.revision for each in receiver.wait_for(3)] == [revision] * 3
    wait_until(lambda: status(http, made)["lag"] == 0)
    assert status(http, made)["lastError"]["problem"] == "no answer within 0.2 s"


def test_a_long_answer_is_not_read_to_its_end(http: httpx.Client, hook: Hook, receiver: Target, fresh_id: str) -> None:
    receiver.answer = lambda _: Answer(body_bytes=50 * 1024 * 1024)
    made = hook(filter={"id": fresh_id})
    revisions = writes(http, fresh_id, 2)
    assert [each.revision for each in receiver.wait_for(2)] == revisions
    wait_until(lambda: status(http, made)["lag"] == 0)


def test_a_target_may_ask_for_a_longer_pause(http: httpx.Client, hook: Hook, receiver: Target, fresh_id: str) -> None:
    answers = iter([Answer(429, {"retry-after": "1"})])
    receiver.answer = lambda _: next(answers, Answer())
    hook(filter={"id": fresh_id}, retry={"firstSeconds": 0.1, "longestSeconds": 5})
    writes(http, fresh_id, 1)
    first, second = receiver.wait_for(2)
    assert second.at - first.at >= 1.0


@pytest.mark.parametrize("ahead_seconds", [2, -5])
def test_a_pause_may_be_asked_for_with_a_date(
    http: httpx.Client, hook: Hook, receiver: Target, fresh_id: str, ahead_seconds: int
) -> None:
    # BaseHTTPRequestHandler sends a Date of its own, in whole seconds.
    until = format_datetime(datetime.now(UTC) + timedelta(seconds=ahead_seconds), usegmt=True)
    answers = iter([Answer(503, {"retry-after": until})])
    receiver.answer = lambda _: next(answers, Answer())
    hook(filter={"id": fresh_id}, retry={"firstSeconds": 0.1, "longestSeconds": 5})
    writes(http, fresh_id, 1)
    first, second = receiver.wait_for(2)
    assert (second.at - first.at >= 0.9) == (ahead_seconds > 0)


def test_a_target_that_is_gone_is_sent_nothing_until_the_webhook_is_enabled_again(
    http: httpx.Client, hook: Hook, receiver: Target, fresh_id: str
) -> None:
    receiver.answer = lambda _: Answer(410)
    made = hook(filter={"id": fresh_id})
    first, second = writes(http, fresh_id, 2)
    wait_until(lambda: not http.get(f"/webhooks/{made['id']}").json()["enabled"])
    standing = status(http, made)
    assert (standing["state"], standing["deadLetters"], len(receiver.received)) == ("disabled", 0, 1)
    assert "410 Gone; the webhook is disabled" in standing["lastError"]["problem"]

    receiver.answer = lambda _: Answer()
    http.patch(f"/webhooks/{made['id']}", json={"enabled": True})
    assert first_told(receiver.wait_for_revision(second)) == [first, second]


@pytest.mark.parametrize("code", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(http: httpx.Client, hook: Hook, receiver: Target, fresh_id: str, code: int) -> None:
    with target() as elsewhere:
        receiver.answer = lambda _: Answer(code, {"location": elsewhere.url})
        made = hook(filter={"id": fresh_id}, retry={**QUICK, "attempts": 2})
        writes(http, fresh_id, 1)
        receiver.wait_for(2)
        wait_until(lambda: status(http, made)["deadLetters"] == 1)
        assert "redirects are not followed" in status(http, made)["lastError"]["problem"]
        assert elsewhere.received == []


def test_what_is_refused_too_often_becomes_a_dead_letter_and_the_next_is_delivered(
    http: httpx.Client, hook: Hook, receiver: Target, fresh_id: str
) -> None:
    made = hook(filter={"id": fresh_id})
    receiver.answer = lambda received: Answer(400 if received.event["document"].get("reputation") == 1 else 200)
    first, refused, last = writes(http, fresh_id, 3)

    accepted = [each.revision for each in receiver.wait_for_revision(last)]

    assert accepted == [first, refused, refused, refused, last]
    at = f"/webhooks/{made['id']}/dead-letters"
    (letter,) = http.get(at).json()
    assert letter == {
        "number": letter["number"],
        "kind": "undelivered",
        "firstRevision": refused,
        "revision": refused,
        "at": letter["at"],
        "attempts": 3,
        "problem": "answered 400 Bad Request",
        "retrying": False,
    }
    message = http.get(f"{at}/{letter['number']}").json()["message"]
    assert (message["revision"], message["document"]["reputation"]) == (refused, 1)


def test_a_dead_letter_can_be_tried_again(http: httpx.Client, hook: Hook, receiver: Target, fresh_id: str) -> None:
    made = hook(filter={"id": fresh_id}, retry={**QUICK, "attempts": 1})
    at = f"/webhooks/{made['id']}/dead-letters"
    receiver.answer = lambda _: Answer(500)
    revisions = writes(http, fresh_id, 3)
    wait_until(lambda: len(http.get(at).json()) == 3)
    numbers = [letter["number"] for letter in http.get(at).json()]

    assert http.post(f"{at}/{numbers[1]}/retry").json() == {"retrying": 1}
    wait_until(lambda: http.get(f"{at}/{numbers[1]}").json()["attempts"] == 2)
    assert http.get(f"{at}/{numbers[1]}").json()["retrying"] is False

    receiver.answer = lambda _: Answer()
    receiver.received.clear()
    assert http.post(f"{at}/{numbers[1]}/retry").status_code == 202
    (again,) = receiver.wait_for(1)
    assert again.revision == revisions[1]
    assert again.headers["webhook-id"] == f"{made['id']}_{revisions[1]}"
    assert is_signed(again, made["secret"])
    wait_until(lambda: [each["number"] for each in http.get(at).json()] == [numbers[0], numbers[2]])

    assert http.post(f"{at}/retry").json() == {"retrying": 2}
    assert [each.revision for each in receiver.wait_for(3)[1:]] == [revisions[0], revisions[2]]
    wait_until(lambda: http.get(at).json() == [])


def test_dead_letters_can_be_thrown_away(http: httpx.Client, hook: Hook, receiver: Target, fresh_id: str) -> None:
    made = hook(filter={"id": fresh_id}, retry={**QUICK, "attempts": 1})
    at = f"/webhooks/{made['id']}/dead-letters"
    receiver.answer = lambda _: Answer(500)
    writes(http, fresh_id, 3)
    wait_until(lambda: len(http.get(at).json()) == 3)
    number = http.get(at).json()[0]["number"]

    assert http.delete(f"{at}/{number}").json() == {"deleted": 1}
    for method, path in [("GET", number), ("DELETE", number), ("POST", f"{number}/retry"), ("GET", "first")]:
        reply = http.request(method, f"{at}/{path}")
        assert (reply.status_code, reply.json()["code"]) == (404, "dead-letter-not-found")
    assert http.delete(at).json() == {"deleted": 2}
    assert http.get(at).json() == []


def test_a_replay_tells_everything_after_a_revision_again(
    http: httpx.Client, hook: Hook, receiver: Target, fresh_id: str
) -> None:
    made = hook(filter={"id": fresh_id})
    revisions = writes(http, fresh_id, 4)
    receiver.wait_for(4)

    replay = http.post(f"/webhooks/{made['id']}/replay", json={"since": revisions[1]})

    assert replay.status_code == 202
    assert [each.revision for each in receiver.wait_for(6)[4:]] == revisions[2:]


@pytest.mark.parametrize("body", [{}, {"since": None}, {"since": -1}, {"since": 10**9}, {"since": 0, "to": 5}, []])
def test_a_malformed_replay_is_400(http: httpx.Client, hook: Hook, body: Any) -> None:
    assert http.post(f"/webhooks/{hook()['id']}/replay", json=body).status_code == 400


def test_a_webhook_may_begin_in_the_past(http: httpx.Client, hook: Hook, receiver: Target, fresh_id: str) -> None:
    revisions = writes(http, fresh_id, 3)
    hook(filter={"id": fresh_id}, since=revisions[0])
    assert [each.revision for each in receiver.wait_for(2)] == revisions[1:]


def test_a_disabled_webhook_goes_on_where_it_was_once_it_is_enabled(
    http: httpx.Client, hook: Hook, receiver: Target, fresh_id: str
) -> None:
    made = hook(filter={"id": fresh_id})
    at = f"/webhooks/{made['id']}"
    first, *_ = writes(http, fresh_id, 1)
    wait_until(lambda: status(http, made)["lag"] == 0)  # what was sent may not be known to have arrived yet

    assert http.patch(at, json={"enabled": False}).json()["status"]["state"] == "disabled"
    later = [revision_of(http.put(f"/clusters/{fresh_id}", json={"reputation": step})) for step in (1, 2)]
    time.sleep(0.3)
    assert [each.revision for each in receiver.received] == [first]
    assert status(http, made)["lag"] == 2

    http.patch(at, json={"enabled": True})
    assert [each.revision for each in receiver.wait_for(3)] == [first, *later]


def test_a_changed_address_is_tried_at_once(http: httpx.Client, hook: Hook, receiver: Target, fresh_id: str) -> None:
    made = hook(
        url=f"http://127.0.0.1:{free_port()}/",
        filter={"id": fresh_id},
        retry={"firstSeconds": 600, "longestSeconds": 600, "attempts": 100},
    )
    revisions = writes(http, fresh_id, 2)
    wait_until(lambda: status(http, made)["attempts"] == 1)

    http.patch(f"/webhooks/{made['id']}", json={"url": receiver.url})

    assert [each.revision for each in receiver.wait_for(2)] == revisions


def test_a_slow_target_holds_up_no_other(http: httpx.Client, hook: Hook, receiver: Target, fresh_id: str) -> None:
    with target() as slow:
        slow.answer = lambda _: Answer(after_seconds=5.0)
        for _ in range(20):
            hook(url=slow.url, filter={"id": fresh_id}, timeoutSeconds=10)
        hook(filter={"id": fresh_id})
        begun = time.monotonic()
        revisions = writes(http, fresh_id, 20)
        assert [each.revision for each in receiver.wait_for(20)] == revisions
        assert time.monotonic() - begun < 4.0


def test_a_deleted_webhook_is_told_nothing_more(
    http: httpx.Client, hook: Hook, receiver: Target, fresh_id: str
) -> None:
    made = hook(filter={"id": fresh_id}, retry={**QUICK, "attempts": 100})
    receiver.answer = lambda _: Answer(500)
    writes(http, fresh_id, 1)
    receiver.wait_for(2)
    http.delete(f"/webhooks/{made['id']}")
    count = len(receiver.received)
    time.sleep(0.5)
    assert len(receiver.received) == count
