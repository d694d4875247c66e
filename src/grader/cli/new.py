"""`grader new`: an exercise to begin with."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from grader.cli import context as common
from grader.cli import output


def new(
    context: typer.Context,
    exercise: Annotated[
        Path, typer.Argument(metavar="EXERCISE", help="Its name, or the folder to make.")
    ],
    topic: Annotated[str, typer.Option(metavar="TOPIC", help="A topic of the roadmap.")],
    runner: Annotated[
        str, typer.Option(metavar="NAME", help="The language: python, node, shell or sql.")
    ] = "python",
    kind: Annotated[
        str | None,
        typer.Option(
            metavar="KIND",
            help="What the learner writes: function, program, http or sql.",
            show_default="by the runner",
        ),
    ] = None,
    service: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="A server beside it: postgres, redis, mongodb. May be repeated.",
        ),
    ] = None,
    title: Annotated[
        str, typer.Option(metavar="TEXT", help="What learners see.", show_default="its name")
    ] = "",
) -> None:
    """Make a small exercise that is right, to be turned into yours.

    Nothing that exists is overwritten.
    """
    from rich.text import Text

    from grader import shipped
    from grader.authoring.new import Wanted, make
    from grader.catalog import load_exercise, load_roadmap
    from grader.engine import runners
    from grader.report.text import one_line

    roadmap = load_roadmap(common.catalog_root(common.settings(context)))
    known = runners.load(shipped.runners()).values()
    wanted = Wanted(
        folder=exercise,
        topic=topic,
        runner=runner,
        kind=kind,
        services=tuple(service or ()),
        title=title,
    )
    made = make(wanted, roadmap, [one.name for one in known if one.kind == "service"])
    found = load_exercise(exercise, roadmap=roadmap)
    screen = output.stdout()
    screen.print(Text.assemble((found.title, "bold"), f"  made in {one_line(str(exercise))}:"))
    for path in made:
        screen.print(Text(f"  {path.relative_to(exercise).as_posix()}"))
    where = str(exercise) if exercise.is_absolute() else f"./{exercise}"
    steps = (
        (f"grader validate {shlex.quote(where)}", "it is right as it is: see how that is proven"),
        ("edit the files", "README.md first, then tests/, solution/, starter/, mutants"),
        (f"grader validate {shlex.quote(where)}", "after every change"),
    )
    screen.print(Text("\nNext:", "bold"))
    for command, why in steps:
        screen.print(Text(f"  {command}", "cyan"), crop=False, soft_wrap=True)
        screen.print(Text(f"      {why}", "dim"))
