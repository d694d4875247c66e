def count(text):
    raise NotImplementedError


def top(text, number):
    raise NotImplementedError
