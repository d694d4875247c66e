"""Totals per customer from order lines that people typed by hand. The tasks are in README.md."""

from decimal import Decimal


def read_line(line):
    """Task 1. Turn one order line into (customer, quantity, price)."""
    # Un-comment the next six lines: delete the "# " at the front of each.
    # customer, item, quantity, price = line.split(";")
    # customer = " ".join(customer.lower().split())
    # price = price.strip()
    # price = price.removeprefix("€")
    # price = price.strip().replace(",", ".")
    # return customer, int(quantity), Decimal(price)

    print("read_line: un-comment the lines above this message")
    return ()


def totals(lines, start=None):
    """Task 2. Return a dictionary: customer -> total, a Decimal with two decimal places."""
    print("totals: not written yet, so every total is missing")
    return {}


def problems(lines):
    """Task 3. Return a list of (line number, reason), one for each bad line."""
    print("problems: not written yet, so no bad line is reported")
    return []


def read_orders(lines):
    """Task 4. Hand out (customer, quantity, price) of each good line, one after the other."""
    print("read_orders: not written yet, so no order is handed out")
    return []


if __name__ == "__main__":
    with open("orders.txt", encoding="utf-8") as file:
        lines = file.read().splitlines()
    print("first line:", read_line(lines[0]))
    print("totals:    ", totals(lines))
    print("problems:  ", problems(lines))
    print("orders:    ", list(read_orders(lines)))
