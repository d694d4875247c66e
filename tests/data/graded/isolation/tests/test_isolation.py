"""What DESIGN calls the sandbox's walls, felt from the inside. Every check must pass."""

import pytest

SECRET_VALUE = "a-value-that-only-hidden-tests-know"


@pytest.mark.check(task="all")
def test_first(solution):
    """The program has a user of its own, no capability, and cannot gain any."""
    status = solution.call("program:status")
    assert status["Uid"].split() == ["10001"] * 4, "another user id"
    assert [status[name] for name in ("CapEff", "CapBnd", "CapPrm")] == ["0" * 16] * 3, (
        "a capability"
    )
    assert status["NoNewPrivs"] == "1", "privileges can be gained"
    assert status["Seccomp"] == "2", "no system call filter"


@pytest.mark.check(task="all")
def test_no_network(solution):
    """There is nothing but the sandbox's own loopback."""
    assert solution.call("program:devices") == ["lo"], "another network device"
    for host in ("1.1.1.1", "172.17.0.1", "169.254.169.254"):
        assert "connected" not in solution.call("program:connect", host, 80), "a way out"
    assert solution.call("program:resolve", "example.com") is None, "names are resolved"


@pytest.mark.check(task="all")
def test_only_its_services(solution):
    """Only the ports of the session's services answer, on its own loopback."""
    got = {port: solution.call("program:connect", "127.0.0.1", port) for port in (5432, 6379, 5433)}
    assert (got[5432], got[6379]) == ("connected", "connected"), "a service is missing"
    assert "refused" in got[5433], "another port answers"


@pytest.mark.check(task="all")
def test_read_only(solution):
    """Nothing can be written but its own folder, /tmp, and shared memory."""
    places = [
        "/etc/x",
        "/usr/x",
        "/opt/x",
        "/session/x",
        "/session/lease",
        "/var/tmp/x",
        "/x",
        "/run/x",
    ]
    places += ["/dev/x", "/sys/fs/cgroup/x", "/proc/sys/kernel/hostname"]
    got = {place: solution.call("program:write", place) for place in places}
    assert "written" not in got.values(), "a place that should be closed"
    for place in ("/submission/x", "/tmp/x", "/dev/shm/x"):
        assert solution.call("program:write", place) == "written", "its own places are open"


@pytest.mark.check(task="all")
def test_small_mounts(solution):
    """Every writable mount is a small tmpfs; no folder of the host is there."""
    mounts = solution.call("program:mounts")
    writable = [m for m in mounts if "rw" in m[3].split(",")]
    assert {m[2] for m in writable} <= {"tmpfs", "proc", "devpts", "mqueue", "sysfs"}, "a real disk"
    roots = ("/dev", "/sys/fs/cgroup")  # root's own: test_read_only tries them
    sizes = [m for m in writable if m[2] == "tmpfs" and m[1] not in roots and "size=" not in m[3]]
    assert sizes == [], "a tmpfs without a size"
    assert [m for m in mounts if m[1].startswith("/var/run/docker")] == [], "the engine's socket"


@pytest.mark.check(task="all")
def test_no_hidden_test(solution):
    """No file of the judge, the tests, the reference or another submission is in sight."""
    found = solution.call(
        "program:files", "/submission", "/tmp", "/session", "/slot", "/opt", "/home", "/root"
    )
    names = " ".join(found)
    for word in ("test_isolation", "judge", "/solution/", "schema.sql", "exercise.yaml"):
        assert word not in names, "a file that should not be here"
    environment = solution.call("program:parents_environment").decode()
    assert SECRET_VALUE not in environment, "an expected value"


@pytest.mark.check(task="all")
def test_no_password_of_an_admin(solution):
    """No variable of any process holds an admin's password or names a setting of grader's."""
    environment = solution.call("program:environment")
    assert [name for name in environment if name.startswith("GRADER")] == [], (
        "a setting of grader's"
    )
    everywhere = solution.call("program:parents_environment")
    assert b"ADMIN" not in everywhere, "an admin's password"


@pytest.mark.check(task="all")
def test_no_sockets_of_others(solution):
    """The only unix sockets are its agent's."""
    sockets = solution.call("program:unix_sockets")
    assert [path for path in sockets if not path.startswith("/slot/")] == [], "somebody's socket"


@pytest.mark.check(task="all")
def test_postgres_has_one_account(solution):
    """The learner is no superuser, and there is no other account or database to log in to."""
    url = solution.call("program:environment")["DATABASE_URL"]
    superuser = (
        "SELECT rolsuper OR rolcreaterole OR rolcreatedb FROM pg_roles WHERE rolname = current_user"
    )
    assert solution.call("program:postgres", url, superuser) == [(False,)], "it has power"
    base = url.rpartition("/")[0]
    for database in ("postgres", "template1", "template0", "grader_template"):
        got = solution.call("program:postgres", f"{base}/{database}", "SELECT 1")
        assert isinstance(got, str), "another database can be used"
    for account in ("postgres:postgres", "postgres:", "postgres"):
        other = f"postgresql://{account}@127.0.0.1:5432/postgres"
        assert isinstance(solution.call("program:postgres", other, "SELECT 1"), str), "an account"
    program = "COPY (SELECT 1) TO PROGRAM 'id'"
    assert "permission denied" in solution.call("program:postgres", url, program), "a shell"
    for query in ("SELECT pg_read_file('/etc/passwd')", "SELECT rolpassword FROM pg_authid"):
        assert "permission denied" in solution.call("program:postgres", url, query), "a file"


@pytest.mark.check(task="all")
def test_redis_has_one_account(solution):
    """The default user is off, and the learner's may not administrate."""
    nobody = "redis://127.0.0.1:6379/0"
    assert isinstance(solution.call("program:redis", nobody, "PING"), str), "the default user is on"
    url = solution.call("program:environment")["REDIS_URL"]
    for command in (["CONFIG", "GET", "*"], ["ACL", "LIST"], ["DEBUG", "SLEEP", "0"], ["SHUTDOWN"]):
        answer = solution.call("program:redis", url, *command)
        assert isinstance(answer, str), "an administrator's command is allowed"
        refused = "permission" in answer or "not allowed" in answer
        assert refused, "an administrator's command is allowed"


@pytest.mark.check(task="all")
def test_trigger_in_a_session_of_the_judge(postgres):
    """A trigger that the judge meets takes the judge's login: only this check is hurt."""
    postgres.execute(
        "CREATE FUNCTION take() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN SET ROLE none;"
        " ALTER ROLE checker PASSWORD 'mine'; ALTER ROLE checker RESET role; RETURN NEW; END $$"
    )
    postgres.execute("CREATE TABLE bait (n integer)")
    postgres.execute("CREATE TRIGGER t BEFORE INSERT ON bait FOR EACH ROW EXECUTE FUNCTION take()")
    postgres.execute("INSERT INTO bait VALUES (1)")
    assert postgres.value("SELECT session_user::text") == "checker", "the trigger has run"


@pytest.mark.check(task="all")
def test_trigger_is_forgotten(postgres):
    """The next check logs in as the learner's role again."""
    with postgres.connect() as connection:
        user = connection.execute("SELECT current_user::text AS name").fetchone()
    assert user == {"name": "learner"}, "another role"
