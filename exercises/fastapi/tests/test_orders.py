"""Hidden tests of fastapi, tasks 1, 3 and 6: what is answered, and what the document says of it."""

import httpx
import pytest
from generated import (
    OPERATIONS,
    contradiction,
    document,
    operations,
    requests,
    statuses,
)
from roastery import (
    answered,
    first_page,
    lines_for,
    new_customer,
    new_products,
    page_at,
    placed,
    post,
    stock_of,
    stocks,
    stored_orders,
    value_of,
)

pytestmark = pytest.mark.keep
MANY = 12  # generated requests of each kind


# 1. Take orders


@pytest.mark.check(task="take-orders", points=3, seconds=30)
def test_order_is_placed(shop, postgres, rng):
    """POST /orders takes an order."""
    customer, products = new_customer(rng), new_products(postgres, rng, 3)
    lines = lines_for(products, [rng.randint(1, 9) for _ in products])
    rng.shuffle(lines)
    answer = post(shop, customer, lines)
    assert answer.status_code == 201, (
        "POST /orders with a right order should create it. The status for that is 201, Created."
    )
    got = value_of(answer)
    if not isinstance(got, dict) or type(got.get("id")) is not int:
        pytest.fail("The answer to POST /orders should be the order, with an integer as id.")
    expected = {
        "id": got["id"],
        "customer": customer,
        "status": "placed",
        **answered(products, lines),
    }
    assert got == expected, "The answer should be the order, with the prices of the products."
    location = answer.headers.get("Location", "none")
    path = httpx.URL(shop.url).join(location).path
    assert path == f"/orders/{got['id']}", "Location should hold the address of the new order."
    left = stock_of(postgres, products)
    taken = {line["sku"]: line["quantity"] for line in lines}
    assert left == stocks(products, taken), (
        "What was ordered should be taken from the stock. This is what is left of the products."
    )
    answer = shop.http.get(path)
    assert answer.status_code == 200, "GET of the address in Location should find the order."
    assert value_of(answer) == expected, "GET /orders/{id} should answer with the same order."


@pytest.mark.check(task="take-orders", points=1, seconds=30, needs=["test_order_is_placed"])
def test_largest_and_smallest_orders(shop, postgres, rng):
    """The largest and the smallest order are taken."""
    products = new_products(postgres, rng, 20, stock=1000)
    for name, chosen, quantity in (("x", products[:1], 1), ("ö" * 80, products, 999)):
        lines = lines_for(chosen, [quantity] * len(chosen))
        answer = post(shop, name, lines)
        assert answer.status_code == 201, (
            f"A customer of {len(name)} characters orders {quantity} each of {len(lines)} products."
        )
        got = {name: value_of(answer).get(name) for name in ("customer", "lines", "total_cents")}
        expected = {"customer": name, **answered(products, lines)}
        assert got == expected, "The answer should be the order, with the prices of the products."
    lines = lines_for(new_products(postgres, rng, 1, stock=1000), [1000])
    got = post(shop, new_customer(rng), lines).status_code
    assert got == 201, "A quantity of 1000 is right."


@pytest.mark.check(task="take-orders", points=1, seconds=30, needs=["test_order_is_placed"])
def test_lines_of_one_product_add_up(shop, postgres, rng):
    """Two lines of one product become one."""
    products = new_products(postgres, rng, 2)
    first, second, third = (rng.randint(1, 9) for _ in range(3))
    lines = lines_for([*products, products[0]], [first, second, third])
    answer = post(shop, new_customer(rng), lines)
    assert answer.status_code == 201, "An order may name a product twice. It is a right order."
    expected = answered(products, lines_for(products, [first + third, second]))
    got = {name: value_of(answer).get(name) for name in expected}
    assert got == expected, "The quantities of lines with the same product should be added up."


WRONG = {
    "quantity-0": {"lines": [{"quantity": 0}]},
    "quantity-1001": {"lines": [{"quantity": 1001}]},
    "quantity-in-quotes": {"lines": [{"quantity": "2"}]},
    "quantity-true": {"lines": [{"quantity": True}]},
    "quantity-half": {"lines": [{"quantity": 1.5}]},
    "quantity-huge": {"lines": [{"quantity": 10**30}]},
    "sku-is-a-number": {"lines": [{"sku": 7}]},
    "sku-in-small-letters": {"lines": [{"sku": "bean-1"}]},
    "sku-too-long": {"lines": [{"sku": "A" * 21}]},
    "sku-and-a-newline": {"lines": [{"sku": "BEAN-1\n"}]},
    "no-lines": {"lines": []},
    "21-lines": {"lines": [{}] * 21},
    "line-with-a-price": {"lines": [{"price_cents": 1}]},
    "customer-empty": {"customer": ""},
    "customer-too-long": {"customer": "x" * 81},
    "customer-null": {"customer": None},
    "customer-with-nul": {"customer": "a\0b"},
    "unknown-field": {"discount": 10},
    "not-an-object": [],
}


def _wrong_order(wrong, customer, product):
    if not isinstance(wrong, dict):
        return wrong
    line = {"sku": product["sku"], "quantity": 1}
    order = {"customer": customer, **wrong}
    order["lines"] = [{**line, **each} for each in wrong.get("lines", [{}])]
    return order


@pytest.mark.check(
    task="take-orders",
    points=3,
    seconds=30,
    needs=["test_order_is_placed"],
    hint="Which of these does pydantic convert, although nobody asked it to?",
)
def test_wrong_orders_are_refused(shop, postgres, rng):
    """A body that is no order gets 422."""
    (product,), customer = new_products(postgres, rng, 1), new_customer(rng)
    got = {
        name: shop.http.post("/orders", json=_wrong_order(wrong, customer, product)).status_code
        for name, wrong in WRONG.items()
    }
    failed = {name: status for name, status in got.items() if status >= 500}
    assert failed == {}, (
        "A client sent something wrong, and the service answered with an error of its own. Refuse "
        "it before it gets as far as the database."
    )
    assert got == dict.fromkeys(got, 422), "Each of these is not an order, and should get 422."
    assert stock_of(postgres, [product]) == stocks([product]), (
        "An order was refused with 422. The stock should stay as it is."
    )


@pytest.mark.check(
    task="take-orders",
    points=2,
    seconds=30,
    needs=["test_order_is_placed"],
    hint="What does PostgreSQL say to a number that its bigint cannot hold?",
)
def test_unknown_things_are_not_found(shop, postgres, rng):
    """An order or a product that does not exist gets 404, and an id that is none 422."""
    (product,), customer = new_products(postgres, rng, 1), new_customer(rng)
    free = placed(shop, customer, lines_for([product], [1])) + rng.randrange(10**6, 10**9)
    for method, path in (("GET", f"/orders/{free}"), ("POST", f"/orders/{free}/cancel")):
        got = shop.http.request(method, path).status_code
        assert got == 404, f"There is no order {free}. {method} {path} should answer 404."
    lines = [{"sku": product["sku"], "quantity": 1}, {"sku": "NO-SUCH-BEAN", "quantity": 1}]
    got = post(shop, customer, lines).status_code
    assert got == 404, "An order for a product that does not exist should get 404."
    assert stock_of(postgres, [product]) == stocks([product], {product["sku"]: 1}), (
        "One of two products does not exist, and the stock of the other one has changed."
    )
    got = shop.http.get("/orders/1").status_code
    assert got != 422, "1 may be the number of an order, and should not get 422."
    biggest = 2**63 - 1
    got = shop.http.get(f"/orders/{biggest}").status_code
    assert got == 404, f"{biggest} fits into a bigint, and no order has it. It should get 404."
    for key in ("0", "-1", str(biggest + 1), "first", "1.5"):
        for method, path in (("GET", f"/orders/{key}"), ("POST", f"/orders/{key}/cancel")):
            got = shop.http.request(method, path).status_code
            assert got == 422, (
                f"{key} cannot be the number of an order. {method} {path} should answer 422."
            )


# 3. Show them in pages


@pytest.mark.check(task="pages", points=3, seconds=30)
def test_pages_show_each_order_once(shop, postgres, rng):
    """The pages show all orders of a customer, the newest first."""
    products, customer = new_products(postgres, rng, 5), new_customer(rng)
    size = rng.randint(2, 4)
    for count in (3 * size + 1, 2 * size):
        customer += " jr."
        names = [customer] * count + [new_customer(rng) for _ in range(5)]
        rng.shuffle(names)
        stored = stored_orders(postgres, rng, names, products)
        expected = [order for order in stored if order["customer"] == customer][::-1]
        pages, address = [], first_page(customer, size)
        while address is not None and len(pages) <= count:
            orders, address = page_at(shop, address)
            pages.append(orders)
        got = [order for page in pages for order in page]
        assert got == expected, (
            f"{customer} has {count} orders. Following next from the first page (limit={size}) "
            "should show each of them once, the newest first."
        )
        sizes = [len(page) for page in pages]
        wanted = [size] * (count // size) + [count % size] * (count % size > 0)
        assert sizes == wanted, (
            f"There are {count} orders and limit is {size}. These are the sizes of the pages; the "
            "last one has null as next."
        )
    orders, address = page_at(shop, first_page(new_customer(rng)))
    assert (orders, address) == ([], None), "A customer without orders has one page with none."


@pytest.mark.check(task="pages", points=1, seconds=30, needs=["test_pages_show_each_order_once"])
def test_page_sizes(shop, postgres, rng):
    """A page has 20 orders, or what limit says, from 1 to 100."""
    products, customer = new_products(postgres, rng, 3), new_customer(rng)
    stored_orders(postgres, rng, [customer] * 101, products)
    for limit, size in ((None, 20), (1, 1), (100, 100)):
        orders, address = page_at(shop, first_page(customer, limit))
        said = "without limit" if limit is None else f"with limit={limit}"
        assert len(orders) == size, f"A customer has 101 orders. This is how many came {said}."
        assert address is not None, f"There are 101 orders. {said}, next should lead to more."
    for limit in ("0", "101", "-1", "many", str(10**30)):
        got = shop.http.get("/orders", params={"customer": customer, "limit": limit}).status_code
        assert got == 422, f"limit={limit} should get 422."
    for name in (None, "", "x" * 81, "a\0b"):
        given = {} if name is None else {"customer": name}
        got = shop.http.get("/orders", params=given).status_code
        said = "without a customer" if name is None else f"with the customer {name!r}"
        assert got == 422, f"GET /orders {said} should get 422."


@pytest.mark.check(
    task="pages",
    points=2,
    seconds=30,
    needs=["test_pages_show_each_order_once"],
    hint="Where does OFFSET 3 lead to, when three more orders have come in front?",
)
def test_pages_stay_when_orders_come(shop, postgres, rng):
    """Orders that come meanwhile move nothing on the next pages."""
    products, customer = new_products(postgres, rng, 5), new_customer(rng)
    expected = stored_orders(postgres, rng, [customer] * 9, products)[::-1]
    got, address = page_at(shop, first_page(customer, 3))
    while address is not None and len(got) < 20:
        stored_orders(postgres, rng, [customer] * rng.randint(1, 2), products)
        orders, address = page_at(shop, address)
        got = got + orders
    got, expected = ([order["id"] for order in orders] for orders in (got, expected))
    assert got == expected, (
        "A client followed next, and new orders came after each page. It should see each of the "
        "older orders once. These are the ids that it saw."
    )


@pytest.mark.check(
    task="pages",
    points=2,
    seconds=30,
    needs=["test_pages_show_each_order_once"],
    hint="How often is the database asked for the lines of one page?",
)
def test_statements_of_a_page(shop, postgres, rng):
    """A page takes no more statements when it has more orders."""
    products, customer = new_products(postgres, rng, 5), new_customer(rng)
    stored_orders(postgres, rng, [customer] * 60, products)
    counts = {}
    for limit in (1, 50):
        with postgres.link.record() as seen:
            orders, _ = page_at(shop, first_page(customer, limit))
        assert len(orders) == limit, "This is how many orders came."
        counts[limit] = len(seen.statements)
    most = {limit: min(count, 3) for limit, count in counts.items()}
    assert counts == most, (
        "A page takes three statements at most: read the lines of all its orders with one. This "
        "is how many came to the database for a page of 1 and for a page of 50."
    )


# 6. A document that tells the truth


@pytest.fixture(scope="module")
def documented(shop):
    return operations(document(shop))


@pytest.fixture(scope="module")
def made(documented, seed):
    """Requests that are made from the document; the same for every check."""
    return requests(documented, seed, MANY)


@pytest.mark.check(task="document", points=2, seconds=30)
def test_document_names_the_statuses(documented):
    """The OpenAPI document names every status that comes, and no other."""
    got = {name: sorted(statuses(operation)) for name, operation in documented.items()}
    expected = {name: sorted(named) for name, named in OPERATIONS.items()}
    assert got == expected, (
        "These are the statuses in /openapi.json. That of success stands in the decorator, and so "
        "do the others, in responses."
    )


@pytest.mark.check(
    task="document",
    points=2,
    seconds=30,
    needs=["test_order_is_placed", "test_document_names_the_statuses"],
    hint="Does the document know the model of the answer? Look at /docs.",
)
def test_document_shows_the_answers(shop, documented, postgres, rng):
    """The OpenAPI document says what an answer looks like."""
    products = new_products(postgres, rng, 2)
    answer = post(shop, customer := new_customer(rng), lines_for(products, [2, 3]))
    order = value_of(answer)
    cases = [("POST /orders", answer, order)]
    answer = shop.http.get(f"/orders/{order['id']}")
    cases.append(("GET /orders/{}", answer, order))
    answer = shop.http.get(first_page(customer))
    cases.append(("GET /orders", answer, {"orders": [order], "next": None}))
    answer = shop.http.post(f"/orders/{order['id']}/cancel")
    cases.append(("POST /orders/{}/cancel", answer, {**order, "status": "cancelled"}))
    for name, answer, right in cases:
        found = contradiction(documented[name], answer)
        if found is not None:
            pytest.fail(f"{name} answered with what its own document does not say. {found}")
        for what, wrong in _wrong_answers(right, rng):
            if contradiction(documented[name], _with_body(answer, wrong)) is None:
                pytest.fail(
                    f"For {name} the document also allows an answer with {what}. It should say "
                    f"exactly what comes in an answer {answer.status_code}."
                )


def _wrong_answers(right, rng):
    """What was done to the right body, and the wrong one that came out."""
    if "orders" in right:
        yield "no next", {"orders": right["orders"]}
        yield "a number as next", {**right, "next": 7}
        for what, wrong in _wrong_answers(right["orders"][0], rng):
            yield what, {**right, "orders": [wrong]}
        return
    name = rng.choice(sorted(right))
    yield f"no {name}", {key: value for key, value in right.items() if key != name}
    yield "a text as id", {**right, "id": "first"}
    yield "the status 'lost'", {**right, "status": "lost"}
    line = right["lines"][0]
    name = rng.choice(sorted(line))
    short = {key: value for key, value in line.items() if key != name}
    yield f"a line without {name}", {**right, "lines": [short]}
    yield "a quantity of '2'", {**right, "lines": [{**line, "quantity": "2"}]}


def _with_body(answer, value):
    made = httpx.Response(answer.status_code, json=value, request=answer.request)
    made.elapsed = answer.elapsed
    return made


@pytest.mark.check(
    task="document",
    points=3,
    seconds=30,
    needs=["test_order_is_placed", "test_document_names_the_statuses"],
)
def test_generated_requests(shop, documented, made, postgres):
    """Requests made from the document get what it promises."""
    _make_some_of_it_real(postgres, made)
    for each in made:
        answer = each.send(shop)
        assert answer.status_code < 500, (
            f"This request was made from your document, and the service failed: {each.text}"
        )
        named = sorted(statuses(documented[each.operation]))
        assert answer.status_code in named, (
            f"Your document does not name this status for {each.operation}. The request was: "
            f"{each.text}"
        )
        found = contradiction(documented[each.operation], answer)
        if found is not None:
            pytest.fail(f"{each.text} got an answer that the document does not describe. {found}")


@pytest.mark.check(
    task="document",
    points=2,
    seconds=30,
    needs=["test_generated_requests"],
    hint="Which rules does the service have that the document does not know, or the other way?",
)
def test_document_and_service_agree(shop, made):
    """What the document allows is never 422, and what it forbids always."""
    for each in made:
        if not each.allowed and each.operation == "GET /orders":
            continue  # an unknown parameter is forbidden and does no harm
        status = each.send(shop).status_code
        if each.allowed:
            assert status != 422, (
                f"Your document allows this request, and it was refused: {each.text}"
            )
        else:
            assert status == 422, f"Your document forbids this request. It got: {each.text}"


def _make_some_of_it_real(postgres, made):
    """Every second generated order is for products that exist."""
    import json

    skus = set()
    for each in [each for each in made if each.operation == "POST /orders" and each.allowed][::2]:
        lines = json.loads(each.body).get("lines", [])
        skus |= {line["sku"] for line in lines if isinstance(line.get("sku"), str)}
    known = {row["sku"] for row in postgres.rows("SELECT sku FROM products")}
    products = [
        {"sku": sku, "price_cents": 500, "stock": 10**6}
        for sku in sorted(skus - known)
        if "\0" not in sku
    ]
    postgres.load("products", products)
