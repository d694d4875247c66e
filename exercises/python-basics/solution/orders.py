"""Totals per customer from order lines that people typed by hand."""

import re
from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")
QUANTITY = re.compile(r"[0-9]+")
PRICE = re.compile(r"(€\s*)?[0-9]+([.,][0-9]+)?")


def read_line(line):
    """Return (customer, quantity, price). ValueError names the first field that is wrong."""
    fields = line.split(";")
    if len(fields) != 4:
        raise ValueError("fields")

    customer = " ".join(fields[0].lower().split())
    if not customer:
        raise ValueError("customer")

    quantity = fields[2].strip()
    if not QUANTITY.fullmatch(quantity) or int(quantity) == 0:
        raise ValueError("quantity")

    price = fields[3].strip()
    if not PRICE.fullmatch(price):
        raise ValueError("price")

    return customer, int(quantity), Decimal(price.removeprefix("€").strip().replace(",", "."))


def read_all(lines):
    """Yield (line number, order, reason) of every order line; one of order and reason is None."""
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            order = read_line(line)
        except ValueError as error:
            yield number, None, str(error)
        else:
            yield number, order, None


def read_orders(lines):
    """Yield the (customer, quantity, price) of each good line as soon as it has been read."""
    for _, order, reason in read_all(lines):
        if reason is None:
            yield order


def problems(lines):
    """Return the (line number, reason) of each bad line."""
    return [(number, reason) for number, _, reason in read_all(lines) if reason]


def totals(lines, start=None):
    """Return customer -> total, going on from the totals in `start`."""
    sums = defaultdict(Decimal, start or {})
    for customer, quantity, price in read_orders(lines):
        sums[customer] += quantity * price
    return {customer: amount.quantize(CENT, ROUND_HALF_UP) for customer, amount in sums.items()}
