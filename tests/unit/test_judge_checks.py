"""Hidden tests as checks: read from their marks, chosen, put in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from grader.judge.checks import Check, NotWellFormed, order, read, select, shuffled


def check(name: str, *needs: str, function: str = "") -> Check:
    return Check(id=name, name=function or name, task="t", title="T", needs=needs)


def ids(checks: Iterable[Check]) -> list[str]:
    return [one.id for one in checks]


ALL = [
    check("test_a"),
    check("test_b[1]", "test_a", function="test_b"),
    check("test_b[2]", "test_a", function="test_b"),
    check("test_c", "test_b"),
    check("test_d"),
]


@pytest.mark.parametrize(
    ("only", "chosen"),
    [
        ([], ["test_a", "test_b[1]", "test_b[2]", "test_c", "test_d"]),
        (["test_d"], ["test_d"]),
        (["test_b[2]"], ["test_a", "test_b[2]"]),
        (["test_b"], ["test_a", "test_b[1]", "test_b[2]"]),
        (["test_c"], ["test_a", "test_b[1]", "test_b[2]", "test_c"]),
        (["test_d", "test_a"], ["test_a", "test_d"]),
        (["test_x"], []),
    ],
)
def test_what_is_asked_for_brings_what_it_needs(only: list[str], chosen: list[str]) -> None:
    """By id or by function, in the order of the file, with needs of needs."""
    assert ids(select(ALL, only)) == chosen


def test_two_checks_of_one_name_are_refused() -> None:
    """An id must tell which check is meant."""
    with pytest.raises(NotWellFormed, match="two checks are called test_a"):
        select([*ALL, check("test_a")], [])


def test_needs_in_a_circle_do_not_hang_the_choice() -> None:
    """Choosing ends; putting in order then says what is wrong."""
    circle = [check("test_a", "test_b"), check("test_b", "test_a")]
    assert ids(select(circle, ["test_a"])) == ["test_a", "test_b"]


def test_checks_come_after_what_they_need() -> None:
    """Else the order is that of the file."""
    listed = [check("test_c", "test_a"), check("test_b"), check("test_a"), check("test_d")]
    assert ids(order(listed)) == ["test_b", "test_a", "test_c", "test_d"]
    assert ids(order(ALL)) == ids(ALL)


def test_all_parameters_come_first() -> None:
    """Needing a function means all its parameters."""
    listed = [check("test_c", "test_b"), *ALL[1:3], ALL[0]]
    assert ids(order(listed)) == ["test_a", "test_b[1]", "test_b[2]", "test_c"]


@pytest.mark.parametrize("needs", [("test_a", "test_b"), ("test_b", "test_a")])
def test_a_circle_is_named(needs: tuple[str, str]) -> None:
    """The author is told which checks need each other."""
    circle = [check("test_a", needs[1]), check("test_b", needs[0])]
    if needs[1] == "test_b":
        with pytest.raises(NotWellFormed, match=r"circle: test_a, test_b"):
            order(circle)
    else:
        with pytest.raises(NotWellFormed, match=r"circle: test_a"):
            order([check("test_a", "test_a")])


PLACES = {
    "test_a": ("a.py", "test_a"),
    "test_b[1]": ("a.py", "test_b[1]"),
    "test_b[2]": ("a.py", "test_b[2]"),
    "test_c": ("b.py",),  # marked keep, as the next
    "test_d": ("b.py",),
}


def test_every_seed_gives_an_order_of_its_own() -> None:
    """The same seed gives the same order; ten seeds give more than one."""
    orders = [ids(shuffled(ALL, PLACES, seed)) for seed in range(10)]
    assert orders == [ids(shuffled(ALL, PLACES, seed)) for seed in range(10)]
    assert all(sorted(one) == sorted(ids(ALL)) for one in orders)
    assert len({tuple(one) for one in orders}) > 3


def test_what_is_kept_together_stays_in_file_order() -> None:
    """Modules stay whole, and the checks of a kept one are not moved."""
    for seed in range(20):
        found = ids(shuffled(ALL, PLACES, seed))
        assert found.index("test_d") == found.index("test_c") + 1
        assert found.index("test_c") in (0, 3)


# -- marks ------------------------------------------------------------------------------------


def item(function: Callable[..., Any], *marks: pytest.Mark, **params: Any) -> Any:
    """A test as pytest collects it; the mark nearest to the test comes first."""
    made = pytest.Function.__new__(pytest.Function)
    made.name = function.__name__ + (f"[{'-'.join(map(str, params.values()))}]" if params else "")
    made.originalname = function.__name__
    made._obj = function
    made.iter_markers = lambda name=None: iter(marks)  # type: ignore[method-assign]
    if params:
        named = SimpleNamespace(params=params, id=made.name.partition("[")[2][:-1], marks=[])
        made.callspec = named  # type: ignore[assignment]
    return made


def mark(*args: Any, **kwargs: Any) -> pytest.Mark:
    return pytest.Mark("check", args, kwargs, _ispytest=True)


def titled() -> None:
    """The title is this line.

    And not this one.
    """


def named(size: int) -> None:
    """Size {size} of {id} keeps {braces} and {}."""


def test_a_mark_is_read() -> None:
    """Every key reaches the check; what is not said has its default."""
    assert read(item(titled, mark("t"))) == Check(
        id="titled", name="titled", task="t", title="The title is this line."
    )
    full = mark(
        task="t", points=3, needs=["test_x"], show="title", hint="H.", seconds=2, reveal_after=4
    )
    assert read(item(titled, full)).as_json() == {
        "id": "titled",
        "task": "t",
        "title": "The title is this line.",
        "points": 3,
        "needs": ["test_x"],
        "show": "title",
        "hint": "H.",
        "seconds": 2,
        "reveal_after": 4,
    }


def test_the_nearer_mark_wins_key_by_key() -> None:
    """A function's mark changes what it names and keeps the rest of its module's."""
    found = read(item(named, mark(points=3), mark("t", points=1, hint="H."), size=2))
    assert (found.id, found.name) == ("named[2]", "named")
    assert (found.task, found.points, found.hint) == ("t", 3, "H.")


MARKED = """
import pytest

pytestmark = pytest.mark.check("module", seconds=9, show="title")


@pytest.mark.parametrize(
    "size", [pytest.param(1, marks=pytest.mark.check(task="own", points=3)), 2]
)
@pytest.mark.check(task="function", points=2, show="full")
def test_size(size):
    \"\"\"Size {size}.\"\"\"
"""


def test_the_mark_of_one_parameter_wins(tmp_path: Path) -> None:
    """As pytest itself collects them: parameter before function before module."""
    (tmp_path / "test_marked.py").write_text(MARKED)
    collected: list[pytest.Item] = []

    class Collector:
        def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
            collected.extend(items)

    arguments = ["--collect-only", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path)]
    arguments += ["-c", "/dev/null", "-o", "markers=check"]
    pytest.main([*arguments, str(tmp_path)], plugins=[Collector()])
    one, two = map(read, collected)
    assert (one.task, one.points, one.seconds, one.show) == ("own", 3, 9, "full")
    assert (two.task, two.points, two.seconds, two.show) == ("function", 2, 9, "full")


def test_parameters_are_filled_into_the_title() -> None:
    """Only names of parameters and the id are; other braces are left alone."""
    found = read(item(named, mark("t"), size=2))
    assert found.title == "Size 2 of 2 keeps {braces} and {}."


def untitled() -> None:
    assert untitled.__doc__ is None


@pytest.mark.parametrize(
    ("function", "marks", "said"),
    [
        (titled, [], "no task"),
        (titled, [mark()], "no task"),
        (titled, [mark(3)], "no task"),
        (titled, [mark("t", poins=3)], "unknown key 'poins'"),
        (untitled, [mark("t")], "docstring"),
    ],
)
def test_what_is_not_well_formed_is_said(
    function: Callable[..., Any], marks: list[pytest.Mark], said: str
) -> None:
    """The message names the test and what its mark lacks."""
    with pytest.raises(NotWellFormed, match=said) as caught:
        read(item(function, *marks))
    assert function.__name__ in str(caught.value)


def test_only_functions_can_be_checks() -> None:
    """A doctest or another plugin's item is none."""
    with pytest.raises(NotWellFormed, match="only test functions"):
        read(SimpleNamespace(name="README.md"))  # type: ignore[arg-type]  # that is the point
