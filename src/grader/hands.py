"""A session in the learner's own hands: servers with fresh state, and their files in a sandbox.

The judge keeps the servers and runs no test. Both are as a check finds them, and what is left in
them is gone before the next check: it gets a new sandbox, and fresh state.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from grader.engine.base import Engine, Sandbox, Session
from grader.errors import SessionLost
from grader.grade import spec_of
from grader.keeper import Keeper
from grader.model.exercise import Exercise
from grader.model.progress import Listener, Stage
from grader.model.submission import Submission
from grader.supply import Work, environment, run_message


@dataclass(frozen=True)
class Hands:
    """What a learner works with. `env` are the variables that their programs get."""

    session: Session
    sandbox: Sandbox
    env: Mapping[str, str]

    def tick(self) -> None:
        """Call it now and then: the session lasts as long as somebody does."""
        self.session.receive(0.01)


@contextlib.contextmanager
def hands(
    exercise: Exercise, submission: Submission, engine: Engine, owner: str, listener: Listener
) -> Iterator[Hands]:
    """The owner's warm session, or a new one that stays warm, with the submission in a sandbox.

    Raises EngineUnavailable, ImageError, InfrastructureError, ExerciseError.
    """
    spec = spec_of(exercise, owner)
    engine.prepare(spec, listener)
    with engine.session(spec, listener) as session:
        sandbox = session.sandbox()
        work = Work(
            exercise=exercise, submission=submission, seed=0, learner_seed=0, attempt=0, only=()
        )
        listener(Stage("Making your sandbox ready"))
        Keeper(session, run_message(session, work, secrets.token_hex(8), sandbox))
        try:
            yield Hands(session, sandbox, environment(session, exercise))
        finally:
            with contextlib.suppress(SessionLost):
                session.send({"type": "cancel"})
