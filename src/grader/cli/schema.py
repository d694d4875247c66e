"""`grader schema`: what an editor needs to complete and check exercise.yaml."""

from __future__ import annotations

from grader.cli import output


def schema() -> None:
    """Print the JSON Schema of exercise.yaml.

    An editor that is shown it completes keys and marks mistakes while you type.
    """
    import msgspec

    from grader.catalog.schema import exercise_schema

    output.write_bytes(
        msgspec.json.format(msgspec.json.encode(exercise_schema()), indent=2) + b"\n"
    )
