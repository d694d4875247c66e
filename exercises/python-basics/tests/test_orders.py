"""Hidden tests of python-basics. Every call gets orders that are made from the seed."""

from decimal import Decimal

import pytest
from order_lines import (
    CUSTOMERS,
    add_up,
    as_money,
    drive,
    messy,
    order,
    pairs,
    scrambled,
    tidy,
    types,
)

ORDER_TYPES = ["str", "int", "Decimal"]


# 1. Read one line


@pytest.mark.check(task="read-one-line", points=1)
def test_reads_a_tidy_line(solution, rng):
    """read_line reads a tidy line."""
    expected = order(rng)
    got = solution.call("orders:read_line", tidy(rng, *expected))
    assert got == expected, (
        "read_line should return a tuple (customer, quantity, price). "
        "Have you un-commented the lines in orders.py?"
    )
    assert types(got) == ORDER_TYPES, "The types should be str, int and Decimal, in this order."


@pytest.mark.check(task="read-one-line", points=1, needs=["test_reads_a_tidy_line"])
def test_reads_a_messy_line(solution, rng):
    """read_line does not mind spaces, tabs, capitals, a decimal comma or a € sign."""
    for places in (0, 2, 4):
        expected = order(rng, places=places)
        line = messy(rng, *expected)
        got = solution.call("orders:read_line", line)
        assert got == expected, f"read_line misread this line: {line!r}"


# 2. Total per customer


@pytest.mark.check(task="total-per-customer", points=2)
def test_adds_up_per_customer(solution, rng):
    """totals adds up each customer, however the name is written."""
    chosen = rng.sample(CUSTOMERS, 4)
    orders = [order(rng, customer=name) for name in chosen * 4]
    rng.shuffle(orders)
    lines = [messy(rng, *each) for each in orders]
    assert solution.call("orders:totals", []) == {}, "No lines, no totals: an empty dictionary."
    got = solution.call("orders:totals", lines)
    assert got == add_up(orders), (
        "The totals are not right. Each customer should be there once, under the name that "
        "read_line gives, with the sum of quantity times price."
    )


@pytest.mark.check(task="total-per-customer", points=2)
def test_money_is_exact(solution, rng):
    """Not a cent is lost: totals are Decimal and never were float."""
    small, large = rng.sample(CUSTOMERS, 2)
    # Far more digits than a float holds. Every quantity ends in 1 and so does every price,
    # so that the last digits matter.
    orders = [
        (
            large,
            rng.randrange(10**11, 10**12) * 10 + 1,
            Decimal(rng.randrange(10**5, 10**6) * 10 + 1).scaleb(-2),
        )
        for _ in range(5)
    ]
    orders += [(small, 1, Decimal("0.1")), (small, 1, Decimal("0.2"))]
    got = solution.call("orders:totals", [tidy(rng, *each) for each in orders])
    expected = add_up(orders)
    assert types(got) == types(expected), (
        "Each customer should have a total, and it should be a Decimal."
    )
    assert got == expected, (
        "The cents of a large total are wrong. Is there a float somewhere between the line and "
        "the total?"
    )


@pytest.mark.check(task="total-per-customer", points=2, needs=["test_adds_up_per_customer"])
def test_rounds_once_and_half_up(solution, rng):
    """Each total is rounded once, at the end, and half a cent goes up."""
    half, many = rng.sample(CUSTOMERS, 2)
    even = rng.randrange(10, 5000) * 2  # cents; an even neighbour catches banker's rounding
    price = Decimal(rng.randrange(100, 5000) * 10 + rng.randrange(1, 5)).scaleb(-3)
    count = rng.randrange(11, 30)
    lines = [f"{many};roll;1;{price}"] * count
    lines.append(f"{half};cake;1;{Decimal(even * 10 + 5).scaleb(-3)}")
    got = solution.call("orders:totals", lines)
    half_total, many_total = got.get(half), got.get(many)
    assert half_total == Decimal(even + 1).scaleb(-2), (
        "Half a cent should go up. Which rounding rule does quantize use when you name none?"
    )
    assert many_total == add_up([(many, count, price)])[many], (
        f"{count} lines with the price {price} give another total. Round the sum, not each line."
    )


CONTINUE = """
import json, sys
from decimal import Decimal
from orders import totals

job = json.load(sys.stdin)
start = {name: Decimal(amount) for name, amount in job["start"].items()}
today = list(job["today"])
answers = [totals(today, start), totals(job["tomorrow"], start), totals(today, start)]
print()
print(json.dumps(answers, default=str))
"""


@pytest.mark.check(task="total-per-customer", points=2, needs=["test_adds_up_per_customer"])
def test_earlier_totals_are_added_and_left_alone(solution, rng):
    """totals goes on from earlier totals and does not change what it was given."""
    first, second, third = rng.sample(CUSTOMERS, 3)
    start = {name: Decimal(rng.randrange(100, 9999)).scaleb(-2) for name in (first, second)}
    today = [order(rng, customer=name) for name in (second, third, second)]
    tomorrow = [order(rng, customer=name) for name in (first, third)]
    answers = drive(
        solution,
        CONTINUE,
        start=start,
        today=[tidy(rng, *each) for each in today],
        tomorrow=[tidy(rng, *each) for each in tomorrow],
    )
    got = [as_money(answer) for answer in answers or [None] * 3]
    assert got[0] == add_up(today, start), (
        "totals(lines, start) should go on from start, and keep the customers who ordered nothing."
    )
    assert got[1] == add_up(tomorrow, start), (
        "A second call with the same start gives a wrong answer: the first call changed start. "
        "Work on a copy."
    )
    assert got[2] == add_up(today, start), (
        "The same call gives another answer the second time: totals changed the list of lines."
    )


@pytest.mark.check(task="total-per-customer", points=2, needs=["test_adds_up_per_customer"])
def test_calls_do_not_share_totals(solution, rng):
    """Two calls of totals know nothing of each other."""
    orders = [order(rng) for _ in range(3)]
    others = [order(rng) for _ in range(3)]
    for each in (orders, others, orders):
        got = solution.call("orders:totals", [tidy(rng, *one) for one in each])
        assert got == add_up(each), (
            "An earlier call is still in this total. A default value such as start={} is made "
            "only once, when Python reads the def line."
        )


# 3. Report what is wrong


def faulty(rng, reason):
    """A line whose first fault is `reason`; the fields after it may be faulty too."""
    customer, quantity, price = order(rng)
    customer, item = scrambled(rng, customer), "rye bread"
    worse = rng.random() < 0.5
    wrong_quantity = rng.choice(["", "two", "0", "3 pieces", "1.5"])
    wrong_price = rng.choice(["", "free", "3.40 each", "1.2.3", "€", "$ 2"])
    if reason == "price":
        return f"{customer};{item};{quantity};{wrong_price}"
    if reason == "quantity":
        return f"{customer};{item};{wrong_quantity};{wrong_price if worse else price}"
    if reason == "customer":
        quantity = wrong_quantity if worse else quantity
        return f"{rng.choice(['', ' ', '  '])};{item};{quantity};{price}"
    return rng.choice(
        [
            f"{customer};{item};{quantity}",
            f"{customer};{item};{quantity};{price};",
            f";{item};{wrong_quantity}",
            "call back tomorrow",
        ]
    )


def mixed(rng):
    """(lines, orders, faults): right and faulty lines, shuffled; every reason is there twice."""
    kinds = ["fields", "customer", "quantity", "price"] * 2 + [None] * 8
    rng.shuffle(kinds)
    lines, orders, faults = [], [], []
    for number, reason in enumerate(kinds, start=1):
        if reason is None:
            orders.append(order(rng))
            lines.append(messy(rng, *orders[-1]))
        else:
            faults.append((number, reason))
            lines.append(faulty(rng, reason))
    return lines, orders, faults


@pytest.mark.check(task="report-what-is-wrong", points=3)
def test_bad_lines_are_reported(solution, rng):
    """problems reports every faulty line with its number and the reason."""
    lines, _, faults = mixed(rng)
    got = pairs(solution.call("orders:problems", lines))
    reported = [each[0] for each in got if isinstance(each, tuple) and each]
    assert reported == [number for number, _ in faults], (
        "These line numbers are reported as faulty. Every faulty line should be there, in order, "
        "counted from 1, and no right line."
    )
    assert got == faults, (
        "A reason is wrong. Check the fields in the order of the table and name the first fault."
    )


@pytest.mark.check(task="report-what-is-wrong", points=1)
def test_bad_lines_do_not_count(solution, rng):
    """totals leaves faulty lines out and goes on after them."""
    lines, orders, _ = mixed(rng)
    got = solution.call("orders:totals", lines)
    assert got == add_up(orders), (
        "The totals should hold the right lines, all of them, and no other."
    )


@pytest.mark.check(task="report-what-is-wrong", points=1)
def test_blank_lines_and_comments(solution, rng):
    """Blank lines and comments are no orders and no faults, but they have a number."""
    good, hidden = order(rng), order(rng)
    fault = rng.choice(["fields", "customer", "quantity", "price"])
    lines = ["", "   \n", "# by phone", " \t# " + tidy(rng, *hidden), "#" + tidy(rng, *hidden)]
    rng.shuffle(lines)
    lines += [tidy(rng, *good), "\n", faulty(rng, fault)]
    got = pairs(solution.call("orders:problems", lines))
    assert got == [(8, fault)], (
        "Only line 8 is faulty. Blank lines and comments are passed over, and still counted."
    )
    got = solution.call("orders:totals", lines)
    assert got == add_up([good]), "Only one line is an order; the others are blank or comments."


@pytest.mark.check(task="report-what-is-wrong", points=2, needs=["test_bad_lines_are_reported"])
def test_numbers_that_only_python_takes(solution, rng):
    """Numbers that Python accepts and the shop does not are faults."""
    customer, quantity, price = order(rng)
    quantities = ["1_000", "+3", "-2", "2.0", "1e2"]
    prices = ["nan", "1e3", "inf", "-4.20", "+1.5", "1_0.5", ".5", "4.", "€ -1", "€€2"]
    wrong = [("quantity", text) for text in quantities] + [("price", text) for text in prices]
    rng.shuffle(wrong)
    lines = [
        f"{customer};roll;{text};{price}"
        if reason == "quantity"
        else f"{customer};roll;{quantity};{text}"
        for reason, text in wrong
    ]
    got = pairs(solution.call("orders:problems", lines))
    found = dict(each for each in got if isinstance(each, tuple) and len(each) == 2)
    missed = [
        f"{reason} {text}" for n, (reason, text) in enumerate(wrong, 1) if found.get(n) != reason
    ]
    assert missed == [], (
        "These are not digits as the table asks, and problems did not report them. "
        "int() and Decimal() accept more than the shop does."
    )


# 4. A million lines


ANY_ITERABLE = """
import json, sys
import orders

lines = json.load(sys.stdin)["lines"]
answers = [
    orders.totals(line for line in lines),
    orders.problems(line for line in lines),
    list(orders.read_orders(line for line in lines)),
]
print()
print(json.dumps(answers, default=str))
"""


@pytest.mark.check(task="a-million-lines", points=1, needs=["test_bad_lines_are_reported"])
def test_takes_any_iterable(solution, rng):
    """The lines may come from a generator, which can be read only once."""
    lines, orders, faults = mixed(rng)
    answers = drive(solution, ANY_ITERABLE, lines=lines) or [None] * 3
    assert as_money(answers[0]) == add_up(orders), (
        "totals is wrong when the lines come from a generator. Loop over the lines only once."
    )
    assert pairs(answers[1]) == faults, (
        "problems is wrong when the lines come from a generator. Loop over the lines only once."
    )
    expected = [(customer, quantity, str(price)) for customer, quantity, price in orders]
    assert pairs(answers[2]) == expected, (
        "read_orders should hand out (customer, quantity, price) of every right line, in order."
    )


# The quantity on each line is worked out from the orders that have come out so far.
# Whoever reads ahead reads lines that were written too early.
ONE_BY_ONE = """
import json, sys
from orders import read_orders

job = json.load(sys.stdin)
state = job["state"]

def lines():
    for customer, price in job["wanted"]:
        yield f"{customer} ; roll ; {state} ; {price}"
        yield f"{customer} ; roll ; none ; {price}"

came = []
for customer, quantity, price in read_orders(lines()):
    came.append([customer, quantity])
    state = (state * 31 + quantity * 17 + len(customer)) % 9973 + 1
print()
print(json.dumps(came))
"""


@pytest.mark.check(task="a-million-lines", points=2)
def test_orders_come_one_by_one(solution, rng):
    """read_orders hands out an order before it reads the next line."""
    state = rng.randrange(1, 9000)
    wanted = [order(rng)[::2] for _ in range(20)]
    came = drive(solution, ONE_BY_ONE, state=state, wanted=wanted)
    expected = []
    for customer, _ in wanted:
        expected.append([customer, state])
        state = (state * 31 + state * 17 + len(customer)) % 9973 + 1
    assert [each[0] for each in came or []] == [each[0] for each in expected], (
        "read_orders should hand out all right lines and no other. These are the customers."
    )
    assert came == expected, (
        "Each line was written only after the order before it had come out. These quantities are "
        "older, so read_orders had read further than it should: use yield, and no list."
    )


# Counts the blocks of memory that Python has in use when half of the lines have been read, and
# again at the last line. Whoever keeps anything of a line needs at least one block for it.
MEMORY = """
import json, sys
from gc import collect
blocks = sys.getallocatedblocks
import orders

job = json.load(sys.stdin)
names, count = job["names"], job["count"]

def lines(seen):
    for n in range(count):
        if n in (count // 2, count - 1):
            collect()
            seen.append(blocks())
        cents = (job["a"] * n + job["b"]) % 7919
        price = f"{cents // 100}.{cents % 100:02}"
        yield f"{names[n % len(names)]:40};{n:<40};{n % 50 + 1:<20};{price:>30}"

one, two = [], []
answers = [orders.totals(lines(one)), orders.problems(lines(two))]
grown = [max(each) - min(each) if len(each) == 2 else None for each in (one, two)]
print()
print(json.dumps([answers, grown], default=str))
"""
LINES, ROOM = 3000, 400


@pytest.mark.check(task="a-million-lines", points=2, needs=["test_adds_up_per_customer"])
def test_memory_does_not_grow(solution, rng):
    """Right lines leave nothing behind in memory."""
    names, a, b = rng.sample(CUSTOMERS, 5), rng.randrange(1, 7919), rng.randrange(7919)
    came = drive(solution, MEMORY, names=names, count=LINES, a=a, b=b)
    answers, grown = came or ([None, None], [None, None])
    orders = [
        (names[n % len(names)], n % 50 + 1, Decimal((a * n + b) % 7919).scaleb(-2))
        for n in range(LINES)
    ]
    assert as_money(answers[0]) == add_up(orders), "The totals of many lines are not right."
    assert answers[1] == [], "problems reports a fault, but none of these lines is faulty."
    kept = {
        name: blocks if blocks is None or blocks > ROOM else 0
        for name, blocks in zip(["totals", "problems"], grown, strict=True)
    }
    assert kept == {"totals": 0, "problems": 0}, (
        "totals and problems should not keep anything of a right line. This is the number of "
        f"pieces of memory that each of them kept while it read {LINES // 2} right lines."
    )
