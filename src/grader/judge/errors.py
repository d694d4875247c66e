"""What can end a hidden test besides its asserts, and the outcome each leads to.

Broke            -> broke    the learner's program crashed, timed out or met a limit
├── Raised       -> broke    its function raised; `solution.raises` catches this one
├── OutOfTime    -> broke    the check's own time is over
└── SandboxLost  -> broke    the whole sandbox ended or stopped answering
Fault            -> error    the grader or its infrastructure failed
ServerLost       -> error    a server cannot go on: it is replaced, or the check is no verdict
AuthorFault      -> the exercise itself is broken: its author must mend it
"""

from __future__ import annotations

from typing import Any


class Broke(Exception):
    """The learner's program did not survive; `reason` is one word, the message a sentence."""

    def __init__(self, reason: str, message: str, log: str = "") -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.log = log


def _text(value: Any, limit: int) -> str:
    """What the sandbox says is text, if it is."""
    return value[:limit] if isinstance(value, str) else "?"


class Raised(Broke):
    """The learner's function raised. Every attribute is plain data."""

    def __init__(self, reply: dict[str, Any], args: tuple[Any, ...]) -> None:
        bases = reply.get("bases")
        self.type = _text(reply.get("type"), 200)
        self.bases = [_text(name, 200) for name in bases[:50]] if isinstance(bases, list) else []
        self.text = _text(reply.get("message"), 4000)
        self.values = args
        where = _text(reply.get("traceback"), 8000)
        super().__init__("crash", f"Your code raised {self.type}: {self.text}"[:1000], where)


class OutOfTime(Broke):
    """The check's time is over, whatever the test was doing."""

    def __init__(self) -> None:
        super().__init__("timeout", "The check did not finish in its time.")


def unreadable() -> Broke:
    """For an answer that no agent of ours gives."""
    return Broke("answer", "The sandbox sent what cannot be read.")


class SandboxLost(Broke):
    """The sandbox ended, or its agent stopped answering."""

    def __init__(self, message: str) -> None:
        super().__init__("sandbox", message)


class Fault(Exception):
    """Something of the grader's own failed; never the learner's zero."""


class ServerLost(Exception):
    """A server does not do what the runtime asks of it."""


class AuthorFault(Exception):
    """Something in the exercise's own files does not work."""
