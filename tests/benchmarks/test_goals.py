"""Goals are judged by figures of the results, and by nothing else."""

from benchmarks.serving.goals import GOALS, Goal, Results, Verdict
from benchmarks.serving.results import Result

ROLLBOOK = {"requests_per_second": 40_000.0, "cpu_us": 20.0}
NGINX = {"requests_per_second": 80_000.0, "cpu_us": 8.0}


def goal(title: str) -> Goal:
    return next(each for each in GOALS if each.title.startswith(title))


def results(clusters: int, **facts: object) -> Results:
    return Results([Result(clusters, 4_000 * clusters, **facts)])  # type: ignore[arg-type]


def test_a_ratio_that_is_just_reached_is_met() -> None:
    found = results(10_000, figures={"get": {"rollbook": ROLLBOOK, "nginx": NGINX}})
    assert goal("GET by id, CPU").judge(found) == Verdict(True, "2.50x")
    assert goal("the same, the aim").judge(found) == Verdict(False, "2.50x")


def test_a_rival_that_was_absent_leaves_the_goal_open() -> None:
    found = results(10_000, figures={"get": {"rollbook": ROLLBOOK, "express": "its answer is another one"}})
    assert goal("GET by id, requests/s").judge(found) is None


def test_another_number_of_clusters_says_nothing() -> None:
    assert goal("GET by id, CPU").judge(results(1_000, figures={"get": {"rollbook": ROLLBOOK, "nginx": NGINX}})) is None


def test_durable_writes_are_held_against_the_disk() -> None:
    found = results(10_000, figures={"put-32": {"rollbook": ROLLBOOK}}, syncs_per_second=40_001.0)
    verdict = goal("durable PUT at 32 clients").judge(found)
    assert verdict is not None
    assert not verdict.met


def test_nothing_is_judged_without_results() -> None:
    assert [goal.judge(Results([])) for goal in GOALS] == [None] * len(GOALS)
