"""Makes order lines, tidy and messy, and the answers that belong to them."""

import json
from decimal import ROUND_HALF_UP, Decimal

CUSTOMERS = [
    "corner cafe",
    "harbour hotel",
    "old mill inn",
    "station kiosk",
    "café am markt",
    "school kitchen no 4",
    "smørrebrød bar",
    "night market",
    "riverside canteen",
    "the green spoon",
]
ITEMS = ["rye bread", "croissants", "muffins, small", "flour (kg)", "seeds", "1 cake", "salt"]


def cents(amount):
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


def order(rng, customer=None, places=2):
    """A random order: (customer, quantity, price)."""
    digits = rng.randrange(1, 50 * 10**places)
    customer = customer or rng.choice(CUSTOMERS)
    return customer, rng.randrange(1, 200), Decimal(digits).scaleb(-places)


def tidy(rng, customer, quantity, price):
    return f"{customer} ; {rng.choice(ITEMS)} ; {quantity} ; {price}"


def scrambled(rng, name):
    """The same customer, in another spelling."""
    letters = "".join(rng.choice((str.upper, str.lower))(letter) for letter in name)
    words = letters.split()
    gap = rng.choice(["  ", "   ", "\t", " \t "])
    return rng.choice(["", " ", "\t"]) + gap.join(words) + rng.choice(["", " ", "   "])


def messy(rng, customer, quantity, price):
    """The same order as tidy() would write, the way people type."""

    def pad(text):
        return rng.choice(["", " ", "  ", "\t"]) + text + rng.choice(["", " ", "  ", "\t"])

    number = str(price).replace(".", rng.choice([".", ","]))
    number = rng.choice(["", "", "€", "€ "]) + number
    fields = [scrambled(rng, customer), pad(rng.choice(ITEMS)), pad(str(quantity)), pad(number)]
    return ";".join(fields) + rng.choice(["", "\n"])


def add_up(orders, start=()):
    """The right totals, rounded once."""
    sums = dict(start)
    for customer, quantity, price in orders:
        sums[customer] = sums.get(customer, Decimal(0)) + quantity * price
    return {customer: cents(amount) for customer, amount in sums.items()}


def types(value):
    """The type names of what came back, without the values."""
    if isinstance(value, dict):
        return {key: type(each).__name__ for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [type(each).__name__ for each in value]
    return type(value).__name__


def pairs(value):
    """A list of tuples, whether the answer used tuples or lists inside."""
    if not isinstance(value, list | tuple):
        return value
    return [tuple(each) if isinstance(each, list | tuple) else each for each in value]


def drive(solution, driver, timeout=5, **job):
    """Runs a few lines of Python beside the submission; returns what they print last, as JSON."""
    job = json.dumps(job, default=str).encode()
    result = solution.run(["python3", "-c", driver], stdin=job, check=True, timeout=timeout)
    lines = result.stdout.decode(errors="replace").split("\n")
    try:
        return json.loads([line for line in lines if line.strip()][-1], parse_float=str)
    except (IndexError, ValueError):
        return None


def as_money(value):
    """JSON has no Decimal, so totals come back from drive() as text."""
    if not isinstance(value, dict):
        return value
    try:
        return {name: Decimal(amount) for name, amount in value.items()}
    except (ArithmeticError, TypeError, ValueError):
        return value
