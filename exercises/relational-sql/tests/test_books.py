"""Hidden tests of relational-sql: the schema, the queries and the import."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from coop import Books, compare, put, refusal, refusal_to_delete, same

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
    twice = {
        "an id of members": ("members", {"id": 1}),
        "an id of categories": ("categories", {"id": 2}),
        "an id of products": ("products", {"id": 2}),
        "an id of orders": ("orders", {"id": 2}),
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


# 2. Lose nothing, count nothing twice

SALES = {"product_id": int, "sold": int, "reviews": int, "stars": Decimal}


@pytest.mark.check(task="joins", points=3, needs=["test_good_rows_are_taken"])
def test_sales_count_once(psql, postgres, rng):
    """sales.sql counts each piece and each review once."""
    psql.file("schema.sql")
    books = Books(rng)
    books.trade(books.products)
    books.load(postgres)
    compare(
        psql.file("queries/sales.sql"),
        books.sales(),
        SALES,
        "queries/sales.sql",
        "Every product here has several order lines and several reviews.",
    )


@pytest.mark.check(task="joins", points=2, needs=["test_sales_count_once"])
def test_sales_list_every_product(psql, postgres, rng):
    """sales.sql lists what nobody has bought or reviewed, too."""
    psql.file("schema.sql")
    books = Books(rng)
    books.trade(books.products[:18])
    silent = {row["id"] for row in books.products[:4]}
    unsold = {row["id"] for row in books.products[4:8]}
    books.reviews = [row for row in books.reviews if row["product_id"] not in silent]
    books.lines = [row for row in books.lines if row["product_id"] not in unsold]
    books.load(postgres)
    compare(
        psql.file("queries/sales.sql"),
        books.sales(),
        SALES,
        "queries/sales.sql",
        "Some products here have no order lines, some have no reviews, some have neither.",
    )


@pytest.mark.check(task="joins", points=2, needs=["test_good_rows_are_taken"])
def test_unused_categories(psql, postgres, rng):
    """unused.sql finds the categories with nothing in them."""
    psql.file("schema.sql")
    books = Books(rng)
    books.load(postgres)
    compare(
        psql.file("queries/unused.sql"),
        books.unused(),
        {"id": int, "name": str},
        "queries/unused.sql",
        "Some products are in no category, and some categories are in no other.",
    )


# 3. Compare rows with their neighbours


@pytest.mark.check(task="windows", points=3, needs=["test_good_rows_are_taken"])
def test_places(psql, postgres, rng):
    """places.sql gives the first three places of each month, with ties."""
    psql.file("schema.sql")
    columns = {"month": date, "place": int, "member_id": int, "spent": Decimal}

    def month(books, first, worths):
        """Two orders of each member, who spends this much; all in one month."""
        days = rng.sample(range(28), 2)
        for member, worth in zip(rng.sample(books.members, len(worths)), worths, strict=True):
            part = (worth / 3).quantize(Decimal("0.01"))
            for day, share in zip(days, (part, worth - part), strict=True):
                books.order_worth(member, first + timedelta(days=day), share)

    books = Books(rng)
    amounts = rng.sample(range(2000, 20_000), 30)
    amounts = [Decimal(amount).scaleb(-2) for amount in amounts]
    for number, first in enumerate((date(2023, 1, 1), date(2023, 2, 1), date(2024, 1, 1))):
        month(books, first, amounts[number * 5 : number * 5 + 5])
    books.load(postgres)
    message = "There are three months here, and nobody spent the same as another one."
    answer = psql.file("queries/places.sql")
    compare(answer, books.places(), columns, "queries/places.sql", message)

    one, two, three, four = sorted(amounts[16:20], reverse=True)
    seen = len(books.orders), len(books.lines)
    month(books, date(2025, 3, 1), [one, one, two, three])
    month(books, date(2025, 4, 1), [one, two, three, three, four])
    put(postgres, "orders", books.orders[seen[0] :])
    put(postgres, "order_lines", books.lines[seen[1] :])
    message = "Now there are months in which two members spent the same."
    answer = psql.file("queries/places.sql")
    compare(answer, books.places(), columns, "queries/places.sql", message)


@pytest.mark.check(task="windows", points=3, needs=["test_good_rows_are_taken"])
def test_history(psql, postgres, rng):
    """history.sql adds up each member's orders, one after the other."""
    psql.file("schema.sql")
    columns = {
        "member_id": int,
        "order_id": int,
        "spent": Decimal,
        "so_far": Decimal,
        "days": int,
    }
    books = Books(rng)
    for member in books.members[1:]:
        for day in rng.sample(range(400), rng.randrange(2, 6)):
            when = date(2024, 1, 1) + timedelta(days=day)
            books.order(member, when, rng.sample(books.products, rng.randrange(4)))
    books.order(books.members[1], date(2023, 5, 5), [])
    books.load(postgres)
    message = "No member has two orders on one day here, and some orders have no lines."
    answer = psql.file("queries/history.sql")
    compare(answer, books.history(), columns, "queries/history.sql", message)

    seen = len(books.orders), len(books.lines)
    for order in books.orders[: seen[0]]:
        member = {"id": order["member_id"]}
        for _ in range(2):
            books.order(member, order["placed_on"], rng.sample(books.products, 2))
    put(postgres, "orders", books.orders[seen[0] :])
    put(postgres, "order_lines", books.lines[seen[1] :])
    message = "Now members have several orders on one day; those count by their id."
    answer = psql.file("queries/history.sql")
    compare(answer, books.history(), columns, "queries/history.sql", message)


# 4. Walk the tree


@pytest.mark.check(task="tree", points=3, needs=["test_good_rows_are_taken"])
def test_tree(psql, postgres, rng):
    """tree.sql counts everything below a category, however deep."""
    psql.file("schema.sql")
    books = Books(rng)
    books.trade(books.products[:20])
    books.load(postgres)
    compare(
        psql.file("queries/tree.sql"),
        books.tree(),
        {"id": int, "path": str, "sold": int},
        "queries/tree.sql",
        "The categories are nine deep here, and nothing was sold in some of them.",
    )


# 5. Take in a price list

COLUMNS = ("id", "name", "category_id", "price")


def products(postgres):
    """What the table holds."""
    rows = postgres.rows(f"SELECT {', '.join(COLUMNS)} FROM products ORDER BY id")
    return [tuple(row.values()) for row in rows]


def listed(books, line, product_id, category=None):
    """One line of a price list."""
    return {
        "line": line,
        "product_id": product_id,
        "name": f"new name {books.rng.randrange(1000)}",
        "category_id": category,
        "price": books.money(),
    }


def after_import(before, price_list):
    """What the table should hold when the list is in."""
    rows = {row["id"]: tuple(row[column] for column in COLUMNS) for row in before}
    for line in {line["product_id"]: line for line in price_list}.values():  # the last one stays
        number = line["product_id"]
        category = line["category_id"] or (rows[number][2] if number in rows else None)
        rows[number] = (number, line["name"], category, line["price"])
    return [rows[number] for number in sorted(rows)]


@pytest.mark.check(task="upsert", points=3, needs=["test_good_rows_are_taken"])
def test_import_adds_and_changes(psql, postgres, rng):
    """import.sql adds, changes, and leaves the rest alone."""
    psql.file("schema.sql")
    books = Books(rng)
    books.trade(books.products[:6])
    books.load(postgres)
    numbers = [row["id"] for row in rng.sample(books.products, 12)]
    numbers += rng.sample(range(20_000, 30_000), 5)
    rng.shuffle(numbers)
    lines = [
        listed(books, number, product, rng.choice(books.categories)["id"] if number % 2 else None)
        for number, product in enumerate(numbers, start=1)
    ]
    put(postgres, "price_list", lines)
    for time in ("once", "a second time"):
        psql.file("queries/import.sql")
        same(
            products(postgres),
            after_import(books.products, lines),
            COLUMNS,
            f"The list was imported {time}. These rows of products differ.",
        )


@pytest.mark.check(task="upsert", points=2, needs=["test_import_adds_and_changes"])
def test_import_takes_the_last_line(psql, postgres, rng):
    """import.sql takes the last line of a product that is listed twice."""
    psql.file("schema.sql")
    books = Books(rng)
    books.load(postgres)
    several = [row["id"] for row in rng.sample(books.products, 4)]
    several += rng.sample(range(20_000, 30_000), 3)
    numbers = several * 3 + [row["id"] for row in books.products if row["id"] not in several][:3]
    rng.shuffle(numbers)
    # Every line but the last has a category: one that does not count must leave no trace.
    lines = [
        listed(books, line, product, rng.choice(books.categories)["id"])
        for line, product in enumerate(numbers, start=1)
    ]
    for product in several[::2]:
        last = max(line["line"] for line in lines if line["product_id"] == product)
        lines[last - 1]["category_id"] = None
    shuffled = rng.sample(lines, len(lines))
    put(postgres, "price_list", shuffled)
    psql.file("queries/import.sql")
    same(
        products(postgres),
        after_import(books.products, lines),
        COLUMNS,
        "Some products have three lines in the list. The one with the highest `line` counts, and "
        "the others leave no trace. These rows of products differ.",
    )
