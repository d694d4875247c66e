"""Checks are read from the source of hidden tests, which is never run."""

from __future__ import annotations

from textwrap import dedent

import pytest

from grader.catalog.checks import FoundChecks, find_checks

CHECK = '@pytest.mark.check(task="a")'


def read(source: str, tasks: list[str] | None = None) -> FoundChecks:
    return find_checks({"tests/test_x.py": dedent(source)}, tasks or ["a"])


def parameters(*marks: str, before: str = "") -> tuple[str, ...] | None:
    lines = "\n".join(marks)
    found = read(f'{before}\n{lines}\n{CHECK}\ndef test_x(x):\n    """T."""\n')
    assert found.problems == ()
    return found.checks[0].parameters


def complaints(*marks: str, before: str = "") -> list[str]:
    lines = "\n".join(marks)
    found = read(f'{before}\n{lines}\n{CHECK}\ndef test_x(x):\n    """T."""\n')
    return [problem.message for problem in found.problems]


def test_a_test_module_is_never_run() -> None:
    """Reading a file that would end the process has no effect."""
    found = read('import os\nos._exit(3)\n@mark.check("a")\ndef test_x():\n    """T."""\n')
    assert [check.declaration.name for check in found.checks] == ["test_x"]


@pytest.mark.parametrize(
    ("mark", "ids"),
    [
        (
            '@pytest.mark.parametrize("x", [1, -2, True, None, "a b", 1.5])',
            "1 -2 True None a_b 1.5",
        ),
        ('@pytest.mark.parametrize("x,y", [(1, "a"), (2, "b")])', "1-a 2-b"),
        ('@pytest.mark.parametrize(["x"], [(1,), (2,)], ids=("one", "two"))', "one two"),
        ('@pytest.mark.parametrize("x", [pytest.param([1], id="one"), 2])', "one 2"),
        ('@pytest.mark.parametrize("x", [pytest.param(make(), id="made")])', "made"),
        ('@pytest.mark.parametrize("x", make(), ids=["one"])', "one"),
    ],
)
def test_static_ids_are_known(mark: str, ids: str) -> None:
    """Ids that pytest will make are known when the source says them."""
    assert parameters(mark) == tuple(name.replace("_", " ") for name in ids.split())


def test_stacked_parameters_combine_as_in_pytest() -> None:
    """The mark nearest to the function comes first in the id."""
    marks = ['@pytest.mark.parametrize("x", [1, 2])', '@pytest.mark.parametrize("y", ["a"])']
    assert parameters(*marks) == ("a-1", "a-2")


def test_constants_of_the_module_count_as_literals() -> None:
    """A name that is assigned a literal once stands for it."""
    assert parameters('@pytest.mark.parametrize("x", ALL)', before="ALL = (1, 2)") == ("1", "2")
    assert parameters('@pytest.mark.parametrize("x", ALL)', before="ALL: list[int] = [3]") == ("3",)


@pytest.mark.parametrize(
    ("mark", "before"),
    [
        ('@pytest.mark.parametrize("x", make())', ""),
        ('@pytest.mark.parametrize("x", range(3))', ""),
        ('@pytest.mark.parametrize("x", [seed])', ""),
        ('@pytest.mark.parametrize("x", ALL)', "ALL = make()"),
        ('@pytest.mark.parametrize("x", ALL)', "ALL = [1]\nALL = [2]"),
        ('@pytest.mark.parametrize("x", [1], ids=str)', ""),
        ('@pytest.mark.parametrize("x", [pytest.param(1, id=make())])', "def make(): ..."),
        ('@pytest.mark.parametrize("x", [pytest.param(make())])', ""),
        ('@pytest.mark.parametrize("x", [n for n in (1, 2)])', ""),
    ],
)
def test_computed_ids_are_refused(mark: str, before: str) -> None:
    """An id that could differ on another seed is a problem."""
    got = complaints(mark, before=before)
    assert len(got) == 1
    assert got[0].startswith("the ids of this parametrize could depend on the seed")


def test_classes_and_blocks_are_looked_into() -> None:
    """A test in a nested class or under `if` is a check, too."""
    found = read(
        f"""
        class TestA:
            class TestB:
                {CHECK}
                def test_one(self):
                    "One."

        if True:
            {CHECK}
            def test_two():
                "Two."

        def helper():
            def test_inner():
                pass
        """
    )
    assert [check.declaration.name for check in found.checks] == ["test_one", "test_two"]
    assert found.problems == ()


def test_parametrized_classes_give_their_ids() -> None:
    """A mark on the class holds for its tests."""
    found = read(
        f"""
        @pytest.mark.parametrize("x", [1, 2])
        class TestA:
            {CHECK}
            def test_one(self, x):
                "One."
        """
    )
    assert found.checks[0].parameters == ("1", "2")


def test_a_long_cycle_is_named_once() -> None:
    """The message walks round the circle and back to where it began."""
    source = "".join(
        f'@pytest.mark.check(task="a", needs=["test_{needs}"])\ndef test_{name}():\n    "T."\n'
        for name, needs in (("a", "b"), ("b", "c"), ("c", "d"), ("d", "b"))
    )
    assert [problem.message for problem in read(source).problems] == [
        "the checks need each other in a circle: test_b -> test_c -> test_d -> test_b"
    ]


def test_needs_that_meet_again_are_no_cycle() -> None:
    """Two ways to the same check are fine."""
    source = "".join(
        f'@pytest.mark.check(task="a", needs={needs!r})\ndef test_{name}():\n    "T."\n'
        for name, needs in (
            ("a", []),
            ("b", ["test_a"]),
            ("c", ["test_a"]),
            ("d", ["test_b", "test_c"]),
        )
    )
    assert read(source).problems == ()


def test_a_broken_file_does_not_make_needs_unknown() -> None:
    """While one file cannot be read, names it may hold are not called unknown."""
    good = '@pytest.mark.check(task="a", needs=["test_other"])\ndef test_x():\n    "T."\n'
    found = find_checks({"a.py": good, "b.py": "def test_other(:\n"}, ["a"])
    assert [(problem.file, problem.line) for problem in found.problems] == [("b.py", 1)]
    assert not found.complete


@pytest.mark.parametrize(
    ("name", "known"),
    [("test_x", True), ("test_x[1]", True), ("test_x[2]", False), ("test_y", False)],
)
def test_names_mean_a_check_or_one_parameter(name: str, known: bool) -> None:
    """A base name means all parameters; a bracket means one that exists."""
    source = f'@pytest.mark.parametrize("x", [1])\n{CHECK}\ndef test_x(x):\n    "T."\n'
    assert read(source).checks[0].answers_to(name) is known
