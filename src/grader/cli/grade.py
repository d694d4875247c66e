"""`grader grade`: one submission, as a course or a pipeline grades it."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grader.cli import completion, output
from grader.cli import context as common
from grader.errors import UsageError
from grader.report.forms import Audience, Form

if TYPE_CHECKING:
    from grader.model.exercise import Exercise
    from grader.model.report import Report
    from grader.model.submission import Submission
    from grader.settings import Settings

STANDARD_INPUT = Path("-")


def grade(
    context: typer.Context,
    path: Annotated[
        Path, typer.Argument(help="A folder, a zip or tar archive, or - for one on standard input.")
    ],
    exercise: Annotated[
        str,
        typer.Option(
            metavar="SLUG|DIR",
            help="The exercise, by name or by its folder.",
            autocompletion=completion.exercises,
        ),
    ],
    form: Annotated[
        Form,
        typer.Option("--format", metavar="FORMAT", help=f"Form of the report: {', '.join(Form)}."),
    ] = Form.TEXT,
    output_file: Annotated[
        Path | None,
        typer.Option(
            "--output", metavar="FILE", help="Write it to this file instead of the screen."
        ),
    ] = None,
    report: Annotated[
        list[str] | None,
        typer.Option(metavar="FORMAT=FILE", help="Write one more report. May be repeated."),
    ] = None,
    audience: Annotated[
        Audience,
        typer.Option(help="A learner's report leaves out what the exercise keeps hidden."),
    ] = Audience.LEARNER,
    seed: Annotated[
        int | None, typer.Option(metavar="N", min=0, help="Repeat a run on the same inputs.")
    ] = None,
    learner: Annotated[
        str | None,
        typer.Option(
            metavar="ID", help="Whose it is: seeds come from the course's secret, see above."
        ),
    ] = None,
    sign: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write the report signed, with the key GRADER_SIGNING_KEY names."
        ),
    ] = None,
    trusted: Annotated[
        bool,
        typer.Option(
            "--trust-submissions", help="Also on an engine that does not hold programs back."
        ),
    ] = False,
) -> None:
    """Grade one submission on servers that nobody else has used.

    With --learner the inputs are those of this learner, exercise and submission, wherever it is
    graded: they come from the secret in the variable GRADER_COURSE_SECRET.

    Exits with 0 when it passed, 1 when it did not, 3 when grader itself failed (never a zero),
    4 when the submission cannot be graded as handed in.
    """
    from grader.catalog import find
    from grader.cli.outcome import Run
    from grader.cli.reports import Reports
    from grader.report.text import visible

    settings = common.settings(context)
    reports = Reports.wanted(form, output_file, report or (), audience)
    found = find(common.catalog_root(settings), exercise)
    key = _signing_key(settings, sign) if sign is not None else b""
    submission = _submission(path, found)
    own, seed = _seeds(settings, learner, seed, found, submission)
    run = Run(
        exercise=found,
        submission=submission,
        seed=seed,
        learner_seed=own,
        trusted=trusted,
        author=audience is Audience.INSTRUCTOR,
    )
    graded = run.grade(settings, quiet=False)
    options = ["--trust-submissions"] if trusted else []
    options += ["--learner", learner] if learner else []
    options += ["--audience", audience.value] if run.author else []
    again = _command(context, path, exercise, options)
    if sign is not None:
        _sign(sign, key, graded, learner or "", found, settings)
    reports.write(graded, again, settings.step_summary)
    output.tell(visible(f"the same verdict again: {again} --seed {graded.seed}"))
    raise typer.Exit(reports.exit_code(graded))


def _seeds(
    settings: Settings,
    learner: str | None,
    seed: int | None,
    exercise: Exercise,
    submission: Submission,
) -> tuple[int, int | None]:
    """The learner's own seed and that of the run; one that is given wins."""
    if learner is None:
        return 0, seed
    if not settings.course_secret:
        raise UsageError(
            "--learner needs the secret of the course",
            fix="set GRADER_COURSE_SECRET, to a long random text that learners do not know",
        )
    from grader.model.seeds import learner_seed, run_seed

    of = (settings.course_secret, learner, exercise.slug, exercise.version)
    return learner_seed(*of), run_seed(*of, submission.digest) if seed is None else seed


def _signing_key(settings: Settings, sign: Path) -> bytes:
    """The private key, before anything is graded: what cannot be signed is told at once."""
    from grader.cli.reports import check_writable
    from grader.cli.verify import has_cryptography

    has_cryptography()
    check_writable(sign)
    if settings.signing_key is None:
        raise UsageError(
            "--sign needs a key",
            fix="openssl genpkey -algorithm ed25519 -out key.pem; "
            "export GRADER_SIGNING_KEY=key.pem",
        )
    from grader.report.signed import private_key

    try:
        pem = settings.signing_key.read_bytes()
    except OSError as error:
        raise UsageError(
            f"{settings.signing_key}: {error.strerror}", fix="GRADER_SIGNING_KEY names the key"
        ) from None
    private_key(pem)
    return pem


def _sign(
    file: Path, key: bytes, report: Report, learner: str, exercise: Exercise, settings: Settings
) -> None:
    import hashlib

    from grader.catalog.digest import exercise_digest
    from grader.engine.registry import engine
    from grader.grade import spec_of
    from grader.report.signed import Origin, to_signed

    made_of = engine(settings).version(spec_of(exercise, ""))
    origin = Origin(
        exercise_digest=exercise_digest(exercise),
        made_of=hashlib.sha256(made_of.encode()).hexdigest(),
        learner=learner,
    )
    output.write_file(file, to_signed(report, origin, key))


def _submission(path: Path, exercise: Exercise) -> Submission:
    from grader.workspace import snapshot, snapshot_stream

    if path != STANDARD_INPUT:
        return snapshot(path, exercise.submit, exercise.limits)
    if sys.stdin.isatty():
        raise UsageError(
            "nothing comes in on standard input",
            fix="grader grade - --exercise ... < work.zip, or name a folder or an archive",
        )
    return snapshot_stream(sys.stdin.buffer, exercise.submit, exercise.limits)


def _command(context: typer.Context, path: Path, exercise: str, options: list[str]) -> str:
    """What grades the same work again, but for the seed. Standard input is gone by then."""
    flags: common.Flags = context.obj
    words = ["grader"]
    for name, value in (("--exercises", flags.exercises), ("--engine", flags.engine)):
        words += [name, str(value)] if value is not None else []
    work = "ARCHIVE" if path == STANDARD_INPUT else str(path)
    return shlex.join([*words, "grade", work, "--exercise", exercise, *options])
