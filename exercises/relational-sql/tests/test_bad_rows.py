"""Hidden tests of relational-sql: what the schema takes and refuses."""

from datetime import date
from decimal import Decimal

import pytest
from tables import put, refusal, refusal_to_delete

NOWHERE = 9_999_999
"""An id that no row has."""
GOOD = {
    "members": {"id": 100, "email": "cy@x.org", "name": "Cy", "balance": 10},
    "categories": {"id": 100, "name": "New", "parent_id": None},
    "products": {"id": 100, "name": "tea", "category_id": 5, "price": 2},
    "orders": {"id": 100, "member_id": 1, "placed_on": date(2024, 5, 1)},
    "order_lines": {"order_id": 3, "product_id": 1, "quantity": 1, "price": 2},
    "reviews": {"product_id": 3, "member_id": 1, "stars": 3},
    "transfers": {"sender_id": 1, "receiver_id": 2, "amount": 1, "made_at": date(2024, 5, 1)},
}
"""A row for each table that may join those of `some_books`."""
MAY_BE_MISSING = {("categories", "parent_id"), ("products", "category_id")}


def refused(connection, table, **changes):
    """Why PostgreSQL refuses the good row of this table with these changes."""
    return refusal(connection, table, {**GOOD[table], **changes})


def listed_lines(found):
    """A list for people to read: one line each, not too many."""
    more = [f"... and {len(found) - 8} more"] if len(found) > 8 else []
    return "\n".join(["", *(f"- {one}" for one in found[:8]), *more])


def some_books(postgres):
    """A few rows that are right, in every table."""
    put(
        postgres,
        "members",
        [
            {"id": 1, "email": "ann@x.org", "name": "Ann", "balance": Decimal("12.50")},
            {"id": 2, "email": "Bob@x.org", "name": "Bob", "balance": 0},
            {"id": 3, "email": "ann@y.org", "name": "Ann", "balance": Decimal("9999999999.99")},
        ],
    )
    put(
        postgres,
        "categories",
        [
            {"id": 1, "name": "Food", "parent_id": None},
            {"id": 2, "name": "Home", "parent_id": None},
            {"id": 3, "name": "Other", "parent_id": 1},
            {"id": 4, "name": "Other", "parent_id": 2},
            {"id": 5, "name": "Food", "parent_id": 4},
        ],
    )
    put(
        postgres,
        "products",
        [
            {"id": 1, "name": "rye", "category_id": 3, "price": Decimal("2.40")},
            {"id": 2, "name": "rye", "category_id": 3, "price": Decimal("2.40")},
            {"id": 3, "name": "leaflet", "category_id": None, "price": 0},
        ],
    )
    put(
        postgres,
        "orders",
        [
            {"id": 1, "member_id": 1, "placed_on": date(2024, 5, 1)},
            {"id": 2, "member_id": 1, "placed_on": date(2024, 5, 1)},
            {"id": 3, "member_id": 2, "placed_on": date(2019, 5, 1)},
        ],
    )
    put(
        postgres,
        "order_lines",
        [
            {"order_id": 1, "product_id": 1, "quantity": 1, "price": Decimal("2.40")},
            {"order_id": 1, "product_id": 2, "quantity": 900, "price": 0},
            {"order_id": 2, "product_id": 1, "quantity": 1, "price": Decimal("1.90")},
        ],
    )
    put(
        postgres,
        "reviews",
        [
            {"product_id": 1, "member_id": 1, "stars": 1},
            {"product_id": 1, "member_id": 2, "stars": 5},
            {"product_id": 2, "member_id": 1, "stars": 5},
        ],
    )
    put(postgres, "transfers", [{"sender_id": 1, "receiver_id": 2, "amount": Decimal("0.01")}] * 2)
    listed = {"product_id": 7, "name": "oats", "category_id": None, "price": Decimal("1.10")}
    put(postgres, "price_list", [{"line": n, **listed} for n in (1, 2)])


# 1. Keep bad rows out


@pytest.mark.check(task="schema", points=1)
def test_good_rows_are_taken(psql, postgres):
    """schema.sql loads, and its tables take good rows."""
    psql.file("schema.sql")
    some_books(postgres)
    with postgres.connect() as connection:
        reasons = [f"{table}: {reason}" for table in GOOD if (reason := refused(connection, table))]
    assert not reasons, "PostgreSQL refused rows that are right." + listed_lines(reasons)


@pytest.mark.check(task="schema", points=2, needs=["test_good_rows_are_taken"])
def test_missing_values(psql, postgres):
    """What is required cannot be missing; what is not given is filled in."""
    psql.file("schema.sql")
    some_books(postgres)
    taken = {}
    with postgres.connect() as connection:
        for table, row in GOOD.items():
            taken[table] = [
                column
                for column in row
                if (table, column) not in MAY_BE_MISSING
                and not refused(connection, table, **{column: None})
            ]
    found = [f"{table}: {', '.join(columns)}" for table, columns in taken.items() if columns]
    assert not found, (
        "PostgreSQL took NULL in these columns. (A CHECK alone does not refuse NULL.)"
        + listed_lines(found)
    )
    put(postgres, "members", [{"id": 100, "email": "cy@x.org", "name": "Cy"}])
    got = postgres.value("SELECT balance FROM members WHERE id = 100")
    assert got == 0, "A member without a balance should begin with 0."
    got = postgres.one(
        "SELECT count(DISTINCT id) AS ids, count(*) FILTER (WHERE made_at "
        "BETWEEN now() - interval '1 minute' AND now()) AS now FROM transfers"
    )
    assert got == {"ids": 2, "now": 2}, (
        "Two transfers were added without id and made_at. How many ids they have, and how many of "
        "them have the time of now:"
    )


@pytest.mark.check(task="schema", points=2, needs=["test_good_rows_are_taken"])
def test_doubles(psql, postgres):
    """What may be there once is refused the second time."""
    psql.file("schema.sql")
    some_books(postgres)
    transfer = postgres.value("SELECT id FROM transfers LIMIT 1")
    twice = {
        "an id of members": ("members", {"id": 1}),
        "an id of categories": ("categories", {"id": 2}),
        "an id of products": ("products", {"id": 2}),
        "an id of orders": ("orders", {"id": 2}),
        "an id of transfers": ("transfers", {"id": transfer}),
        "an email": ("members", {"email": "ann@x.org"}),
        "an email, with other letters than before": ("members", {"email": "aNN@x.org"}),
        "an email, with small letters": ("members", {"email": "bob@x.org"}),
        "a category below the same parent": ("categories", {"name": "Other", "parent_id": 1}),
        "a category at the top": ("categories", {"name": "Food", "parent_id": None}),
        "a product in one order": ("order_lines", {"order_id": 1, "quantity": 7}),
        "a review of one product by one member": ("reviews", {"product_id": 1}),
    }
    with postgres.connect() as connection:
        taken = [
            what for what, (table, row) in twice.items() if not refused(connection, table, **row)
        ]
    assert not taken, "PostgreSQL took these a second time." + listed_lines(taken)


@pytest.mark.check(task="schema", points=2, needs=["test_good_rows_are_taken"])
def test_impossible_values(psql, postgres):
    """Values that make no sense are refused."""
    psql.file("schema.sql")
    some_books(postgres)
    impossible = [
        ("members", "balance", Decimal("-0.01")),
        ("products", "price", Decimal("-0.01")),
        ("order_lines", "quantity", 0),
        ("order_lines", "quantity", -1),
        ("order_lines", "price", Decimal("-0.01")),
        ("reviews", "stars", 0),
        ("reviews", "stars", 6),
        ("transfers", "amount", 0),
        ("transfers", "amount", -5),
        ("transfers", "receiver_id", GOOD["transfers"]["sender_id"]),
    ]
    with postgres.connect() as connection:
        taken = [
            f"{table}: {column} is {value}" + ", the sender" * (column == "receiver_id")
            for table, column, value in impossible
            if not refused(connection, table, **{column: value})
        ]
    assert not taken, "PostgreSQL took rows like these." + listed_lines(taken)


@pytest.mark.check(task="schema", points=2, needs=["test_good_rows_are_taken"])
def test_references(psql, postgres):
    """Rows refer to rows that exist, also after a delete."""
    psql.file("schema.sql")
    some_books(postgres)
    references = [
        "categories.parent_id",
        "products.category_id",
        "orders.member_id",
        "order_lines.order_id",
        "order_lines.product_id",
        "reviews.product_id",
        "reviews.member_id",
        "transfers.sender_id",
        "transfers.receiver_id",
    ]
    with postgres.connect() as connection:
        taken = [
            f"{name} is {NOWHERE}"
            for name in references
            if not refused(connection, name.split(".")[0], **{name.split(".")[1]: NOWHERE})
        ]
    assert not taken, "PostgreSQL took the id of a row that is not there." + listed_lines(taken)
    members = [{"id": n, "email": f"m{n}@x.org", "name": "M"} for n in (101, 102, 103)]
    put(postgres, "members", members)
    put(postgres, "reviews", [{"product_id": 1, "member_id": 101, "stars": 2}])
    sent = [{"sender_id": 102, "receiver_id": 1}, {"sender_id": 1, "receiver_id": 103}]
    put(postgres, "transfers", [{**row, "amount": 1} for row in sent])
    named = {
        "a member with orders": ("members", 2),
        "a member with reviews": ("members", 101),
        "a member who sent money": ("members", 102),
        "a member who received money": ("members", 103),
        "a category with products": ("categories", 3),
        "a category with categories in it": ("categories", 4),
        "a product with order lines and reviews": ("products", 2),
    }
    with postgres.connect() as connection:
        gone = [
            name
            for name, (table, number) in named.items()
            if not refusal_to_delete(connection, table, number)
        ]
        stuck = refusal_to_delete(connection, "orders", 1)
    assert not gone, "These were deleted, although other rows name them." + listed_lines(gone)
    assert stuck is None, f"An order should take its lines along when it is deleted.\n{stuck}"
    postgres.execute("DELETE FROM orders WHERE id = 1")
    left = postgres.rows("SELECT order_id, product_id FROM order_lines ORDER BY 1, 2")
    assert left == [{"order_id": 2, "product_id": 1}], (
        "Order 1 was deleted; order 2 has one line. These lines are left."
    )
