"""Many at once: no assignment is given, paid or made twice, on either database."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any, TypeVar

from photojury.annotate.marketplace import work, workers
from photojury.annotate.marketplace.books import Market
from tests.annotate.marketplace.live import HIT_TYPE, Live, html_question, refusal

T = TypeVar("T")


def at_once(tasks: list[Callable[[], T]]) -> list[T]:
    """Run functions in threads that start together."""
    gate = Barrier(len(tasks))

    def wait_and(task: Callable[[], T]) -> T:
        gate.wait(30)
        return task()

    with ThreadPoolExecutor(len(tasks)) as pool:
        return list(pool.map(wait_and, tasks))


def test_the_last_assignments_go_to_as_many_workers(both: Live) -> None:
    """Twelve workers reach for two HITs of two: four get one, each HIT is filled, nobody waits for ever."""
    hits = [both.hit(2) for _ in range(2)]
    workers = [both.worker() for _ in range(12)]
    group = hits[0]["HITGroupId"]
    got = at_once([lambda worker=worker: worker.accept(group) for worker in workers])  # type: ignore[misc]
    taken = [assignment for assignment in got if assignment]
    assert len(taken) == len(set(taken)) == 4
    assert [both.counts(hit) for hit in hits] == [("Unassignable", 2, 0, 0)] * 2


def test_one_worker_who_clicks_twice_gets_one(both: Live) -> None:
    """The same worker in eight windows at once holds one assignment of one HIT."""
    hit = both.hit(9)
    market = Market(both.engine, both.images, both.clock)
    worker_id = workers.join(market, "a session", came_by="simulated")
    accept = [lambda: work.accept(market, worker_id, hit["HITTypeId"])] * 8
    assert len(set(at_once(accept))) == 1
    assert both.counts(hit) == ("Assignable", 1, 8, 0)


def test_an_answer_that_is_sent_twice_is_kept_once(both: Live) -> None:
    """Eight submissions of one assignment at once: all are told that it is in, one is kept."""
    hit = both.hit()
    worker = both.worker()
    assignment = str(worker.accept(hit["HITGroupId"]))
    send: list[Callable[[], Any]] = [
        lambda number=number: worker.submit(assignment, stars=str(number))  # type: ignore[misc]
        for number in range(8)
    ]
    assert all(answer.ok for answer in at_once(send))
    assert both.client.list_assignments_for_hit(HITId=hit["HITId"])["NumResults"] == 1


def test_a_token_that_is_sent_at_once_makes_one_hit(both: Live) -> None:
    """Six equal requests with one token: one HIT, five refusals that name it."""
    parameters = {
        **HIT_TYPE, "LifetimeInSeconds": 60, "Question": html_question(), "UniqueRequestToken": "same",
    }  # fmt: skip

    def create() -> str:
        try:
            code, message = refusal(both.client.create_hit, **parameters)
        except AssertionError:
            return "made"
        return message if code == "HitAlreadyExists" else code

    answers = at_once([create] * 6)
    [hit] = both.client.list_hits()["HITs"]
    assert answers.count("made") == 1
    assert sum(hit["HITId"] in answer for answer in answers) == 5


def test_one_approval_pays_once(both: Live) -> None:
    """Six approvals of one assignment at once: one is answered, and one reward leaves the account."""
    [assignment] = both.answered(both.hit())

    def approve() -> bool:
        try:
            refusal(both.client.approve_assignment, AssignmentId=assignment)
        except AssertionError:
            return True
        return False

    assert sum(at_once([approve] * 6)) == 1
    assert both.balance() == ("9999.76", "0.00")
