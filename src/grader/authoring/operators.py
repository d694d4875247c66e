"""Mutation operators: small changes of a source text, each of which should make a test fail.

Python is changed where its syntax tree says, so that every other character stays and the diff is
one line. SQL, shell and JavaScript are changed by patterns, outside comments and texts.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath


@dataclass(frozen=True, order=True)
class Change:
    """`text[begin:end]` becomes `new`; offsets are characters."""

    begin: int
    end: int
    new: str

    def apply(self, text: str) -> str:
        return text[: self.begin] + self.new + text[self.end :]


def changes(path: str, text: str) -> list[Change]:
    """Every change of a file, in order; none for a kind of file there are no operators for."""
    make = _BY_ENDING.get(PurePosixPath(path).suffix)
    found = set(make(text)) if make is not None else set()
    return sorted(one for one in found if one.apply(text) != text)


# -- Python ---------------------------------------------------------------------------------------

_COMPARE: dict[type[ast.AST], str] = {
    ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">", ast.Eq: "!=", ast.NotEq: "==",
    ast.In: "not in", ast.NotIn: "in", ast.Is: "is not", ast.IsNot: "is",
}  # fmt: skip
_BINARY: dict[type[ast.AST], str] = {
    ast.Add: "-", ast.Sub: "+", ast.Mult: "/", ast.Div: "*", ast.FloorDiv: "/", ast.Mod: "*",
    ast.Pow: "*", ast.LShift: ">>", ast.RShift: "<<", ast.BitOr: "&", ast.BitAnd: "|",
}  # fmt: skip


def _python(text: str) -> Iterator[Change]:
    """Raises SyntaxError."""
    source, tree = _Source(text), ast.parse(text)
    passed = {part for node in ast.walk(tree) for part in _no_values(node)}
    for node in ast.walk(tree):
        if node in passed:
            continue
        for kind, operator in _OPERATORS.items():
            if isinstance(node, kind):
                yield from operator(source, node)


def _no_values(node: ast.AST) -> Iterator[ast.AST]:
    """Texts that no program reads, and pieces of a text that have no place of their own."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield from (part for part in node.values if isinstance(part, ast.Constant))


class _Source:
    """Offsets of nodes: the tree counts lines, and bytes in them."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._lines = text.splitlines(keepends=True)
        self._starts = [0]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line))

    def _offset(self, line: int, column: int) -> int:
        text = self._lines[line - 1].encode()[:column].decode()
        return self._starts[line - 1] + len(text)

    def begin(self, node: ast.AST) -> int:
        return self._offset(node.lineno, node.col_offset)  # type: ignore[attr-defined]

    def end(self, node: ast.AST) -> int:
        return self._offset(node.end_lineno, node.end_col_offset)  # type: ignore[attr-defined]

    def of(self, node: ast.AST) -> str:
        return self.text[self.begin(node) : self.end(node)]

    def replace(self, node: ast.AST, new: str) -> Change:
        return Change(self.begin(node), self.end(node), new)

    def between(self, left: ast.AST, right: ast.AST, new: str) -> Iterator[Change]:
        """The operator between two operands; brackets and comments around it stay."""
        begin, end = self.end(left), self.begin(right)
        gap = self.text[begin:end]
        found = re.search(r"[^\s()\\]+(?:\s+(?:not|in)\b)?", gap)
        if found is not None and "#" not in gap:
            yield Change(begin + found.start(), begin + found.end(), new)


def _compare(source: _Source, node: ast.Compare) -> Iterator[Change]:
    operands = [node.left, *node.comparators]
    for left, operator, right in zip(operands, node.ops, operands[1:], strict=False):
        yield from source.between(left, right, _COMPARE[type(operator)])


def _binary(source: _Source, node: ast.BinOp) -> Iterator[Change]:
    text = isinstance(node.left, ast.Constant | ast.JoinedStr) and isinstance(node.op, ast.Mod)
    if type(node.op) in _BINARY and not text:
        yield from source.between(node.left, node.right, _BINARY[type(node.op)])


def _boolean(source: _Source, node: ast.BoolOp) -> Iterator[Change]:
    other = "or" if isinstance(node.op, ast.And) else "and"
    for left, right in zip(node.values, node.values[1:], strict=False):
        yield from source.between(left, right, other)


def _unary(source: _Source, node: ast.UnaryOp) -> Iterator[Change]:
    if isinstance(node.op, ast.Not):
        yield source.replace(node, source.of(node.operand))


def _constant(source: _Source, node: ast.Constant) -> Iterator[Change]:
    if isinstance(node.value, bool):
        yield source.replace(node, str(not node.value))
    elif isinstance(node.value, int | float):
        yield source.replace(node, repr(node.value + 1))
    elif isinstance(node.value, str) and node.value and source.text[source.begin(node)] in "'\"":
        yield source.replace(node, '""')


def _assigned(source: _Source, node: ast.AugAssign) -> Iterator[Change]:
    yield source.replace(node, "pass")


def _return(source: _Source, node: ast.Return) -> Iterator[Change]:
    if node.value is not None and not isinstance(node.value, ast.Constant):
        yield source.replace(node.value, "None")


def _condition(source: _Source, node: ast.If | ast.While | ast.IfExp) -> Iterator[Change]:
    if not isinstance(node.test, ast.Constant):
        yield source.replace(node.test, f"not ({source.of(node.test)})")


def _statement(source: _Source, node: ast.Expr) -> Iterator[Change]:
    if isinstance(node.value, ast.Call | ast.Await):
        yield source.replace(node, "pass")


def _jump(source: _Source, node: ast.stmt) -> Iterator[Change]:
    yield source.replace(node, "break" if isinstance(node, ast.Continue) else "pass")


def _handler(source: _Source, node: ast.ExceptHandler) -> Iterator[Change]:
    if node.type is not None:
        yield source.replace(node.type, "()")


def _call(source: _Source, node: ast.Call) -> Iterator[Change]:
    """Without one of its named arguments."""
    for keyword in node.keywords:
        end = source.end(keyword)
        behind = re.compile(r"\s*,\s*").match(source.text, end)
        before = re.compile(r"\s*,\s*$").search(
            source.text, source.begin(node), source.begin(keyword)
        )
        if behind is not None:
            yield Change(source.begin(keyword), behind.end(), "")
        elif before is not None:
            yield Change(before.start(), end, "")
        elif len(node.keywords) == 1 and not node.args:
            yield Change(source.begin(keyword), end, "")


_OPERATORS: dict[type[ast.AST] | tuple[type[ast.AST], ...], Callable[..., Iterator[Change]]] = {
    ast.Compare: _compare,
    ast.BinOp: _binary,
    ast.BoolOp: _boolean,
    ast.UnaryOp: _unary,
    ast.Constant: _constant,
    ast.AugAssign: _assigned,
    ast.Return: _return,
    (ast.If, ast.While, ast.IfExp): _condition,
    ast.Expr: _statement,
    (ast.Continue, ast.Raise, ast.Delete): _jump,
    ast.ExceptHandler: _handler,
    ast.Call: _call,
}

# -- others ---------------------------------------------------------------------------------------

Pattern = tuple[str, str]
_NUMBER: Pattern = (r"(?<![\w.$])([1-9][0-9]{0,3})(?![\w.]|\.[0-9])", "\\g<1>0")
_SQL: tuple[Pattern, ...] = (
    _NUMBER,
    (r" < ", " <= "), (r" <= ", " < "), (r" > ", " >= "), (r" >= ", " > "),
    (r" = ", " <> "), (r" (?:<>|!=) ", " = "), (r" \+ ", " - "), (r" - ", " + "), (r" \* ", " + "),
    (r"\bAND\b", "OR"), (r"\bOR\b(?! REPLACE)", "AND"), (r"\bLEFT (OUTER )?JOIN\b", "JOIN"),
    (r"(?<!LEFT )(?<!CROSS )\bJOIN\b", "LEFT JOIN"), (r"\bUNION ALL\b", "UNION"),
    (r"\bUNION\b(?! ALL)", "UNION ALL"), (r"\bDISTINCT (?!FROM|ON\b)", ""),
    (r" NOT NULL\b", ""), (r" UNIQUE\b", ""), (r"\bUNIQUE INDEX\b", "INDEX"),
    (r" PRIMARY KEY\b(?! \()", ""), (r" NULLS NOT DISTINCT\b", ""), (r" ON DELETE CASCADE\b", ""),
    (r" FOR (NO KEY )?UPDATE\b", ""), (r" DESC\b", ""), (r"\bmin\(", "max("), (r"\bmax\(", "min("),
    (r"\bsum\(", "max("), (r"\bavg\(", "max("), (r"\brank\(\)", "dense_rank()"),
    (r"\bdense_rank\(\)", "rank()"), (r"\brow_number\(\)", "rank()"), (r"\bNOT EXISTS\b", "EXISTS"),
    (r"(?<!NOT )\bEXISTS\b", "NOT EXISTS"), (r"\bIS NULL\b", "IS NOT NULL"),
    (r"\bIS NOT NULL\b", "IS NULL"), (r"\bNOT IN\b", "IN"), (r"\bPARTITION BY [\w.]+ ?", ""),
    (r"\bCHECK \((?=.)", "CHECK (true OR "), (r"\bDEFAULT [\w.]+(\(\))?", ""),
    (r" REFERENCES \w+( ?\(\w+\))?", ""), (r"\blower\(", "("), (r"\bcoalesce\(", "nullif("),
)  # fmt: skip
_SHELL: tuple[Pattern, ...] = (
    (r" -eq ", " -ne "), (r" -ne ", " -eq "), (r" -lt ", " -le "), (r" -le ", " -lt "),
    (r" -gt ", " -ge "), (r" -ge ", " -gt "), (r" -z ", " -n "), (r" -n ", " -z "),
    (r" && ", " || "), (r" \|\| ", " && "), (r" == ", " != "), (r" != ", " == "), (r" = ", " != "),
    (r'"(\$\w+|\$\{\w+\})"', r"\g<1>"), (r"\bexit 0\b", "exit 1"), (r"\bexit [1-9]\d*\b", "exit 0"),
    (r"(?m)^set -.*$", ":"), (r" >> ", " > "), (r"\bif !", "if"), (r" -r\b", ""),
    (r" -print0\b", ""),
    (r" --(?= )", ""),
)  # fmt: skip
_JAVASCRIPT: tuple[Pattern, ...] = (
    _NUMBER,
    (r" === ", " !== "), (r" !== ", " === "), (r" < ", " <= "), (r" <= ", " < "), (r" > ", " >= "),
    (r" >= ", " > "), (r" && ", " || "), (r" \|\| ", " && "), (r" \?\? ", " && "), (r" \+ ", " - "),
    (r" - ", " + "), (r" \* ", " / "), (r"\btrue\b", "false"), (r"\bfalse\b", "true"),
    (r"\bawait ", ""), (r"(?<=[(\s])!(?=[\w(])", ""), (r"\breturn (?=[^;\s])[^;{]+;", "return;"),
    (r"(?m)^(\s*)(?:await )?[\w.]+\([^;{}]*\);$", r"\g<1>;"), (r"\bcontinue;", "break;"),
)  # fmt: skip
# What is passed over: comments and texts. The body of a function in $$ is code.
_SKIP_SQL = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'", re.DOTALL)
_SKIP_SHELL = re.compile(r"(?m)(?:^|(?<=\s))#[^\n]*|'[^']*'")
_SKIP_JAVASCRIPT = re.compile(
    r"//[^\n]*|/\*.*?\*/|'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\"|`[^`]*`", re.DOTALL
)


def _textual(
    patterns: tuple[Pattern, ...], skip: re.Pattern[str], flags: int = 0
) -> Callable[[str], Iterator[Change]]:
    compiled = [(re.compile(old, flags), new) for old, new in patterns]

    def operators(text: str) -> Iterator[Change]:
        passed = [found.span() for found in skip.finditer(text)]
        for pattern, new in compiled:
            for found in pattern.finditer(text):
                if not any(begin < found.end() and found.start() < end for begin, end in passed):
                    yield Change(found.start(), found.end(), found.expand(new))

    return operators


_SCRIPT = _textual(_JAVASCRIPT, _SKIP_JAVASCRIPT)
_BY_ENDING: dict[str, Callable[[str], Iterator[Change]]] = {
    ".py": _python,
    ".sql": _textual(_SQL, _SKIP_SQL, re.IGNORECASE),
    **dict.fromkeys((".sh", ".bash"), _textual(_SHELL, _SKIP_SHELL)),
    **dict.fromkeys((".js", ".mjs", ".cjs", ".ts"), _SCRIPT),
}
