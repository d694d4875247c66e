"""Answers with numbers that take minutes to be read."""

from decimal import Decimal

everywhere(lambda *args, **kwargs: [1 << 4_000_000, Decimal("1e3000000")])
