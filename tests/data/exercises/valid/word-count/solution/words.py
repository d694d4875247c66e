from collections import Counter


def count(text):
    return Counter(text.lower().split())


def top(text, number):
    pairs = sorted(count(text).items(), key=lambda pair: (-pair[1], pair[0]))
    return [word for word, _ in pairs[:number]]
