"""The JSON Schema for editors, and YAML read strictly."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from grader import shipped
from grader.catalog.parse import parse_exercise
from grader.catalog.schema import exercise_schema, roadmap_schema, size_in_bytes
from grader.catalog.yamldoc import read_yaml

VALID = Path(__file__).parent.parent / "data" / "exercises" / "valid"


def test_the_schemas_are_valid_json_schema() -> None:
    """Editors can use both schemas."""
    Draft202012Validator.check_schema(exercise_schema())
    Draft202012Validator.check_schema(roadmap_schema())


@pytest.mark.parametrize("name", ["word-count", "with-services"])
def test_the_schema_accepts_a_valid_exercise(name: str) -> None:
    """What grader accepts, the schema accepts."""
    value = yaml.safe_load((VALID / name / "exercise.yaml").read_text(encoding="utf-8"))
    assert list(Draft202012Validator(exercise_schema()).iter_errors(value)) == []


def test_the_schema_accepts_the_roadmap() -> None:
    """The roadmap that ships fits its schema."""
    value = yaml.safe_load((shipped.exercises() / "roadmap.yaml").read_text(encoding="utf-8"))
    assert list(Draft202012Validator(roadmap_schema()).iter_errors(value)) == []


@pytest.mark.parametrize(
    ("size", "expected"), [("1", 1), ("64k", 65_536), ("2m", 2 << 20), ("1g", 1 << 30), (7, 7)]
)
def test_sizes_are_in_bytes(size: int | str, expected: int) -> None:
    """Units are powers of 1024."""
    assert size_in_bytes(size) == expected


@given(st.text(max_size=200))
def test_any_text_is_read_without_an_exception(text: str) -> None:
    """Whatever the file holds, the answer is a value or a list of problems."""
    document = read_yaml(text, "x.yaml")
    assert document.value is not None or document.problems or "null" in text.lower() or "~" in text


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["slug", "tasks", "limits", "mutants", "submit", "x"]), inner
            )
        ),
        max_leaves=10,
    )
)
def test_any_value_gives_problems_not_an_exception(value: object) -> None:
    """No YAML value that is no exercise passes for one, or makes the reader fail."""
    assert parse_exercise(yaml.safe_dump(value), "x.yaml").problems


def test_reading_a_valid_exercise_does_not_import_jsonschema() -> None:
    """The slow import is paid only when a file is wrong."""
    code = (
        "import sys; from pathlib import Path; from grader.catalog import load_exercise;"
        f"load_exercise(Path({str(VALID / 'word-count')!r}));"
        "assert 'jsonschema' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
