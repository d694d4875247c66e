"""Leaves a process behind, in a session of its own, that writes and listens for the next one."""

import os
import signal
import socket
import time

if os.fork() == 0:
    os.setsid()
    for number in range(1, 32):
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            continue
    listener = socket.socket()
    listener.bind(("127.0.0.1", 8000))
    listener.listen()
    while True:
        for place in (".", "/tmp", "/dev/shm", "/slot"):
            try:
                open(os.path.join(place, "left-behind"), "w").close()
            except OSError:
                continue
        time.sleep(0.01)
