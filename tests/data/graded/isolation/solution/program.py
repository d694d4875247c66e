"""What code in a sandbox can see and reach."""

import os
import socket


def status():
    with open("/proc/self/status") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


def devices():
    with open("/proc/net/dev") as file:
        return [line.split(":")[0].strip() for line in file if ":" in line]


def unix_sockets():
    with open("/proc/net/unix") as file:
        return [line.split()[-1] for line in file.readlines()[1:] if "/" in line.split()[-1]]


def connect(host, port):
    try:
        socket.create_connection((host, port), timeout=2).close()
    except OSError as error:
        return type(error).__name__ + ": " + str(error)
    return "connected"


def resolve(name):
    try:
        return socket.gethostbyname(name)
    except OSError:
        return None


def write(path):
    try:
        with open(path, "w") as file:
            file.write("x")
    except OSError as error:
        return error.strerror
    return "written"


def environment():
    return dict(os.environ)


def parents_environment():
    """The environments of all processes that can be read."""
    found = b""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                found += file.read()
        except OSError:
            continue
    return found


def files(*roots):
    found = []
    for root in roots:
        for folder, _, names in os.walk(root):
            found += [os.path.join(folder, name) for name in names]
    return found


def mounts():
    with open("/proc/mounts") as file:
        return [line.split()[:4] for line in file]


def postgres(url, statement):
    import psycopg

    try:
        with psycopg.connect(url, connect_timeout=3) as connection:
            return connection.execute(statement).fetchall()
    except psycopg.Error as error:
        return str(error)


def redis(url, *command):
    import redis

    try:
        return redis.Redis.from_url(url, socket_timeout=3).execute_command(*command)
    except redis.RedisError as error:
        return str(error)
