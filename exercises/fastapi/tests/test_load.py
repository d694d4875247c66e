"""Hidden tests of fastapi, tasks 4 and 5: what goes on behind the answer, and many at once."""

import httpx
import pytest
from roastery import (
    POOL_SIZE,
    first_page,
    in_transaction,
    lines_for,
    new_customer,
    new_products,
    placed,
    post,
    sessions,
    status_of,
    stock_of,
    stocks,
    value_of,
)

CLIENTS = 50
PATIENCE = 15  # seconds that a slow machine may need to get somewhere


@pytest.fixture
def office(world):
    """The mail server."""
    return world.serve(lambda request: (202, None))


@pytest.fixture
def service(solution, office):
    return solution.serve("orders", env={"MAIL_URL": f"{office.url}/mails"})


# 4. Confirm in the background


@pytest.mark.check(task="confirm", points=3, seconds=30)
def test_each_order_is_confirmed(service, office, postgres, rng):
    """Each order that is taken is confirmed once, and no other."""
    products, expected = new_products(postgres, rng, 2), []
    for _ in range(3):
        customer, lines = new_customer(rng), lines_for(products, [1, rng.randint(1, 3)])
        answer = post(service, customer, lines)
        assert answer.status_code == 201, "POST /orders with a right order should answer 201."
        order = value_of(answer)
        total = order.get("total_cents")
        expected.append({"order": order["id"], "customer": customer, "total_cents": total})
        too_many = lines_for(products, [1, products[1]["stock"] + 1])
        post(service, customer, too_many)
        post(service, customer, [])
    office.wait(3)
    got = [request.json() for request in office.requests]
    got.sort(key=lambda mail: str(mail and mail.get("order")))
    assert got == expected, (
        "Three orders were taken, and others refused. The mail server should get one confirmation "
        "for each order that was taken. These came."
    )
    got = {(request.method, request.path) for request in office.requests}
    assert got == {("POST", "/mails")}, "Confirmations are sent with POST to MAIL_URL."


@pytest.mark.check(
    task="confirm",
    points=3,
    seconds=60,
    needs=["test_each_order_is_confirmed"],
    hint="Which thread waits for the mail server, and what does it hold while it waits?",
)
def test_slow_mail_server(service, office, postgres, rng):
    """A mail server that takes its time keeps nobody waiting."""
    products, customer = new_products(postgres, rng, 1), new_customer(rng)
    office.hold()
    count = POOL_SIZE + 2
    for number in range(1, count + 1):
        got = status_of(post, service, customer, lines_for(products, [1]))
        assert got == 201, (
            f"Nobody has answered the first {number - 1} confirmations yet. The answer to order "
            f"{number} should not wait for them."
        )
    office.wait(count)
    got = status_of(service.http.get, first_page(customer))
    assert got == 200, (
        f"{count} confirmations are under way, and the mail server does not answer. Meanwhile "
        "other requests should be answered. Does something wait in the event loop, or with a "
        "connection to the database in its hands?"
    )
    assert in_transaction(postgres) == 0, (
        f"{count} confirmations are under way. This many transactions are open meanwhile; they "
        "should have ended before."
    )
    office.release()


@pytest.mark.check(
    task="confirm",
    points=1,
    seconds=30,
    needs=["test_each_order_is_confirmed"],
    hint="The mail server reads the confirmation, and asks for the order. Is it there?",
)
def test_confirmed_when_committed(service, office, postgres, rng, together, stays, eventually):
    """A confirmation comes when the order is committed, not before."""
    products, customer = new_products(postgres, rng, 1), new_customer(rng)
    postgres.execute(
        "CREATE FUNCTION wait_at_commit() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN PERFORM pg_advisory_xact_lock_shared(20); RETURN NULL; END $$"
    )
    postgres.execute(
        "CREATE CONSTRAINT TRIGGER wait AFTER INSERT ON orders DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION wait_at_commit()"
    )
    with postgres.locked("SELECT pg_advisory_xact_lock(20)"):
        order = together.start(status_of, post, service, customer, lines_for(products, [1]))
        postgres.wait_blocked(1, order)
        stays(
            lambda: not office.requests,
            message="The order waits for its commit, and the mail server has the confirmation.",
        )
    assert order.result() == 201, "The order was committed, after a moment. It should get 201."
    eventually(
        lambda: office.requests,
        within=PATIENCE,
        message="The order is committed, and no confirmation came.",
    )


@pytest.mark.check(task="confirm", points=1, seconds=30, needs=["test_each_order_is_confirmed"])
def test_mail_server_in_trouble(solution, world, postgres, rng, eventually):
    """A mail server that fails or is away harms no order."""
    office = world.serve(lambda request: (503, {"error": "try later"}))
    service = solution.serve("orders", env={"MAIL_URL": f"{office.url}/mails"})
    products, customer = new_products(postgres, rng, 1), new_customer(rng)
    for trouble in ("answers 503", "is away"):
        got = status_of(post, service, customer, lines_for(products, [1]))
        assert got == 201, f"The mail server {trouble}. The order should get 201 all the same."
        if trouble == "answers 503":
            office.wait(1)
            office.close()
    got = status_of(service.http.get, first_page(customer))
    assert got == 200, "The mail server is away. GET /orders should work as ever."
    assert "Traceback" not in service.logs(), (
        "A confirmation that cannot be sent is an everyday thing. One line in the log is enough; "
        "the service printed a traceback."
    )


# 5. Share the connections


@pytest.mark.check(task="pool", points=4, seconds=60)
def test_fifty_at_once(solution, postgres, rng, together, stays):
    """50 requests at once share POOL_SIZE connections."""
    service = solution.serve("orders")
    products, customer = new_products(postgres, rng, 1, stock=1000), new_customer(rng)
    number = placed(service, customer, lines_for(products, [1]))

    def ask(which):
        if which % 5 == 0:
            return service.http.get(f"/orders/{number}", timeout=20)
        return post(service, customer, lines_for(products, [1]), timeout=20)

    lock = "SELECT FROM products WHERE sku = %s FOR UPDATE"
    with postgres.locked(lock, (products[0]["sku"],)):
        calls = [together.start(status_of, ask, which) for which in range(CLIENTS)]
        postgres.wait_blocked(1, *calls)
        stays(
            lambda: sessions(postgres) <= POOL_SIZE,
            during=0.7,
            message=f"{CLIENTS} requests came at once, and more than {POOL_SIZE} sessions were "
            "open at the database. Take connections from one pool of POOL_SIZE.",
        )
    got = [call.result() for call in calls]
    expected = [200 if which % 5 == 0 else 201 for which in range(CLIENTS)]
    assert got == expected, (
        f"{CLIENTS} requests came at once. These are the answers. Requests that wait for a "
        "connection must not take the threads that those who have one need to go on."
    )
    taken = {products[0]["sku"]: 1 + expected.count(201)}
    assert stock_of(postgres, products) == stocks(products, taken), (
        "After all these orders, this is what is in stock."
    )


@pytest.mark.check(
    task="pool",
    points=3,
    seconds=60,
    hint="Which of the ways out of your function give the connection back?",
)
def test_errors_give_connections_back(solution, postgres, rng, eventually):
    """A request that ends with an error gives its connection back."""
    service = solution.serve("orders")
    products, customer = new_products(postgres, rng, 1), new_customer(rng)
    number = placed(service, customer, lines_for(products, [1]))
    too_many = lines_for(products, [min(products[0]["stock"] + 1, 1000)])
    nothing = [{"sku": "NO-SUCH-BEAN", "quantity": 1}]
    service.http.post(f"/orders/{number}/cancel")
    sends = {
        "an order of too much": lambda: post(service, customer, too_many),
        "an order for an unknown product": lambda: post(service, customer, nothing),
        "a body that is no order": lambda: post(service, customer, []),
        "an unknown order": lambda: service.http.get(f"/orders/{2**62}"),
        "an order that is cancelled already": lambda: service.http.post(f"/orders/{number}/cancel"),
    }
    for name, send in sends.items():
        for _ in range(POOL_SIZE + 1):
            got = status_of(send)
            assert got in (404, 409, 422), (
                f"{name[0].upper()}{name[1:]} was sent again and again. It should be refused each "
                "time. Does every request give its connection back?"
            )
        eventually(
            lambda: in_transaction(postgres) == 0,
            message=f"After {name}, a transaction is still open at the database.",
        )
    got = status_of(service.http.get, f"/orders/{number}", timeout=httpx.Timeout(5))
    assert got == 200, "After all these errors, a right request should be answered."
    assert sessions(postgres) <= POOL_SIZE, "This many sessions are open at the database."
