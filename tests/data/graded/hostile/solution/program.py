"""Programs that want all there is, or will not end. Each function is one of them."""

import ctypes
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time


def add(a, b):
    return a + b


# -- memory ---------------------------------------------------------------------------------------


def hog():
    kept = []
    while True:
        kept.append(bytearray(4_000_000))


def hog_in_a_child():
    """The child dies of it, and the parent says that all is well."""
    subprocess.run([sys.executable, "-c", "x = bytearray(300_000_000)"], check=False)
    return 3


def hog_in_a_grandchild():
    """The grandchild left its session, and nobody waits for it."""
    script = "import time\ntime.sleep(0.1)\nx = bytearray(300_000_000)\nopen('grown', 'w')"
    subprocess.Popen([sys.executable, "-c", script], start_new_session=True)
    for _ in range(40):
        time.sleep(0.05)
        if os.path.exists("grown"):
            return 3
    return 0


def huge_answer():
    return "x" * 40_000_000


# -- processes and threads ------------------------------------------------------------------------


def fork_bomb():
    """Every copy goes on copying itself."""
    while True:
        try:
            os.fork()
        except OSError:
            pass


def fork_and_wait():
    """A program that meets its limit and says so."""
    while True:
        if os.fork() == 0:
            time.sleep(1000)
            os._exit(0)


def thread_bomb():
    while True:
        threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()


def daemons():
    """Leave processes behind that no signal but one ends, each in a session of its own."""
    script = (
        "import os, signal\n"
        "for number in range(1, 65):\n"
        "    try: signal.signal(number, signal.SIG_IGN)\n"
        "    except (OSError, ValueError): pass\n"
        "os.setsid()\n"
        "while True: pass"
    )
    for _ in range(5):
        if os.fork() == 0:
            os.execv(sys.executable, [sys.executable, "-c", script])
    time.sleep(0.3)
    return 3


def alive():
    """How many processes there are, without those that ended."""
    states = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat") as file:
                states.append(file.read().rpartition(") ")[2][0])
        except OSError:
            continue
    return len([state for state in states if state not in "ZX"])


# -- disk -----------------------------------------------------------------------------------------


def fill(folder):
    with open(f"{folder}/big", "wb", buffering=0) as file:
        while True:
            file.write(bytes(1_000_000))


def fill_with_many_files(folder):
    """No file is over a limit of its own."""
    number = 0
    while True:
        number += 1
        with open(f"{folder}/part{number}", "wb") as file:
            file.write(bytes(500_000))


def fill_inodes(folder):
    number = 0
    while True:
        number += 1
        os.mkdir(f"{folder}/{number}")


def hide_files():
    """Names and rights that make them hard to remove."""
    os.makedirs("a/" + "b/" * 200)
    for place in (".", "/tmp", "/dev/shm", "/slot"):
        os.mkdir(os.path.join(place, "closed"))
        open(os.path.join(place, "closed", "file"), "w").close()
        os.chmod(os.path.join(place, "closed"), 0)
        os.symlink("/proc", os.path.join(place, "link"))
        open(os.path.join(os.fsencode(place), b"\xff\n"), "w").close()
    os.chmod(".", 0)
    return 3


def lying_about():
    """Everything in the places where a program can write."""
    found = []
    for place in (".", "/tmp", "/dev/shm", "/dev/mqueue", "/slot"):
        found += [os.path.join(place, name) for name in os.listdir(place)]
    return found


# -- output ---------------------------------------------------------------------------------------


def ten_gigabytes():
    line = b"x" * 1_000_000
    for _ in range(10_000):
        os.write(1, line)
    return 3


# -- time -----------------------------------------------------------------------------------------


def deaf():
    """No signal ends this one, but that which cannot be ignored."""
    for number in range(1, 65):
        if number not in (signal.SIGKILL, signal.SIGSTOP):
            try:
                signal.signal(number, signal.SIG_IGN)
            except (OSError, ValueError):
                continue
    signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
    while True:
        pass


def deaf_in_c():
    """In a C library, where no Python signal handler ever gets its turn."""
    ctypes.PyDLL(None).sleep(1000)


def sleep():
    while True:
        time.sleep(1000)


def stop():
    os.kill(os.getpid(), signal.SIGSTOP)


def stop_all():
    """The agent, too."""
    os.kill(-1, signal.SIGSTOP)
    os.kill(os.getpid(), signal.SIGSTOP)


def kill_all():
    os.kill(-1, signal.SIGKILL)


def kill_agent():
    """Each process that is not process 1 nor this one, from the oldest on."""
    for pid in sorted(int(name) for name in os.listdir("/proc") if name.isdigit()):
        if pid not in (1, os.getpid()):
            os.kill(pid, signal.SIGKILL)
    time.sleep(1000)


# -- pipes and descriptors ------------------------------------------------------------------------


def close_standard():
    print("said", "before", "the", "end")
    for number in (0, 1, 2):
        os.close(number)
    return 3


def close_all():
    os.closerange(0, 4096)
    return 3


def hold_output():
    """A child in another session keeps the output open."""
    subprocess.Popen(["sleep", "1000"], start_new_session=True)
    return 3


def many_files():
    kept = []
    while True:
        kept.append(open("/dev/null"))


def more_files():
    resource.setrlimit(resource.RLIMIT_NOFILE, (100_000, 100_000))


# -- the channel to the judge ---------------------------------------------------------------------


def garbage():
    """Write to every descriptor that may lead to the agent."""
    for number in range(3, 20):
        try:
            os.write(number, b"\xff\xff\xff\xff" + b"{" * 5000)
        except OSError:
            continue
    time.sleep(1000)


def drip():
    """An answer that never ends, a byte at a time."""
    sock = socket.socket(fileno=os.dup(3))
    sock.sendall(b"\x00\x00\xff\xff")
    while True:
        sock.sendall(b" ")
        time.sleep(0.05)


def flood():
    """Answers nobody asked for, as fast as they go."""
    sock = socket.socket(fileno=os.dup(3))
    body = b'{"id": 999999, "value": 3}'
    while True:
        sock.sendall((len(body).to_bytes(4, "big") + body) * 1000)
