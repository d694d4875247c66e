"""What `grader --help` says. It needs no library, so that it is on the screen at once."""

from __future__ import annotations

from collections.abc import Mapping

COMMANDS: Mapping[str, Mapping[str, str]] = {
    "Learn": {
        "roadmap": "Show the way to a backend job, topic by topic.",
        "start": "Make a folder of your own for one exercise.",
        "check": "Grade your work and see what to do next.",
        "hint": "Show one more hint for the task that failed last.",
        "explain": "Show what one check looked at, step by step.",
        "run": "Run a program or a command in the sandbox, as tests would.",
        "shell": "Open a shell in the sandbox, or the client of a server.",
        "up": "Start the servers of the exercise ahead.",
        "logs": "Show what your programs printed in the last check.",
        "solution": "Show the author's solution, after passing or giving up.",
        "reset": "Put the files of the start back; yours are kept.",
        "update": "Bring in a new version of the exercise; your files stay.",
        "submit": "Check, then write the archive to hand in.",
        "next": "Say what to do now, and with which commands.",
    },
    "Your record": {
        "status": "Show every exercise that you began, and how far you are.",
        "history": "Show every attempt at one exercise.",
        "export": "Write your record to a file that can be merged.",
        "import": "Put another record into yours.",
    },
    "Grade for others": {
        "grade": "Grade one submission, as a course or a pipeline does.",
        "batch": "Grade a whole class, and keep every result.",
        "verify": "Tell whether a signed report is genuine.",
        "gradebook": "Show what a class achieved, as a table, pages or CSV.",
    },
    "Write exercises": {
        "new": "Make a small exercise that is right, to be turned into yours.",
        "validate": "Prove that an exercise's hidden tests are right.",
        "mutate": "See which small mistakes the hidden tests overlook.",
        "attack": "Prove that dishonest submissions earn nothing.",
        "try": "Run anything against an exercise, with everything shown.",
        "schema": "Print the JSON Schema of exercise.yaml, for editors.",
    },
    "This machine": {
        "doctor": "Say whether checks can run here, and what to mend.",
        "images": "Build, list, save, load or remove the container images.",
        "report-bug": "Write a file for a bug report, without anything of yours.",
        "completion": "Print what lets your shell complete exercises and tasks.",
        "stop": "End the sessions that earlier checks left warm.",
    },
}
"""Heading -> command -> one line."""

OPTIONS: Mapping[str, str] = {
    "--exercises DIR": "Use the exercises in this folder.",
    "--engine NAME": "Make sessions with this engine.",
    "--debug": "Show the traceback of an error; may stand anywhere.",
    "--version": "Show the version and exit.",
    "--help": "Show this, or explain one command: grader COMMAND --help.",
}


def summary(command: str) -> str:
    """The one line of a command. Raises KeyError for an unknown one."""
    return {name: line for group in COMMANDS.values() for name, line in group.items()}[command]


def text() -> str:
    """The whole screen, without the last line feed."""
    lines = [
        "Learn backend development with real exercises, graded against real servers.",
        "",
        "Usage: grader [OPTIONS] COMMAND [ARGUMENTS]",
    ]
    for heading, entries in (*COMMANDS.items(), ("Options", OPTIONS)):
        lines += ["", heading, *(f"  {name:<17}{line}" for name, line in entries.items())]
    return "\n".join([*lines, "", "Begin with: grader"])
