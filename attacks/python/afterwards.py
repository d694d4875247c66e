"""Appended to the reference after an attack that may leave something: it breaks when it meets it."""


def look_around():
    import glob
    import os
    import socket

    places = (os.getcwd(), "/tmp", "/dev/shm", "/slot")
    left = [path for place in places for path in glob.glob(f"{place}/*left-behind*")]
    with socket.socket() as sock:
        if sock.connect_ex(("127.0.0.1", 8000)) == 0:
            left.append("somebody listens on port 8000")
    if left:
        raise RuntimeError(f"something was left behind: {left[:5]}")


look_around()
