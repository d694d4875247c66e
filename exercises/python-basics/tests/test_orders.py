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


# Runs beside the submission. The next line is made here, and only when the order before it is
# known: so whoever reads ahead, in whatever way, has nothing to read.
FEEDER = """
from orders import read_orders


class ReadTooFar(Exception):
    pass


class Feeder:
    def __init__(self):
        self.waiting = []
        self.read_at_once = False
        try:
            self.orders = iter(read_orders(self.lines()))
        except ReadTooFar:
            self.read_at_once = True

    def lines(self):
        while True:
            if not self.waiting:
                raise ReadTooFar
            line = self.waiting.pop(0)
            if line is None:
                return
            yield line

    def step(self, *lines):
        self.waiting += lines
        try:
            return next(self.orders, None)
        except ReadTooFar:
            return "read too far"
"""


@pytest.mark.check(task="a-million-lines", points=2)
def test_orders_come_one_by_one(solution, rng):
    """read_orders hands out an order before it reads the next line."""
    solution.run(["true"], files={"feeder.py": FEEDER}, check=True)
    feeder = solution.new("feeder:Feeder")
    assert feeder.read_at_once is False, (
        "read_orders wanted a line before anybody asked for an order: use yield, and no list."
    )
    for _ in range(20):
        customer, quantity, price = order(rng)
        good = f"{customer} ; roll ; {quantity} ; {price}"
        got = feeder.step(f"{customer} ; roll ; none ; {price}", good)
        assert got == (customer, quantity, price), (
            "read_orders got one faulty and one right line, and should hand out the order on the "
            "right one before it reads on: use yield, and no list."
        )
    assert feeder.step(None) is None, "The lines are at their end, but read_orders goes on."


# The kernel holds the limit, which is set before the submission is imported: its code cannot lift
# it. Modules that a solution may want are imported first, so that they take nothing of it.
MEMORY = """
import json, sys
import collections, contextlib, csv, dataclasses, datetime, decimal, enum, functools, io, itertools
import logging, math, operator, re, string, typing
from resource import RLIMIT_DATA, setrlimit

job = json.load(sys.stdin)
names, count = job["names"], job["count"]
with open("/proc/self/status") as status:
    (used,) = [int(line.split()[1]) * 1024 for line in status if line.startswith("VmData:")]
setrlimit(RLIMIT_DATA, (used + job["room"],) * 2)

import orders

def lines():
    for n in range(count):
        cents = (job["a"] * n + job["b"]) % 7919
        price = f"{cents // 100}.{cents % 100:02}"
        yield f"{names[n % len(names)]};{n};{n % 50 + 1};{price}"

try:
    answers = [orders.totals(lines()), orders.problems(lines())]
except MemoryError:
    answers = "MemoryError"
print()
print(json.dumps(answers, default=str))
"""
LINES, MEGABYTES = 60_000, 4


@pytest.mark.check(
    task="a-million-lines", points=2, seconds=30, needs=["test_adds_up_per_customer"]
)
def test_memory_does_not_grow(solution, rng):
    """Right lines leave nothing behind in memory."""
    names, a, b = rng.sample(CUSTOMERS, 5), rng.randrange(1, 7919), rng.randrange(7919)
    room = MEGABYTES * 1024 * 1024
    answers = drive(solution, MEMORY, 25, names=names, count=LINES, a=a, b=b, room=room)
    assert answers != "MemoryError", (
        f"{LINES:,} right lines did not fit into memory: totals and problems may take "
        f"{MEGABYTES} MB here, and should not keep anything of a right line."
    )
    totals, problems = answers or [None, None]
    sums = dict.fromkeys(names, 0)
    for n in range(LINES):
        sums[names[n % len(names)]] += (n % 50 + 1) * ((a * n + b) % 7919)
    expected = {name: Decimal(cents).scaleb(-2) for name, cents in sums.items()}
    assert as_money(totals) == expected, "The totals of many lines are not right."
    assert problems == [], "problems reports a fault, but none of these lines is faulty."
