"""Opens files until there can be no more, and keeps them."""

kept = []
while True:
    try:
        kept.append(open("/dev/null"))
    except OSError:
        break
