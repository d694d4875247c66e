"""Runs an author's program in a sandbox, and gives back all that it left there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grader.judge.client import said
from grader.judge.errors import Fault, SandboxLost
from grader.judge.run import agent_of

SAID = 4000
"""Characters of what a program printed that are worth telling."""


def make(job: Mapping[str, Any]) -> dict[str, Any]:
    """Lay the job's files out, run its command, and read the files that it `wants` afterwards.

    The event has the exit `code`, or `broke` with the reason, what was `said`, and `files`, still
    in base64. Raises Fault when the sandbox itself failed.
    """
    client = agent_of(job["sandbox"])
    try:
        client.request("load", archive=job["archive"], env={})
        client.request("reset")
        ran = client.request(
            "run",
            within=job["timeout"],
            argv=job["argv"],
            stdin="",
            env={},
            files={},
            cwd=".",
            timeout=job["timeout"],
        )
        found = {name: client.request("read", path=name).get("content") for name in job["wants"]}
    except SandboxLost as error:
        raise Fault(f"the sandbox in which files are made: {error}") from None
    finally:
        client.close()
    return {
        "type": "made",
        "code": ran.get("code"),
        "broke": said(ran, "broke"),
        "said": "\n".join(said(ran, stream, 4 * SAID) for stream in ("stdout", "stderr")),
        "files": {name: content for name, content in found.items() if content is not None},
    }
