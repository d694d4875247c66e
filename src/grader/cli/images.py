"""`grader images`: the container images that sessions are made of."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grader.cli import context as common
from grader.cli import output
from grader.errors import UsageError

if TYPE_CHECKING:
    from grader.engine.docker.images import Images

app = typer.Typer(rich_markup_mode=None)


@app.command()
def build(
    context: typer.Context,
    names: Annotated[
        list[str] | None, typer.Argument(help="Only these; all of them without a name.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Build also what is there, without a cache.")
    ] = False,
) -> None:
    """Build the images, or pull them from the registry in the settings."""
    from grader.cli.progress import watching
    from grader.report.text import counted

    images = _images(context)
    wanted = names or list(images.runners)
    for name in wanted:
        if name not in images.runners:
            raise UsageError(
                f"there is no image '{name}'", fix=f"images are: {', '.join(images.runners)}"
            )
    with watching(quiet=False) as listener:
        images.build(wanted, listener, force=force)
    output.say(f"{counted(len(wanted), 'image')} ready.")


@app.command("list")
def list_(context: typer.Context) -> None:
    """List the images: which are built, how large they are, their tags."""
    from rich.table import Table
    from rich.text import Text

    from grader.report.text import size

    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, justify="right")
    table.add_column(overflow="fold")
    images = _images(context).list()
    for image in images:
        state = Text(size(image.size), "green") if image.present else Text("not built", "dim")
        table.add_row(image.name, state, Text(image.tag, "dim"))
    screen = output.stdout()
    screen.print(table)
    if not all(image.present for image in images):
        screen.print(Text("\nBuild them with: grader images build"))


@app.command()
def save(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A new file, for all images.")],
) -> None:
    """Save all images in one file, for machines that cannot build them.

    Builds what is missing first. Exits with 2 when the file exists already.
    """
    from grader.cli.progress import watching
    from grader.report.text import counted, size

    images = _images(context)
    with watching(quiet=False) as listener:
        written = images.save(file, listener)
    output.say(f"{counted(len(images.runners), 'image')} in {file}, {size(written)}.")


@app.command()
def load(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A file that grader images save made.")],
) -> None:
    """Load the images that are not here from a file.

    Exits with 3 when the file does not hold what this installation of grader needs.
    """
    from grader.cli.progress import watching
    from grader.report.text import counted

    images = _images(context)
    with watching(quiet=False) as listener:
        brought = images.load(file, listener)
    here = len(images.runners) - len(brought)
    said = [f"{counted(len(brought), 'image')} loaded"] if brought else []
    said += [f"{counted(here, 'image')} here already"] if here else []
    output.say(f"{', '.join(said)}.")


@app.command()
def remove(context: typer.Context) -> None:
    """Remove every image that grader made and no container uses."""
    from grader.report.text import counted

    removed = _images(context).remove()
    for tag in removed:
        output.say(f"  {tag}")
    output.say(f"{counted(len(removed), 'image')} removed." if removed else "Nothing to remove.")


def _images(context: typer.Context) -> Images:
    from grader.engine.docker.connect import connect
    from grader.engine.docker.images import Images

    settings = common.settings(context)
    return Images(connect(settings), settings)
