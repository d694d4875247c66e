"""Mutation operators: what they change, and that the rest of the text stays."""

from __future__ import annotations

import pytest

from grader import shipped
from grader.authoring.operators import changes


def made(path: str, text: str) -> list[str]:
    return [one.apply(text) for one in changes(path, text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x = a < b", ["x = a <= b"]),
        ("x = (a)  not  in  b  # why", ["x = (a)  in  b  # why"]),
        ("x = a is not None", ["x = a is None"]),
        ("x = a == b != c", ["x = a != b != c", "x = a == b == c"]),
        ("x = é * (b + c)", ["x = é / (b + c)", "x = é * (b - c)"]),
        ("x = '%s' % a", ['x = "" % a']),
        ("x = a and b and c", ["x = a or b and c", "x = a and b or c"]),
        ("x = not a", ["x = a"]),
        ("x = 9", ["x = 10"]),
        ("x = 0.5", ["x = 1.5"]),
        ("x = True", ["x = False"]),
        ("x = 'text'", ['x = ""']),
        ("x = ''", []),
        ("x = f'a{b}c'", []),
        ("x += y", ["pass"]),
        ("def f(): return a", ["def f(): return None"]),
        ("def f(): return None", []),
        ("if a: b", ["if not (a): b"]),
        ("while True: break", ["while False: break"]),
        ("x = a if b else c", ["x = a if not (b) else c"]),
        ("f()", ["pass"]),
        ("'''text'''", []),
        ("for x in y: continue", ["for x in y: break"]),
        ("raise E", ["pass"]),
        ("try: a\nexcept E: b", ["try: a\nexcept (): b"]),
        ("x = f(a, b=c, d=e)", ["x = f(a, d=e)", "x = f(a, b=c)"]),
        ("x = f(a=b)", ["x = f()"]),
        ("x = f(a, **b)", ["x = f(a)"]),
    ],
)
def test_python(text: str, expected: list[str]) -> None:
    """One change each, in the order of the text; comments and blanks stay."""
    assert made("a.py", text) == expected


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("a.sql", "SELECT a FROM b WHERE c < 5", ["WHERE c <= 5", "WHERE c < 50"]),
        ("a.sql", "-- a < b\nSELECT ' < ' /* a < b */", []),
        ("a.sql", "a LEFT JOIN b", ["a JOIN b"]),
        ("a.sql", "a JOIN b", ["a LEFT JOIN b"]),
        ("a.sql", "a CROSS JOIN b", []),
        ("a.sql", "x integer NOT NULL UNIQUE", ["x integer UNIQUE", "x integer NOT NULL"]),
        ("a.sql", "check (a)", ["CHECK (true OR a)"]),
        ("a.sql", "a UNION ALL b", ["a UNION b"]),
        ("a.sql", "SELECT a FOR UPDATE", ["SELECT a"]),
        ("a.sql", "numeric(10, 2)", ["numeric(100, 2)", "numeric(10, 20)"]),
        ("a.sh", '[ "$a" -eq 1 ] && exit 0', ["$a -eq", '"$a" -ne', "1 ] || exit", "exit 1"]),
        ("a.sh", "# a && b", []),
        ("a.js", "await f(a);", ["f(a);", ";"]),
        ("a.js", "x = a === 'b && c';", ["x = a !== 'b && c';"]),
        ("a.js", "return a + b;", ["return;", "return a - b;"]),
        ("a.md", "a < b", []),
    ],
)
def test_other_languages(path: str, text: str, expected: list[str]) -> None:
    """By patterns, outside comments and texts."""
    found = made(path, text)
    assert len(found) == len(expected), found
    for part in expected:
        assert any(part in one for one in found), (part, found)


@pytest.mark.parametrize("slug", ["python-basics", "redis-caching"])
def test_every_change_of_a_reference_is_a_program(slug: str) -> None:
    """A mutant that cannot be compiled would be rejected by every test, and prove nothing."""
    for path in (shipped.exercises() / slug / "solution").glob("*.py"):
        found = made(path.name, path.read_text("utf-8"))
        assert len(found) > 30
        for text in found:
            compile(text, path.name, "exec")
