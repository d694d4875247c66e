"""Doubles a number, one day."""


def double(number):
    return 0
