"""Hidden tests of relational-sql: transfers, one at a time and many at once."""

from decimal import Decimal

import pytest
from tables import put, same

PATIENCE = 25  # seconds that a slow machine may need for a transfer that has to wait
COLUMNS = ("sender_id", "receiver_id", "amount")
BALANCES = "SELECT id, balance FROM members ORDER BY id"


def open_accounts(psql, postgres, *balances):
    """Members 1, 2, ... with these balances, in the order of a table that has been in use."""
    psql.file("schema.sql")
    psql.file("transfer.sql")
    members = [
        {"id": number, "email": f"m{number}@x.org", "name": "M", "balance": balance}
        for number, balance in enumerate(balances, start=1)
    ]
    put(postgres, "members", members[::-1])


def balances(postgres):
    return {row["id"]: row["balance"] for row in postgres.rows(BALANCES)}


def balances_are(postgres, expected, message):
    same(
        list(balances(postgres).items()), list(expected.items()), ("member_id", "balance"), message
    )


def money(rng, least=1, most=2000):
    return Decimal(rng.randrange(least, most)).scaleb(-2)


def call(sender, receiver, amount):
    return f"SELECT transfer({sender}, {receiver}, {amount})"


@pytest.fixture
def pay(psql, together):
    """Start a transfer in a session of its own; the result is PostgreSQL's error, or None."""

    def start(*what, then=""):
        statement = call(*what) + then
        return together.start(
            lambda: psql.statement(statement, check=False, timeout=PATIENCE).error
        )

    return start


@pytest.mark.check(task="transfer", points=2, needs=["test_good_rows_are_taken"])
def test_transfer_moves_money(psql, postgres, rng):
    """A transfer changes both balances, and is written down."""
    start = [money(rng, 10_000, 90_000) for _ in range(4)]
    open_accounts(psql, postgres, *start)
    sender, receiver = rng.sample([1, 2, 3, 4], 2)
    expected, paid = dict(enumerate(start, start=1)), []
    for amount in (money(rng), money(rng)):
        psql.statement(call(sender, receiver, amount))
        expected[sender] -= amount
        expected[receiver] += amount
        balances_are(
            postgres,
            expected,
            (f"After {call(sender, receiver, amount)} the balances should be these."),
        )
        paid.append((sender, receiver, amount))
        rows = postgres.rows(f"SELECT {', '.join(COLUMNS)} FROM transfers")
        same(
            [tuple(row.values()) for row in rows],
            paid,
            COLUMNS,
            f"After {call(sender, receiver, amount)} these rows of transfers differ.",
        )
    psql.statement(call(sender, receiver, expected[sender]))
    left = balances(postgres)[sender]
    assert left == 0, "A member should be able to pay all they have."


@pytest.mark.check(task="transfer", points=3, seconds=20, needs=["test_transfer_moves_money"])
def test_transfer_refuses(psql, postgres, rng):
    """What is not possible raises an error and changes nothing."""
    has = money(rng, 2000, 9000)
    open_accounts(psql, postgres, has, money(rng), money(rng))
    before = balances(postgres)
    refused = [
        (1, 2, has + Decimal("0.01")),
        (1, 2, has + 1000),
        (1, 2, 0),
        (1, 2, Decimal("-1.00")),
        (1, 2, Decimal("0.005")),
        (1, 2, Decimal("1.999")),
        (1, 2, "NULL"),
        (1, 2, "'NaN'"),
        (1, 1, 1),
        (1, 77, 1),
        (77, 1, 1),
    ]
    silent = []
    for what in rng.sample(refused, len(refused)):
        answer = psql.statement(call(*what), check=False)
        silent += [] if answer.error else [call(*what)]
        balances_are(
            postgres,
            before,
            (f"{call(*what)} should change no balance. Member 1 has {has}; there is no member 77."),
        )
        wrote = postgres.value("SELECT count(*) FROM transfers")
        assert wrote == 0, f"{call(*what)} should not be written down in transfers."
    assert silent == [], (
        f"Member 1 has {has}, and there is no member 77. These changed nothing, but raised no "
        "error, so whoever called thinks that the money was paid."
    )


@pytest.mark.check(task="transfer", points=3, seconds=40, needs=["test_transfer_moves_money"])
def test_no_update_is_lost(psql, postgres, pay, rng):
    """A transfer that had to wait does not undo another change."""
    open_accounts(psql, postgres, 500, 500, 500, 500)
    expected = dict.fromkeys([1, 2, 3, 4], Decimal(500))
    for held, sender, receiver, who in (
        (*rng.choice([(1, 1, 2), (2, 2, 1)]), "the sender's"),
        (*rng.choice([(4, 3, 4), (3, 4, 3)]), "the receiver's"),
    ):
        other, amount = money(rng), money(rng)
        with postgres.locked(
            "UPDATE members SET balance = balance - %s WHERE id = %s", [other, held]
        ):
            paid = pay(sender, receiver, amount)
            postgres.wait_blocked(1, paid)
        all_went_well([paid])
        expected[held] -= other
        expected[sender] -= amount
        expected[receiver] += amount
        balances_are(
            postgres,
            expected,
            (
                f"Another program took {other} from {who} account, and had not committed yet when "
                f"{call(sender, receiver, amount)} began. In the end, one of the changes is gone. "
                "What did the transfer read before it had to wait?"
            ),
        )
    with postgres.locked("UPDATE members SET balance = 0.50 WHERE id = 1"):
        late = pay(1, 2, 2)
        postgres.wait_blocked(1, late)
    refused = late.result() is not None
    expected[1] = Decimal("0.50")
    got = balances(postgres)
    assert (refused, got) == (True, expected), (
        "Another program left 0.50 to member 1, and had not committed yet when SELECT transfer(1, "
        "2, 2) began. It should be refused (True), and change nothing."
    )


def all_went_well(calls):
    """No transfer got an error."""
    errors = [error for error in (one.result() for one in calls) if error]
    deadlocks = sum(error.code == "40P01" for error in errors)
    assert deadlocks == 0, (
        "So many transfers ended in a deadlock: two sessions each held a row that the other one "
        "wanted. Which row does a transfer lock first, and which one does the opposite transfer?"
    )
    said = [error.message for error in errors[:3]]
    assert said == [], "A transfer was possible, but PostgreSQL refused it with these words."


@pytest.mark.check(task="transfer", points=3, seconds=60, needs=["test_transfer_moves_money"])
def test_no_deadlock(psql, postgres, pay, rng):
    """Two members who pay each other do not end in a deadlock."""
    for first, second in ((1, 2), (2, 1)):
        postgres.execute("DROP SCHEMA public CASCADE")
        postgres.execute("CREATE SCHEMA public")
        open_accounts(psql, postgres, 500, 500)
        there, back = money(rng), money(rng)
        # Each waits for its first row. Then one gets on until the row that the other one holds,
        # or waits for, and only then the second row is free.
        with postgres.locked(f"UPDATE members SET name = 'b' WHERE id = {second}"):
            with postgres.locked(f"UPDATE members SET name = 'a' WHERE id = {first}"):
                one = pay(1, 2, there)
                postgres.wait_blocked(1, one)
                two = pay(2, 1, back)
                postgres.wait_blocked(2, one, two)
            postgres.wait_blocked(2, one, two)
        all_went_well([one, two])
        expected = {1: 500 - there + back, 2: 500 + there - back}
        balances_are(
            postgres, expected, "Members 1 and 2 paid each other. The balances should be these."
        )


@pytest.mark.check(task="transfer", points=2, seconds=40, needs=["test_transfer_moves_money"])
def test_others_do_not_wait(psql, postgres, pay, rng):
    """A payment between other members does not wait."""
    open_accounts(psql, postgres, 500, 500, 500, 500)
    with postgres.locked("SELECT pg_advisory_xact_lock(77)"):
        # Paid, but not committed: this session waits for the lock that the test holds.
        slow = pay(1, 2, money(rng), then="; SELECT pg_advisory_xact_lock(77)")
        postgres.wait_blocked(1, slow)
        other = pay(3, 4, money(rng))
        postgres.wait_blocked(2, slow, other)
        waited = not other.done()
    all_went_well([slow, other])
    assert not waited, (
        "Member 3 paid member 4, and had to wait until a payment of member 1 to member 2 was "
        "committed. Lock the rows of the two members, and no more."
    )


@pytest.mark.check(
    task="transfer",
    points=3,
    seconds=80,
    needs=["test_no_update_is_lost", "test_no_deadlock"],
)
def test_twenty_sessions(psql, postgres, pay, rng):
    """Twenty sessions at once: all the money is still there."""
    open_accounts(psql, postgres, 1000, 1000, 1000)
    expected = dict.fromkeys([1, 2, 3], Decimal(1000))
    with postgres.locked("UPDATE members SET name = 'everybody waits'"):
        calls = []
        for _ in range(20):
            (sender, receiver), amount = rng.sample([1, 2, 3], 2), money(rng)
            calls.append(pay(sender, receiver, amount))
            expected[sender] -= amount
            expected[receiver] += amount
        postgres.wait_blocked(20, *calls)
    all_went_well(calls)
    balances_are(
        postgres, expected, "Twenty payments between three members. The balances should be these."
    )
    wrote = postgres.value("SELECT count(*) FROM transfers")
    assert wrote == 20, "Twenty payments should be twenty rows in transfers."

    price, enough = money(rng, 100), rng.randrange(5, 15)
    postgres.execute("UPDATE members SET balance = %s WHERE id = 1", [price * enough])
    with postgres.locked("UPDATE members SET name = 'everybody waits'"):
        calls = [pay(1, rng.choice([2, 3]), price) for _ in range(20)]
        postgres.wait_blocked(20, *calls)
    paid = sum(one.result() is None for one in calls)
    left = balances(postgres)[1]
    assert (paid, left) == (enough, 0), (
        f"Member 1 had enough for {enough} payments, and twenty sessions tried at the same moment. "
        "So many were made, and so much is left."
    )
