"""Products, orders and customers, and what the learner's service answered, as plain values."""

import json
import re

import httpx
import pytest

POOL_SIZE = 4  # as in exercise.yaml
NAMES = ["Åsa & Co", "Björn + Zoé", "50% Espresso & more", "#1 Café", "名人 & 朋友"]


def new_customer(rng):
    return f"{rng.choice(NAMES)} {rng.randrange(10**9)}"


def new_products(postgres, rng, count, stock=None):
    """New products, sorted by sku."""
    products = [
        {
            "sku": f"BEAN-{number}",
            "price_cents": rng.randrange(300, 4000),
            "stock": rng.randrange(20, 500) if stock is None else stock,
        }
        for number in sorted(rng.sample(range(10**6, 10**7), count))
    ]
    postgres.load("products", products)
    return products


def stock_of(postgres, products):
    rows = postgres.rows("SELECT sku, stock FROM products")
    skus = {product["sku"] for product in products}
    return {row["sku"]: row["stock"] for row in rows if row["sku"] in skus}


def stocks(products, taken=()):
    """What is left of each product after `taken` (sku -> quantity)."""
    taken = dict(taken)
    return {each["sku"]: each["stock"] - taken.get(each["sku"], 0) for each in products}


def lines_for(products, quantities):
    """The lines of a request."""
    pairs = zip(products, quantities, strict=True)
    return [{"sku": product["sku"], "quantity": quantity} for product, quantity in pairs]


def answered(products, lines):
    """The lines and the total of an order, as the service should answer them."""
    prices = {product["sku"]: product["price_cents"] for product in products}
    priced = [{**line, "price_cents": prices[line["sku"]]} for line in lines]
    total = sum(line["quantity"] * line["price_cents"] for line in priced)
    return {"lines": by_sku(priced), "total_cents": total}


def by_sku(lines):
    try:
        return sorted(lines, key=lambda line: line["sku"])
    except (KeyError, TypeError):
        return lines


def value_of(answer):
    """The JSON of an answer, with the lines of an order sorted; as text when it is no JSON."""
    try:
        value = json.loads(answer.content)
    except ValueError:
        return answer.content[:300].decode(errors="replace")
    if isinstance(value, dict) and isinstance(value.get("lines"), list):
        value["lines"] = by_sku(value["lines"])
    return value


def post(shop, customer, lines, **options):
    """The answer to an order."""
    return shop.http.post("/orders", json={"customer": customer, "lines": lines}, **options)


def status_of(send, *args, **options):
    """The status of an answer; words when none came."""
    try:
        return send(*args, **options).status_code
    except httpx.TimeoutException:
        return "no answer in time"
    except httpx.TransportError:
        return "no answer"


def placed(shop, customer, lines):
    """The id of a new order."""
    answer = post(shop, customer, lines)
    assert answer.status_code == 201, "POST /orders with a right order should answer 201."
    order_id = value_of(answer).get("id")
    if type(order_id) is not int:
        pytest.fail("The answer to POST /orders should be the order, with an integer as id.")
    return order_id


def stored_orders(postgres, rng, customers, products):
    """Orders that are there already, one for each customer named; as they should be answered."""
    stored = []
    for customer in customers:
        lines = lines_for(
            chosen := rng.sample(products, rng.randint(1, 3)),
            [rng.randint(1, 9) for _ in chosen],
        )
        order = {"customer": customer, "status": "placed", **answered(products, lines)}
        insert = "INSERT INTO orders (customer, total_cents) VALUES (%s, %s) RETURNING id"
        order["id"] = postgres.value(insert, (customer, order["total_cents"]))
        stored.append(order)
    rows = [{"order_id": order["id"], **line} for order in stored for line in order["lines"]]
    postgres.load("order_lines", rows)
    return stored


def page_at(shop, address):
    """The orders and the next address of one page."""
    answer = shop.http.get(address)
    assert answer.status_code == 200, f"GET {address[:200]} should answer with a page of orders."
    page = value_of(answer)
    if not isinstance(page, dict) or not isinstance(page.get("orders"), list) or "next" not in page:
        pytest.fail('A page should be {"orders": [...], "next": ...}.')
    if page["next"] is not None and not re.match(r"/orders\?", str(page["next"])):
        pytest.fail(f"next should be null or an address /orders?..., not {str(page['next'])[:200]}")
    for order in page["orders"]:
        if isinstance(order, dict) and isinstance(order.get("lines"), list):
            order["lines"] = by_sku(order["lines"])
    return page["orders"], page["next"]


def first_page(customer, limit=None):
    parameters = {"customer": customer} | ({} if limit is None else {"limit": limit})
    return f"/orders?{httpx.QueryParams(parameters)}"


def sessions(postgres, state="%"):
    """How many sessions the service has open, in all or in a state."""
    return postgres.value(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND usename = 'learner' AND state LIKE %s",
        (state,),
    )


def in_transaction(postgres):
    return sessions(postgres, "idle in transaction%")
