"""Answers with values that never end."""

import itertools

everywhere(lambda *args, **kwargs: itertools.count())
