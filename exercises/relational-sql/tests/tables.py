"""Rows that go into the learner's tables, and tables that come out: compared, and as text."""

from collections import Counter
from datetime import date
from decimal import Decimal

import psycopg
from psycopg import sql

SHOWN = 5
"""Rows of a table that a message shows."""
REFUSED = ("22", "23", "P0")
"""Classes of SQLSTATE: bad data, a broken constraint, an exception that a trigger raised."""


def put(postgres, table, rows):
    """Load rows that are right; the check fails with PostgreSQL's words when they are refused."""
    try:
        postgres.load(table, rows)
    except psycopg.OperationalError:
        raise  # not what PostgreSQL thinks of the rows
    except psycopg.Error as error:
        raise AssertionError(
            f"Good rows could not be put into {table}.\n{what_it_says(error)}"
        ) from None


def what_it_says(error):
    """PostgreSQL's message and detail."""
    said = error.diag.message_primary or str(error)
    return f"PostgreSQL says: {said}" + (
        f"\n{error.diag.message_detail}" if error.diag.message_detail else ""
    )


def refusal(connection, table, row):
    """Why PostgreSQL refuses this row; None when it takes it. Nothing stays in the table."""
    # An id may be given also where PostgreSQL fills it in: OVERRIDING changes nothing elsewhere.
    statement = sql.SQL("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE VALUES ({})").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, row)),
        sql.SQL(", ").join(sql.Placeholder() * len(row)),
    )
    return _refusal(connection, statement, list(row.values()))


def refusal_to_delete(connection, table, number):
    """Why PostgreSQL refuses to delete the row with this id; None when it does."""
    statement = sql.SQL("DELETE FROM {} WHERE id = %s").format(sql.Identifier(table))
    return _refusal(connection, statement, [number])


def _refusal(connection, statement, values):
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(statement, values)
            connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
    except psycopg.OperationalError:
        raise
    except psycopg.Error as error:
        if (error.sqlstate or "")[:2] in REFUSED:
            return what_it_says(error)
        raise AssertionError(what_it_says(error)) from None
    return None


# -- comparing tables -----------------------------------------------------------------------------


def compare(answer, expected, columns, file, message):
    """The learner's table against the right rows. `columns` maps names to types."""
    assert answer.columns, f"The last statement of {file} gives no table."
    got = [name.lower() for name in answer.columns]
    assert got == list(columns), f"{file} should give these columns, in this order."
    rows = [_typed(row, columns, file) for row in answer.rows]
    same(rows, expected, columns, f"{message} These rows of {file} differ.")
    first = next((n for n, row in enumerate(rows) if row != expected[n]), None)
    if first is None:
        return
    got, wanted = as_text(columns, rows[first : first + 5], expected[first : first + 5])
    assert got == wanted, f"{file} gives the right rows, but not in the order that is asked for."


def same(rows, expected, columns, message):
    """The same rows, in any order; a failure shows those that are not on both sides."""
    got, wanted = as_text(columns, _missing(rows, expected), _missing(expected, rows))
    assert got == wanted, message


def _missing(rows, others):
    """The rows that are not among the others, sorted: so that two versions of one row meet."""
    left, found = Counter(others), []
    for row in rows:
        if left[row]:
            left[row] -= 1
        else:
            found.append(row)
    return sorted(found, key=lambda row: [(cell is None, cell) for cell in row])


def _typed(row, columns, file):
    return tuple(
        cell if cell is None else _value(cell, kind, f"{file}: {name}")
        for cell, (name, kind) in zip(row, columns.items(), strict=True)
    )


def _value(cell, kind, where):
    """Text of psql as a value; numbers and dates of any of PostgreSQL's types are fine."""
    if kind is str:
        return cell[:200]
    try:
        if kind is date:
            day, _, rest = cell[:40].partition(" ")
            assert not rest.strip("0:.+"), f"{where} should be a date, and is '{cell[:40]}'."
            return date.fromisoformat(day)
        number = Decimal(cell[:60])
        assert number.is_finite(), f"{where} should be a number, and is '{cell[:40]}'."
        return int(number) if number == int(number) and kind is int else number
    except (ArithmeticError, ValueError):
        what = "a date" if kind is date else "a number"
        raise AssertionError(f"{where} should be {what}, and is '{cell[:40]}'.") from None


def as_text(columns, *tables):
    """The first rows of tables with the same columns, each as people read them."""
    shown = [
        [["NULL" if cell is None else f"{cell}" for cell in row] for row in rows[:SHOWN]]
        for rows in tables
    ]
    widths = [
        max(len(name), *(len(row[n]) for rows in shown for row in rows), 0)
        for n, name in enumerate(columns)
    ]
    texts = []
    for rows, table in zip(shown, tables, strict=True):
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in [list(columns), *rows]
        ]
        lines += [] if rows else ["(no such row)"]
        lines += [f"... and {len(table) - SHOWN} more"] if len(table) > SHOWN else []
        texts.append("\n".join(lines) + "\n")
    return texts
