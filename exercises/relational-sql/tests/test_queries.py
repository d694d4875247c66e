"""Hidden tests of relational-sql: the queries and the import."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from coop import Books
from tables import compare, put, same

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
        """Two orders of each member, who spends this much, and an empty one of another."""
        days = rng.sample(range(28), 2)
        mixed = rng.sample(books.members, len(books.members))
        books.order(mixed[-1], first, [])  # worth nothing, and so in no place
        for member, worth in zip(mixed, worths, strict=False):
            part = (worth / 3).quantize(Decimal("0.01"))
            for day, share in zip(days, (part, worth - part), strict=True):
                books.order_worth(member, first + timedelta(days=day), share)

    books = Books(rng)
    amounts = rng.sample(range(2000, 20_000), 30)
    amounts = [Decimal(amount).scaleb(-2) for amount in amounts]
    for number, first in enumerate((date(2023, 1, 1), date(2023, 2, 1), date(2024, 1, 1))):
        month(books, first, amounts[number * 5 : number * 5 + 5])
    books.load(postgres)
    message = (
        "There are three months here, and nobody spent the same as another one. In each month one "
        "member has only an order without lines, and NULL comes first in a descending order."
    )
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
        "Some categories are seven deep here, and nothing was sold in some of them.",
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
