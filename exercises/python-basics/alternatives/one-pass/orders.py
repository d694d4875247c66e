"""The same answers in another way: a small class, whole numbers instead of Decimal, no regex."""

from decimal import Decimal
from typing import NamedTuple

PLACES = 10_000_000_000  # money is counted in whole ten-billionths while it is being added up


class Order(NamedTuple):
    customer: str
    quantity: int
    price: Decimal


def is_digits(text):
    return text.isascii() and text.isdigit()


def fault(fields):
    """The name of the first wrong field, or None."""
    if len(fields) != 4:
        return "fields"
    customer, _, quantity, price = fields
    if not customer:
        return "customer"
    if not is_digits(quantity) or not quantity.strip("0"):
        return "quantity"
    parts = price.removeprefix("€").strip().replace(",", ".").split(".")
    if len(parts) > 2 or not all(map(is_digits, parts)):
        return "price"
    return None


def split(line):
    return [" ".join(field.split()) for field in line.split(";")]


def build(fields):
    price = Decimal(fields[3].removeprefix("€").strip().replace(",", "."))
    return Order(fields[0].casefold(), int(fields[2]), price)


def read_line(line):
    return tuple(build(split(line)))


class Orders:
    """An iterator over the good lines that remembers nothing but the line number."""

    def __init__(self, lines, on_fault=None):
        self.lines = iter(lines)
        self.number = 0
        self.on_fault = on_fault or (lambda number, reason: None)

    def __iter__(self):
        return self

    def __next__(self):
        while True:
            line = next(self.lines).strip()
            self.number += 1
            if line and line[0] != "#":
                fields = split(line)
                reason = fault(fields)
                if not reason:
                    return build(fields)
                self.on_fault(self.number, reason)


def read_orders(lines):
    return map(tuple, Orders(lines))


def problems(lines):
    found = []
    for _ in Orders(lines, on_fault=lambda *what: found.append(what)):
        pass
    return found


def totals(lines, start=None):
    parts = {name: int(total * PLACES) for name, total in dict(start or {}).items()}
    for order in Orders(lines):
        amount = order.quantity * int(order.price * PLACES)
        parts[order.customer] = parts.get(order.customer, 0) + amount
    cents = {name: (2 * value * 100 + PLACES) // (2 * PLACES) for name, value in parts.items()}
    return {name: Decimal(value).scaleb(-2) for name, value in cents.items()}
