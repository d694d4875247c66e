"""Hidden tests of redis-caching. Two interpreters stand for two workers of the same shop."""

from concurrent.futures import ThreadPoolExecutor, wait

import pytest
from shop import (
    fill,
    free_id,
    hold_commits,
    hold_reads,
    hold_table,
    keys_without_expiry,
    pass_time,
    price_in_database,
    random_price,
    waiting,
)

CATALOG = "catalog:Catalog"
PATIENCE = 15  # seconds that a slow machine may need to get somewhere


# 1. Read through the cache


@pytest.mark.check(task="read-through", points=1)
def test_reads_from_the_database(solution, postgres, rng):
    """get returns the product with the number that was asked for."""
    products = fill(postgres, rng, 3)
    shop = solution.new(CATALOG)
    for product in products:
        got = shop.get(product["id"])
        assert got == product, "get should return a dict with id, name and price of this product."


@pytest.mark.check(task="read-through", points=3, needs=["test_reads_from_the_database"])
def test_second_read_does_not_touch_the_database(solution, postgres, rng):
    """A second read comes from Redis, in another worker too, and is equal to the first."""
    first, second = fill(postgres, rng, 2)
    shop, other_worker = solution.new(CATALOG), solution.process().new(CATALOG)
    for product in (first, second):
        shop.get(product["id"])
    for name, worker in (("the same worker", shop), ("another worker", other_worker)):
        with postgres.link.record() as seen:
            got = [worker.get(first["id"]), worker.get(second["id"])]
        assert seen.statements == [], (
            f"A second read in {name} went to the database. Is the product stored in Redis, "
            "where all workers find it?"
        )
        assert got == [first, second], (
            "The answer from the cache differs from the first one. Look at the numbers and at "
            "the type of the price, which is a Decimal."
        )


# 2. Let entries expire


@pytest.mark.check(task="expire", points=2, needs=["test_second_read_does_not_touch_the_database"])
def test_entries_expire(solution, postgres, redis, rng):
    """An entry lives for a minute, give or take a tenth."""
    products = fill(postgres, rng, 3)
    shop = solution.new(CATALOG)
    for product in products:
        shop.get(product["id"])
    assert keys_without_expiry(redis) == [], "These keys stay in Redis for ever."
    pass_time(redis, 53)
    with postgres.link.record() as seen:
        for product in products:
            shop.get(product["id"])
    assert len(seen.statements) == 0, (
        "After 53 seconds a product was read from the database again. Its entry is gone too early."
    )
    pass_time(redis, 14)
    with postgres.link.record() as seen:
        for product in products:
            shop.get(product["id"])
    assert len(seen.statements) == len(products), (
        "After 67 seconds every product should be read from the database again, with one "
        "statement. Some entries live too long."
    )


@pytest.mark.check(
    task="expire",
    seconds=30,
    points=2,
    needs=["test_second_read_does_not_touch_the_database"],
)
def test_expiry_is_spread(solution, postgres, redis, rng):
    """Entries that were made together do not expire together."""
    shop = solution.new(CATALOG)
    lives = {}
    for product in fill(postgres, rng, 20):
        shop.get(product["id"])
        for key in redis.scan_iter():  # at once, so that a slow machine does not look like chance
            lives.setdefault(key, redis.pttl(key) / 1000)
    lives = [life for life in lives.values() if life > 20]
    assert max(lives, default=0) <= 66, "This many seconds an entry lives; 66 is the most."
    assert len(lives) >= 20, (
        "20 products were read. So many keys that live for longer than 20 seconds are in Redis; "
        "there should be at least one for each product."
    )
    spread = round(max(lives) - min(lives), 1)
    assert spread >= 2, (
        "20 products were read. The lives of their entries differ by this many seconds only, so "
        "products that are stored together come back to the database together."
    )


# 3. Never show an old price


@pytest.mark.check(
    task="update", seconds=30, points=3, needs=["test_second_read_does_not_touch_the_database"]
)
def test_update_is_seen_at_once(solution, postgres, rng):
    """After an update every worker sees the new price, and other products stay cached."""
    product, other = fill(postgres, rng, 2)
    price = random_price(rng, but=product["price"])
    shop, other_worker = solution.new(CATALOG), solution.process().new(CATALOG)
    for worker in (shop, other_worker):
        worker.get(product["id"])
        worker.get(other["id"])
    got = shop.update_price(product["id"], price)
    assert got is True, "update_price should return True when it has changed a product."
    stored = price_in_database(postgres, product)
    assert stored == price, "The new price is not in the database."
    for name, worker in (("this worker", shop), ("another worker", other_worker)):
        got = worker.get(product["id"])
        assert got == {**product, "price": price}, f"After the update, {name} got an old price."
    with postgres.link.record() as seen:
        got = shop.get(other["id"])
    assert got == other, "A product that was not updated has changed."
    assert seen.statements == [], (
        "One product was updated, and another one had to be read from the database again."
    )
    got = shop.update_price(free_id(rng), price)
    assert got is False, "update_price should return False when there is no such product."


@pytest.mark.check(task="update", seconds=30, points=2, needs=["test_update_is_seen_at_once"])
def test_read_before_the_commit(solution, postgres, rng, eventually):
    """A read while an update is not committed yet leaves no old price behind."""
    (product,) = fill(postgres, rng, 1)
    price = random_price(rng, but=product["price"])
    shop, other_worker = solution.new(CATALOG), solution.process().new(CATALOG)
    shop.get(product["id"])
    with ThreadPoolExecutor() as pool:
        with hold_commits(postgres):
            update = pool.submit(shop.update_price, product["id"], price)
            eventually(
                lambda: update.done() or waiting(postgres) == 1,
                within=PATIENCE,
                message="update_price did not get as far as its commit.",
            )
            read = pool.submit(other_worker.get, product["id"])
            wait([read], timeout=1.2)  # one that waits for the update is right, too
        update.result()
        read.result()
    for name, worker in (("this worker", shop), ("another worker", other_worker)):
        got = worker.get(product["id"])
        assert got == {**product, "price": price}, (
            f"A get ran while the update was on its way to the commit. Now {name} gets the old "
            "price. When exactly is the entry removed?"
        )


@pytest.mark.check(task="update", seconds=30, points=3, needs=["test_update_is_seen_at_once"])
def test_read_that_overlaps_an_update(solution, postgres, rng, eventually):
    """A slow read that began before an update does not bring the old price back."""
    (product,) = fill(postgres, rng, 1)
    price = random_price(rng, but=product["price"])
    shop, other_worker = solution.new(CATALOG), solution.process().new(CATALOG)
    with ThreadPoolExecutor() as pool:
        with hold_reads(postgres):
            read = pool.submit(shop.get, product["id"])
            eventually(
                lambda: read.done() or waiting(postgres) == 1,
                within=PATIENCE,
                message="get did not read the product from the database.",
            )
            update = pool.submit(other_worker.update_price, product["id"], price)
            wait([update], timeout=1.5)  # one that waits for the read is right, too
        read.result()
        update.result()
    for name, worker in (("this worker", shop), ("another worker", other_worker)):
        got = worker.get(product["id"])
        assert got == {**product, "price": price}, (
            "A get had read the old price, then an update came, then the get went on and stored "
            f"what it had. Now {name} gets the old price until the entry expires."
        )


# 4. Remember what does not exist


@pytest.mark.check(task="missing", points=2)
def test_missing_product_is_remembered(solution, postgres, rng):
    """A product that does not exist is looked up once."""
    fill(postgres, rng, 1)
    shop, number = solution.new(CATALOG), free_id(rng)
    with postgres.link.record() as seen:
        got = shop.get(number)
    assert got is None, "get should return None when there is no such product."
    assert len(seen.statements) == 1, "The first get should ask the database, with one statement."
    with postgres.link.record() as seen:
        got = shop.get(number)
    assert got is None, "get should return None the second time, too."
    assert seen.statements == [], "The second get for the same missing product asked the database."


@pytest.mark.check(task="missing", points=2, needs=["test_missing_product_is_remembered"])
def test_missing_product_appears(solution, postgres, redis, rng):
    """A new product is there at once after add, and after 10 seconds in any case."""
    added, inserted = (
        {"id": free_id(rng), "name": f"new lamp {n}", "price": random_price(rng)} for n in (1, 2)
    )
    shop = solution.new(CATALOG)
    shop.get(added["id"])
    shop.add(added["id"], added["name"], added["price"])
    got = shop.get(added["id"])
    assert got == added, "The product was missing, then add put it in. get should return it now."
    shop.get(inserted["id"])
    postgres.load("products", [inserted])
    pass_time(redis, 10.5)
    got = shop.get(inserted["id"])
    assert got == inserted, (
        "A missing product was put into the table by somebody else. After 10 seconds get should "
        "find it."
    )


# 5. Survive the rush


@pytest.mark.check(
    task="rush", seconds=30, points=3, needs=["test_second_read_does_not_touch_the_database"]
)
def test_one_query_for_fifty_readers(solution, postgres, redis, rng, together, eventually, stays):
    """Fifty readers in two workers miss the same product: the database is asked once."""
    (product,) = fill(postgres, rng, 1)
    shop, other_worker = solution.new(CATALOG), solution.process().new(CATALOG)

    def read(worker):
        return worker.get(product["id"], timeout=20)

    readers = [(read, shop), (read, other_worker)] * 25
    # Some distance to Redis, so that there is time between two commands of one reader.
    with ThreadPoolExecutor() as pool, postgres.link.record() as seen, redis.link.delay(0.01):
        with hold_table(postgres):
            rush = pool.submit(together, readers)
            eventually(
                lambda: waiting(postgres), within=PATIENCE, message="Nobody asked the database."
            )
            stays(
                lambda: waiting(postgres) == 1,
                during=0.15,
                message="Several readers of one product wait for the same row of the database. "
                "One should load it, and the others should wait for that one.",
            )
        answers = rush.result()
    wrong = [answer for answer in answers if answer != product]
    assert wrong == [], "These answers of the fifty are wrong."
    assert len(seen.statements) == 1, (
        "Fifty readers asked for one product at the same time. This is how often the database "
        "was asked."
    )


@pytest.mark.check(task="rush", seconds=30, points=2, needs=["test_one_query_for_fifty_readers"])
def test_loader_that_never_comes_back(solution, postgres, redis, rng, eventually, stays):
    """When the reader who loads dies, the others have to wait 3 seconds and not more."""
    (product,) = fill(postgres, rng, 1)
    shop, other_worker = solution.new(CATALOG), solution.process().new(CATALOG)
    with ThreadPoolExecutor() as pool:
        with hold_table(postgres):
            stuck = pool.submit(shop.get, product["id"], timeout=20)
            eventually(
                lambda: waiting(postgres) == 1,
                within=PATIENCE,
                message="get did not ask the database.",
            )
            assert keys_without_expiry(redis) == [], (
                "These keys are in Redis while a reader loads a product, and have no expiry. "
                "If that reader dies, they block the product for ever."
            )
            waiter = pool.submit(other_worker.get, product["id"], timeout=20)
            stays(
                lambda: waiting(postgres) == 1,
                during=0.15,
                message="While one reader loads the product, another one asked the database too.",
            )
            pass_time(redis, 3.1)
            eventually(
                lambda: waiting(postgres) == 2,
                within=PATIENCE,
                message="A reader hangs in the middle of its load. 3 seconds later nobody else "
                "has taken over; the other reader still waits.",
            )
        answers = [stuck.result(), waiter.result()]
    assert answers == [product, product], "After a slow load, an answer is wrong."


# 6. Live without Redis


@pytest.mark.check(task="outage", seconds=30, points=2)
def test_works_without_redis(solution, postgres, redis, rng):
    """When nobody answers at the address of Redis, everything still works."""
    cached, product = fill(postgres, rng, 2)
    price = random_price(rng, but=cached["price"])
    new = {"id": free_id(rng), "name": "new rug", "price": random_price(rng)}
    shop = solution.new(CATALOG)
    shop.get(cached["id"])
    redis.link.cut()
    got = shop.get(cached["id"])
    assert got == cached, "The connection to Redis was cut once, and the next get went wrong."
    with redis.link.refuse():
        redis.link.cut()
        got = [shop.get(each["id"], timeout=3) for each in (cached, product)]
        assert got == [cached, product], "Without Redis, get should answer from the database."
        shop.update_price(cached["id"], price, timeout=3)
        stored = price_in_database(postgres, cached)
        assert stored == price, "Without Redis, update_price should still change the database."
        got = shop.get(cached["id"], timeout=3)
        assert got == {**cached, "price": price}, "Without Redis, get returned an old price."
        shop.add(new["id"], new["name"], new["price"], timeout=3)
        got = solution.new(CATALOG).get(new["id"], timeout=3)
        assert got == new, (
            "A Catalog that is made while Redis is away should find a product that was added."
        )


@pytest.mark.check(task="outage", seconds=30, points=2, needs=["test_works_without_redis"])
def test_redis_that_does_not_answer(solution, postgres, redis, rng, together):
    """When Redis takes requests and never answers, a call is done within 2 seconds."""
    first, second = fill(postgres, rng, 2)
    price = random_price(rng, but=second["price"])
    shop = solution.process(env={"REDIS_TIMEOUT": "0.2"}).new(CATALOG)
    for product in (first, second):
        shop.get(product["id"])

    def read():
        return shop.get(first["id"], timeout=3)

    def change():
        return shop.update_price(second["id"], price, timeout=3)

    with redis.link.hang():
        got, _ = together([(read,), (change,)])
    assert got == first, "While Redis hangs, get should answer from the database."
    stored = price_in_database(postgres, second)
    assert stored == price, "While Redis hangs, update_price should still change the database."


@pytest.mark.check(
    task="outage",
    points=2,
    needs=["test_update_is_seen_at_once", "test_works_without_redis"],
)
def test_redis_comes_back_with_old_entries(solution, postgres, redis, rng, eventually):
    """A price that changed while Redis was away does not turn old again."""
    (product,) = fill(postgres, rng, 1)
    price = random_price(rng, but=product["price"])
    updated = {**product, "price": price}
    shop, other_worker = solution.new(CATALOG), solution.process().new(CATALOG)
    shop.get(product["id"])
    with redis.link.refuse():
        redis.link.cut()
        shop.update_price(product["id"], price)
    for name, worker in (("the worker that changed it", shop), ("another worker", other_worker)):
        got = worker.get(product["id"])
        assert got == updated, (
            f"The price was changed while Redis was away. Redis came back, and {name} got the "
            "old price from it."
        )

    def served_by_redis():
        with postgres.link.record() as seen:
            got = shop.get(product["id"])
        assert got == updated, "The old price came back some time after Redis did."
        return seen.statements == []

    eventually(served_by_redis, message="Redis is back, but get does not use it any more.")
