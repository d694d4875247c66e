"""Prints characters that turn the direction of a line, or cannot be seen."""

TEXT = "\u202e001 fo 001 :dessaP\u2066\u200b\ufeff\U000e0041"


def fail(*args, **kwargs):
    raise ValueError(TEXT)


everywhere(fail)
