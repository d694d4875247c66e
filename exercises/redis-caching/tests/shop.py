"""Products, time that passes, and databases that can be held for a moment."""

from contextlib import contextmanager
from decimal import Decimal

WORDS = ["lamp", "chair", "kettle", "rug", "mirror", "shelf", "clock", "vase", "table", "basket"]
COLOURS = ["red", "blue", "green", "white", "black", "grey", "yellow", "brown"]


def random_price(rng, but=None):
    while (price := Decimal(rng.randrange(100, 99_999)).scaleb(-2)) == but:
        pass
    return price


def fill(postgres, rng, count):
    """Puts `count` products into the table, and some more that nobody asks for."""
    products = [
        {
            "id": product_id,
            "name": f"{rng.choice(COLOURS)} {rng.choice(WORDS)} {rng.randrange(100, 999)}",
            "price": random_price(rng),
        }
        for product_id in rng.sample(range(1, 1_000_000), count + 5)
    ]
    postgres.load("products", products)
    return products[:count]


def free_id(rng):
    """A number that no product has."""
    return rng.randrange(1_000_001, 2_000_000)


def price_in_database(postgres, product):
    return postgres.value(f"SELECT price FROM products WHERE id = {product['id']}")


def keys_without_expiry(redis):
    return [key.decode(errors="replace") for key in redis.scan_iter() if redis.ttl(key) == -1]


def pass_time(redis, seconds):
    """Makes every key in Redis `seconds` older."""
    for key in list(redis.scan_iter()):
        left = redis.pttl(key)
        if left == -1:
            continue
        if left > seconds * 1000:
            redis.pexpire(key, int(left - seconds * 1000))
        else:
            redis.delete(key)


@contextmanager
def holding(postgres, statement):
    """A transaction beside the learner's program, open until the block ends."""
    with postgres.connect() as connection, connection.transaction():
        connection.execute(statement)
        yield


def hold_table(postgres):
    """Whoever reads or writes a product waits until the block ends."""
    return holding(postgres, "LOCK TABLE products IN ACCESS EXCLUSIVE MODE")


HOLD = "SELECT pg_advisory_xact_lock(20)"
WAIT = "PERFORM pg_advisory_xact_lock_shared(20);"


def hold_commits(postgres):
    """Whoever changes a product waits at the end of the transaction until the block ends."""
    postgres.execute(
        "CREATE FUNCTION wait_at_commit() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN {WAIT} RETURN NULL; END $$"
    )
    postgres.execute(
        "CREATE CONSTRAINT TRIGGER wait AFTER UPDATE ON products DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION wait_at_commit()"
    )
    return holding(postgres, HOLD)


def hold_reads(postgres):
    """Whoever reads a product sees it as it is now, and gets the answer when the block ends.

    The table becomes a view over itself. Statements of a transaction that has changed something
    do not wait.
    """
    postgres.execute(
        "CREATE FUNCTION slowly(value text) RETURNS text LANGUAGE plpgsql VOLATILE AS "
        f"$$ BEGIN IF pg_current_xact_id_if_assigned() IS NULL THEN {WAIT} END IF; "
        "RETURN value; END $$"
    )
    postgres.execute("ALTER TABLE products RENAME TO products_stored")
    postgres.execute(
        "CREATE VIEW products AS SELECT id, slowly(name) AS name, price FROM products_stored"
    )
    return holding(postgres, HOLD)


def waiting(postgres):
    """How many statements in this database wait for somebody else."""
    return postgres.value(
        "SELECT count(*) FROM pg_locks WHERE NOT granted AND database = "
        "(SELECT oid FROM pg_database WHERE datname = current_database())"
    )
