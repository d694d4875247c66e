"""A co-op with random books, and the right answers, worked out in Python."""

from collections import Counter, defaultdict
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from tables import put

CENT = Decimal("0.01")
GOODS = ["rye", "oats", "honey", "cheese", "salt", "tea", "beans", "apples", "soap", "oil", "rice"]
KINDS = ["fresh", "dried", "green", "old", "fine", "wild", "whole", "mild", "dark"]
NAMES = ["Ada", "Ben", "Cleo", "Dan", "Eve", "Finn", "Gus", "Hana", "Ida", "Jon", "Kim", "Lea"]


class Books:
    """Rows for every table. Each method that adds some returns them, ready for `load`."""

    def __init__(self, rng):
        self.rng = rng
        self.members = self._make_members(9)
        self.categories = self._make_categories()
        self.products = self._make_products(24)
        self.orders, self.lines, self.reviews = [], [], []

    def _ids(self, count):
        return self.rng.sample(range(10, 10_000), count)

    def money(self, least=50, most=5000):
        return Decimal(self.rng.randrange(least, most)).scaleb(-2)

    def _make_members(self, count):
        names = self.rng.sample(NAMES, count)
        return [
            {"id": number, "email": f"{name}.{number}@example.org", "name": name}
            for number, name in zip(self._ids(count), names, strict=True)
        ]

    def _make_categories(self):
        """Three at the top, a line of six below one of them, the rest anywhere; ids in no order.

        Nothing is below the last three.
        """
        rows = []
        for n, number in enumerate(self._ids(22)):
            parent = None if n < 3 else rows[n - 1] if n < 9 else self.rng.choice(rows[:19])
            parent_id = parent["id"] if parent else None
            taken = {row["name"] for row in rows if row["parent_id"] == parent_id}
            name = self.rng.choice([one for one in GOODS + KINDS if one not in taken])
            rows.append({"id": number, "name": name, "parent_id": parent_id})
        return rows

    def _make_products(self, count):
        """Some without a category. The deepest category has products; one above and the last three
        have none.
        """
        deepest = self.categories[8]
        others = [*self.categories[:4], *self.categories[5:8], *self.categories[9:19]]
        used = [deepest, *self.rng.sample(others, 11)]
        where = [row["id"] for row in used] + [None] * 3
        where += [self.rng.choice(used)["id"] for _ in range(count - len(where))]
        return [
            {
                "id": number,
                "name": f"{self.rng.choice(KINDS)} {self.rng.choice(GOODS)}",
                "category_id": category,
                "price": self.money(),
            }
            for number, category in zip(self._ids(count), where, strict=True)
        ]

    def order(self, member, day, products):
        """One order with a line for each of these products."""
        number = self.rng.randrange(1, 1_000_000)
        while any(order["id"] == number for order in self.orders):
            number += 1
        order = {"id": number, "member_id": member["id"], "placed_on": day}
        lines = [
            {
                "order_id": number,
                "product_id": product["id"],
                "quantity": self.rng.randrange(1, 9),
                "price": self.money(),
            }
            for product in products
        ]
        self.orders.append(order)
        self.lines += lines
        return [order], lines

    def order_worth(self, member, day, worth):
        """One order of two lines that add up to exactly this much."""
        pair = self.rng.sample(self.products, 2)
        order, lines = self.order(member, day, pair)
        share = (worth / 2 / lines[0]["quantity"]).quantize(CENT)
        lines[0]["price"] = share
        lines[1].update(quantity=1, price=worth - share * lines[0]["quantity"])
        return order, lines

    def trade(self, products, orders=50):
        """Orders and reviews of these products: several lines and several reviews of each."""
        first = date(2024, 1, 1)
        for number in range(orders):
            this = products[number % len(products)]  # so that each is ordered, and more than once
            few = [one for one in self.rng.sample(products, 4) if one is not this]
            day = first + timedelta(days=self.rng.randrange(700))
            self.order(self.rng.choice(self.members), day, [this, *few[: self.rng.randrange(4)]])
        for product in products:
            for member in self.rng.sample(self.members, self.rng.randrange(2, 6)):
                review = {"product_id": product["id"], "member_id": member["id"]}
                self.reviews.append({**review, "stars": self.rng.randrange(1, 6)})

    def load(self, postgres):
        """Put everything into the learner's tables."""
        put(postgres, "members", self.members)
        put(postgres, "categories", self.categories)
        put(postgres, "products", self.products)
        put(postgres, "orders", self.orders)
        put(postgres, "order_lines", self.lines)
        put(postgres, "reviews", self.reviews)

    # -- the right answers --------------------------------------------------------------------

    def sold(self):
        """Pieces sold, by product."""
        pieces = Counter()
        for line in self.lines:
            pieces[line["product_id"]] += line["quantity"]
        return pieces

    def sales(self):
        pieces, stars = self.sold(), defaultdict(list)
        for review in self.reviews:
            stars[review["product_id"]].append(review["stars"])
        rows = []
        for number in sorted(product["id"] for product in self.products):
            given = stars[number]
            mean = Decimal(sum(given)) / len(given) if given else None
            mean = mean if mean is None else mean.quantize(CENT, ROUND_HALF_UP)
            rows.append((number, pieces[number], len(given), mean))
        return rows

    def unused(self):
        used = {row["category_id"] for row in self.products}
        used |= {row["parent_id"] for row in self.categories}
        return sorted((row["id"], row["name"]) for row in self.categories if row["id"] not in used)

    def worth(self):
        """What each order is worth, by its id."""
        values = {order["id"]: Decimal(0) for order in self.orders}
        for line in self.lines:
            values[line["order_id"]] += line["quantity"] * line["price"]
        return values

    def places(self):
        worth, months = self.worth(), defaultdict(Counter)
        for order in self.orders:
            months[order["placed_on"].replace(day=1)][order["member_id"]] += worth[order["id"]]
        rows = []
        for month, spent in months.items():
            for member, amount in spent.items():
                place = 1 + sum(other > amount for other in spent.values())
                if place <= 3:
                    rows.append((month, place, member, amount))
        return sorted(rows)

    def history(self):
        worth, rows = self.worth(), []
        for member in sorted(row["id"] for row in self.members):
            mine = [order for order in self.orders if order["member_id"] == member]
            so_far, before = Decimal(0), None
            for order in sorted(mine, key=lambda one: (one["placed_on"], one["id"])):
                so_far += worth[order["id"]]
                days = (order["placed_on"] - before).days if before else None
                rows.append((member, order["id"], worth[order["id"]], so_far, days))
                before = order["placed_on"]
        return rows

    def tree(self):
        by_id = {row["id"]: row for row in self.categories}
        paths, sold, pieces = {}, Counter(), self.sold()
        for row in self.categories:
            line, here = [], row
            while here:
                line.append(here["name"])
                here = by_id.get(here["parent_id"])
            paths[row["id"]] = " / ".join(reversed(line))
        for product in self.products:
            here = by_id.get(product["category_id"])
            while here:
                sold[here["id"]] += pieces[product["id"]]
                here = by_id.get(here["parent_id"])
        return [(number, paths[number], sold[number]) for number in sorted(by_id)]
