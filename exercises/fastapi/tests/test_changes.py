"""Hidden tests of fastapi, task 2: an order is done as a whole, or not at all."""

import pytest
from roastery import (
    POOL_SIZE,
    lines_for,
    new_customer,
    new_products,
    placed,
    post,
    status_of,
    stock_of,
    stocks,
    value_of,
)

pytestmark = pytest.mark.keep


def count_of(postgres, customer):
    return postgres.value("SELECT count(*) FROM orders WHERE customer = %s", (customer,))


@pytest.mark.check(task="all-or-nothing", points=3, seconds=30)
def test_nothing_is_left_of_a_refusal(shop, postgres, rng):
    """An order that cannot be done as a whole gets 409 and changes nothing."""
    products, customer = new_products(postgres, rng, 4), new_customer(rng)
    short = rng.choice(products)
    quantities = [
        each["stock"] + 1 if each is short else rng.randint(1, each["stock"]) for each in products
    ]
    lines = lines_for(products, quantities)
    for _ in range(2):
        rng.shuffle(lines)
        got = post(shop, customer, lines).status_code
        assert got == 409, "There is not enough of one product. The order should get 409."
        assert stock_of(postgres, products) == stocks(products), (
            "An order got 409. The stock should be what it was, also that of the other products."
        )
        assert count_of(postgres, customer) == 0, "An order got 409, and was stored all the same."
    exact = lines_for([short], [short["stock"]])
    got = post(shop, customer, exact).status_code
    assert got == 201, "An order for exactly what is left should be taken."


@pytest.mark.check(
    task="all-or-nothing",
    points=2,
    seconds=30,
    needs=["test_nothing_is_left_of_a_refusal"],
    hint="Between the look at the stock and the change of it, who else may look?",
)
def test_last_one_is_sold_once(shop, postgres, rng, together):
    """Of many orders for the last one, one gets it."""
    for _ in range(2):
        products = new_products(postgres, rng, 1, stock=1)
        customer, lines = new_customer(rng), lines_for(products, [1])
        lock = "SELECT FROM products WHERE sku = %s FOR UPDATE"
        with postgres.locked(lock, (products[0]["sku"],)):
            orders = [
                together.start(status_of, post, shop, customer, lines) for _ in range(POOL_SIZE)
            ]
            postgres.wait_blocked(2, *orders)
        got = sorted(str(order.result()) for order in orders)
        assert got == ["201"] + ["409"] * (POOL_SIZE - 1), (
            f"{POOL_SIZE} customers ordered the last one at the same moment. One should get it, "
            "and the others 409."
        )
        assert stock_of(postgres, products) == {products[0]["sku"]: 0}, "The stock should be 0 now."


@pytest.mark.check(
    task="all-or-nothing",
    points=2,
    seconds=30,
    needs=["test_nothing_is_left_of_a_refusal"],
    hint="In which order does your transaction lock the products?",
)
def test_opposite_orders(shop, postgres, rng, together):
    """Two orders for the same products do not stop each other."""
    products, customer = new_products(postgres, rng, 2), new_customer(rng)
    lines = lines_for(products, [1, 1])
    lock = "SELECT FROM products WHERE sku = ANY(%s) FOR UPDATE"
    for _ in range(3):
        with postgres.locked(lock, ([product["sku"] for product in products],)):
            orders = [
                together.start(status_of, post, shop, customer, way) for way in (lines, lines[::-1])
            ]
            postgres.wait_blocked(2, *orders)
        got = [order.result() for order in orders]
        assert got == [201, 201], (
            "Two customers ordered the same two products, one with the lines the other way round, "
            "and there is enough for both. Each transaction waited for a product that the other "
            "one held."
        )


@pytest.mark.check(
    task="all-or-nothing",
    points=3,
    seconds=30,
    needs=["test_nothing_is_left_of_a_refusal"],
    hint="What runs first: the end of your dependency, or the answer?",
)
def test_commit_that_fails(shop, postgres, rng):
    """201 is not answered before the order is committed."""
    products, customer = new_products(postgres, rng, 2), new_customer(rng)
    lines = lines_for(products, [1, 2])
    postgres.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the disk is full'; END $$"
    )
    postgres.execute(
        "CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON orders DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION refuse()"
    )
    try:
        got = status_of(post, shop, customer, lines)
    finally:
        postgres.execute("DROP FUNCTION refuse CASCADE")
    assert got not in (200, 201), (
        "The database refused the commit, so there is no order. The client was told that there is "
        "one: the answer went out before the transaction had ended."
    )
    assert got == 500, "When the database fails, the answer should be 500."
    left = stock_of(postgres, products)
    assert (count_of(postgres, customer), left) == (0, stocks(products)), (
        "The commit was refused. There should be no order, and the stock should be what it was."
    )
    got = post(shop, customer, lines).status_code
    assert got == 201, "The database works again, and so should the next order."


@pytest.mark.check(
    task="all-or-nothing", points=2, seconds=30, needs=["test_nothing_is_left_of_a_refusal"]
)
def test_cancelled_once(shop, postgres, rng, together):
    """An order is cancelled once, and its products come back."""
    products, customer = new_products(postgres, rng, 3), new_customer(rng)
    lines = lines_for(products[:2], [rng.randint(1, 9) for _ in range(2)])
    taken = {line["sku"]: line["quantity"] for line in lines}
    first = placed(shop, customer, lines)
    second = placed(shop, customer, lines)
    before = value_of(shop.http.get(f"/orders/{first}"))
    answer = shop.http.post(f"/orders/{first}/cancel")
    assert answer.status_code == 200, "POST /orders/{id}/cancel should answer 200."
    assert value_of(answer) == {**before, "status": "cancelled"}, (
        "The answer should be the order, with the status cancelled."
    )
    got = value_of(shop.http.get(f"/orders/{first}"))
    assert got == {**before, "status": "cancelled"}, "GET should show it as cancelled, too."
    assert stock_of(postgres, products) == stocks(products, taken), (
        "One of two orders was cancelled. What it had taken should be in stock again."
    )
    got = shop.http.post(f"/orders/{first}/cancel").status_code
    assert got == 409, "An order that is cancelled already should get 409."
    with postgres.locked("SELECT FROM orders WHERE id = %s FOR UPDATE", (second,)):
        calls = [
            together.start(status_of, shop.http.post, f"/orders/{second}/cancel")
            for _ in range(POOL_SIZE)
        ]
        postgres.wait_blocked(2, *calls)
    got = sorted(str(call.result()) for call in calls)
    assert got == ["200"] + ["409"] * (POOL_SIZE - 1), (
        f"{POOL_SIZE} clients cancelled one order at the same moment. One should get 200."
    )
    assert stock_of(postgres, products) == stocks(products), (
        "Both orders are cancelled. The stock should be what it was before them."
    )
