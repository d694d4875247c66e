"""Answers with more than anybody can read."""

everywhere(lambda *args, **kwargs: "x" * 40_000_000)
