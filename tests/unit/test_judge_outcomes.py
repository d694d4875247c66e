"""What ends a hidden test, and what becomes of it; the helpers that tests call."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg
import pymongo.errors
import pytest
import redis.exceptions

from grader.agent.wire import encode
from grader.judge.client import HandleNumber, broken, value_of
from grader.judge.comparison import Comparisons
from grader.judge.errors import Broke, Fault, Raised, SandboxLost
from grader.judge.outcomes import Verdict, as_event, verdict_of
from grader.judge.plugin import eventually, stays
from grader.judge.together import Together


def verdict(error: BaseException | None, awarded: tuple[float, str] | None = None) -> Verdict:
    return verdict_of(error, Comparisons(), awarded)


def raised() -> Raised:
    return Raised({"type": "ValueError", "message": "m", "traceback": "where"}, ())


def failed() -> BaseException:
    with pytest.raises(BaseException) as caught:
        pytest.fail("said by the author")
    return caught.value


@pytest.mark.parametrize(
    ("error", "outcome", "said"),
    [
        (None, "passed", ""),
        (AssertionError("a sentence"), "failed", "a sentence"),
        (AssertionError(), "failed", "not what was asked for"),
        (failed(), "failed", "said by the author"),
        (Broke("timeout", "too slow", "log"), "broke", "too slow"),
        (raised(), "broke", "Your code raised ValueError: m"),
        (SandboxLost("gone"), "broke", "gone"),
        (Fault("the host closed the channel"), "error", "the host closed"),
        (psycopg.OperationalError("closed"), "error", "stopped answering"),
        (psycopg.InterfaceError("closed"), "error", "stopped answering"),
        (redis.exceptions.ConnectionError("closed"), "error", "stopped answering"),
        (redis.exceptions.TimeoutError("late"), "error", "stopped answering"),
        (pymongo.errors.AutoReconnect("closed"), "error", "stopped answering"),
        (pymongo.errors.ServerSelectionTimeoutError("late"), "error", "stopped answering"),
        (pymongo.errors.OperationFailure("write conflict", 112), "broke", "holds a lock"),
        (pymongo.errors.DuplicateKeyError("E11000", 11000), "unexpected", "DuplicateKeyError"),
        (KeyError("price"), "unexpected", "KeyError: 'price'"),
        (TypeError("no"), "unexpected", "TypeError"),
        (psycopg.errors.UndefinedTable("no table"), "unexpected", "UndefinedTable"),
        (redis.exceptions.ResponseError("wrong type"), "unexpected", "ResponseError"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_what_becomes_of_an_exception(error: BaseException | None, outcome: str, said: str) -> None:
    """A wrong answer, a broken program, a fault of ours and a strange answer are four things."""
    found = verdict(error)
    assert found.outcome == outcome
    assert said in found.message
    assert found.ratio == (1.0 if error is None else 0.0)


def test_reason_and_log_are_kept() -> None:
    """How the program broke is told in a word, with its traceback as log."""
    found = verdict(raised())
    assert (found.reason, found.log) == ("crash", "where")
    assert verdict(SandboxLost("gone")).reason == "sandbox"


def test_an_award_decides_the_ratio() -> None:
    """Part of the points is `failed` with its own sentence; all of them is `passed`."""
    part = verdict(None, (0.4, "2 of 5 right"))
    assert (part.outcome, part.ratio, part.message) == ("failed", 0.4, "2 of 5 right")
    assert verdict(None, (1.0, "all")).outcome == "passed"


def test_an_award_is_kept_when_a_later_assert_fails() -> None:
    """The sentence is that of the assert, the points are those awarded."""
    found = verdict(AssertionError("later"), (0.4, "2 of 5 right"))
    assert (found.outcome, found.ratio, found.message) == ("failed", 0.4, "later")


def test_events_are_bounded() -> None:
    """Whatever a test ends with, the message to the host has a size."""
    wide = Verdict(
        outcome="failed",
        message="m" * 10**6,
        log="l" * 10**6,
        given=[("n" * 10**5, "v" * 10**5)] * 1000,
        ratio=7.0,
    )
    event = as_event(wide, "test_a", 1.0, 2.0)
    assert len(event["message"]) <= 8000
    assert len(event["log"]) <= 8000
    assert len(event["given"]) <= 20
    assert all(len(label) <= 100 and len(value) <= 4000 for label, value in event["given"])
    assert event["ratio"] == 1.0
    assert as_event(Verdict(outcome="failed", ratio=-1), "test_a", 1.0, 2.0)["ratio"] == 0.0


# -- replies of the sandbox -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ({"broke": "timeout"}, "timeout"),
        ({"broke": "output"}, "output"),
        ({"broke": "pids"}, "pids"),
        ({"broke": "start", "detail": "no"}, "start"),
        ({"broke": "answer", "detail": "no"}, "answer"),
        ({"broke": "ended", "code": -9}, "killed"),
        ({"broke": "ended", "code": 3}, "exit"),
        ({"broke": "ended", "code": "x"}, "exit"),
        ({"broke": ["nonsense"]}, "exit"),
    ],
)
def test_each_end_of_a_process_has_its_reason(reply: dict[str, Any], reason: str) -> None:
    """One word says how the program broke, one sentence names the call."""
    found = broken(reply, "price()", 5)
    assert found.reason == reason
    assert found.message.endswith(".") or "start" in reason


@pytest.mark.parametrize(
    "raised_reply",
    [
        {},
        {"type": 5, "message": None, "traceback": []},
        {"bases": 5},
        {"args": 5},
        {"args": [{"$": 1}]},
        {"bases": None, "args": None},
        {"args": {"a": 1}, "bases": {"a": 1}},
    ],
)
def test_a_forged_exception_is_still_the_learners(raised_reply: dict[str, Any]) -> None:
    """The learner's program can write anything in its reply: it broke, the judge did not."""
    with pytest.raises(Raised) as caught:
        value_of({"raised": raised_reply}, "price()", 5)
    assert isinstance(caught.value.values, tuple)
    assert isinstance(caught.value.bases, list)


def test_values_are_decoded() -> None:
    """Plain values come out, handles as numbers, and what is malformed broke."""
    assert value_of({"value": encode((1, {2: "a"}))}, "price()", 5) == (1, {2: "a"})
    assert value_of({"value": {"$": "handle", "v": 7}}, "price()", 5) == HandleNumber(7)
    assert value_of({}, "price()", 5) is None
    with pytest.raises(Broke) as caught:
        value_of({"value": {"$": "int", "v": "zz"}}, "price()", 5)
    assert caught.value.reason == "answer"


# -- helpers ----------------------------------------------------------------------------------


def test_calls_start_together_and_come_back_in_order() -> None:
    """Each call gets its arguments; results are in the order of the calls."""
    barrier = threading.Barrier(3)

    def meet(number: int, more: int) -> int:
        barrier.wait(5)
        return number + more

    assert Together[int]()([(meet, number, 10) for number in range(3)]) == [10, 11, 12]
    assert Together[int]()([]) == []
    assert Together[int]()(iter([(pow, 2, 3)])) == [8]


def test_more_calls_than_threads_all_run() -> None:
    """A few threads take the calls one after another."""
    calls = [(pow, number, 2) for number in range(20)]
    assert Together[int]()(calls, threads=3) == [number * number for number in range(20)]


def test_the_first_exception_in_order_is_raised() -> None:
    """Whichever came first in time, and only when every call has ended."""
    ended: list[str] = []

    def fail(name: str, after: float) -> None:
        time.sleep(after)
        ended.append(name)
        raise Broke("crash", name)

    with pytest.raises(Broke, match="first"):
        Together[None]()([(fail, "first", 0.05), (fail, "second", 0.0)])
    assert sorted(ended) == ["first", "second"]


def test_a_call_under_way_has_its_result_later() -> None:
    """`start` does not wait, `result` does, and raises what the call raised."""
    gate = threading.Event()
    together = Together[Any]()
    future = together.start(gate.wait, 5)
    assert not future.done()
    gate.set()
    assert future.result() is True
    assert future.done()

    def fail() -> None:
        raise Broke("crash", "no")

    with pytest.raises(Broke, match="no"):
        together.start(fail).result()


def after(count: int, value: object = "done") -> Callable[[], object]:
    """A function that says something true at its so-many-th call."""
    calls = iter(range(1000))
    return lambda: value if next(calls) >= count else ""


def test_eventually_gives_the_first_true_value() -> None:
    """It polls, and asks at least once."""
    assert eventually(after(3), within=5) == "done"
    assert eventually(after(0), within=0) == "done"


def test_eventually_fails_with_the_authors_sentence() -> None:
    """Without one it says what it waited for."""
    with pytest.raises(AssertionError, match=r"It never came\."):
        eventually(lambda: 0, within=0.02, message="It never came.")
    with pytest.raises(AssertionError, match=r"within 0\.02 s"):
        eventually(lambda: 0, within=0.02)


def test_stays_fails_as_soon_as_it_does_not() -> None:
    """One false answer is enough; none for the whole time is well."""
    stays(lambda: True, during=0.03)
    began = time.monotonic()
    answers = iter([True, True, False])
    with pytest.raises(AssertionError, match=r"It moved\."):
        stays(lambda: next(answers), during=30, message="It moved.")
    assert time.monotonic() - began < 5


def test_stays_asks_at_least_once() -> None:
    """Also when it is given no time."""
    with pytest.raises(AssertionError):
        stays(lambda: False, during=0)
