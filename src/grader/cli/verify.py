"""`grader verify`: whether a signed report is what the course's grader wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from grader.cli import output
from grader.errors import UsageError


def has_cryptography() -> None:
    """Raises UsageError when what signs is not installed."""
    from importlib.util import find_spec

    if find_spec("cryptography") is None:
        raise UsageError(
            "signatures are made with cryptography, which is not installed",
            fix="pip install 'grader[course]'",
        )


def verify(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A report of grade --report signed=FILE.")
    ],
    key: Annotated[
        Path, typer.Option(metavar="FILE", help="The public half of the key that signed it, PEM.")
    ],
    json: Annotated[
        bool, typer.Option("--json", help="Print the signed statement, with the whole report.")
    ] = False,
) -> None:
    """Tell whether a signed report is genuine, and what it says.

    Exits with 0 when it is, 1 when it was altered, forged or signed by somebody else.
    """
    has_cryptography()
    from grader.report.prose import verdict
    from grader.report.signed import LARGEST, NotGenuine, verified
    from grader.report.text import one_line, visible

    data, public = _read(file, LARGEST), _read(key, LARGEST)
    try:
        statement = verified(data, public)
    except NotGenuine as problem:
        output.tell(visible(f"{file} is not genuine: {problem}"))
        raise typer.Exit(1) from None
    report = statement.report
    if json:
        import msgspec

        output.write_bytes(msgspec.json.format(msgspec.json.encode(statement), indent=2) + b"\n")
        return
    rows = (
        ("verdict", verdict(report)),
        ("learner", statement.learner or "not said"),
        ("exercise", f"{report.exercise} version {report.exercise_version}"),
        ("seed", str(report.seed)),
        ("submission", f"SHA-256 {report.submission}"),
        ("tests", f"SHA-256 {statement.exercise_digest}"),
        ("made of", f"SHA-256 {statement.made_of}"),
    )
    output.say("Genuine.")
    for name, value in rows:
        output.say(f"  {name:<10}  {one_line(value)}")


def _read(path: Path, most: int) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", fix="name a file") from None
    if len(data) > most:
        raise UsageError(f"{path} is larger than {most} bytes", fix="name a signed report")
    return data
