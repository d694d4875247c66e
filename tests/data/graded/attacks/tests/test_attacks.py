"""Attacks on the walls of the sandbox and of both servers. Every check must pass."""

import pytest

SECRET = "a-value-that-" + "only-hidden-tests-know"


@pytest.mark.check(task="all")
def test_processes(solution):
    """No other process can be read, traced, stopped or robbed of its descriptors."""
    assert solution.call("program:readable_processes") == [], "something can be read"
    assert solution.call("program:traceable_processes") == [], "something can be traced"
    assert solution.call("program:stolen_descriptors") == [], "a descriptor was taken"
    assert solution.call("program:stop_process_1") in "SR", "process 1 is not as it was"


@pytest.mark.check(task="all", seconds=60)
def test_network(solution):
    """On its own loopback only the ports of the services answer, and there is nothing else."""
    four, six = solution.call("program:all_local_ports", timeout=40)
    assert (four, six) == ([5432, 6379], []), "another port answers"
    hosts = ["172.17.0.1", "172.18.0.1", "192.168.65.2", "169.254.169.254", "169.254.170.2"]
    hosts += ["10.0.0.1", "10.0.2.2", "192.168.0.1", "192.168.122.1", "8.8.8.8", "224.0.0.1"]
    assert solution.call("program:reachable", hosts, timeout=20) == [], "an address is reached"


@pytest.mark.check(task="all")
def test_names_and_sockets(solution):
    """No name is resolved, and no socket of another kind leads anywhere."""
    names = ["host.docker.internal", "gateway.docker.internal", "metadata.google.internal"]
    names += ["example.com", "postgres", "redis", "judge"]
    assert solution.call("program:resolved", names) == [], "a name is resolved"
    assert solution.call("program:asked_for_names") == [], "a name server answers"
    assert solution.call("program:special_sockets") == [], "a special socket"
    named = solution.call("program:unix_sockets")
    assert [name for name in named if not name.startswith("/slot/")] == [], "somebody's socket"
    on_disk = solution.call("program:sockets_on_disk")
    assert on_disk == ["/session/postgres.sock", "/session/redis.sock"], "another socket"
    assert solution.call("program:use_the_key") == [], "somebody obeys the agent's key"


@pytest.mark.check(task="all", seconds=30)
def test_rights(solution):
    """No system call, program or file of the kernel gives a right."""
    assert solution.call("program:forbidden_calls") == [], "a system call went on"
    assert solution.call("program:become_root", timeout=20) == [], "a program gave rights"
    assert solution.call("program:own_cgroup", timeout=20) == [], "its limits can be lifted"
    assert solution.call("program:kernel_files") == [], "a file of the kernel"


@pytest.mark.check(task="all", seconds=60)
def test_secrets(solution):
    """No expected value, no hidden test, no password of an administrator, no setting of grader's."""
    for word in (SECRET, "test_attacks", "exercise.yaml", "ADMIN_PASSWORD", "grader.judge"):
        assert solution.call("program:holding", word, timeout=20) == [], "a secret was found"
    names = solution.call("program:variables")
    assert [name for name in names if "GRADER" in name] == [], "a setting of grader's"
    assert {"PATH", "HOME"} <= set(names), "its own variables"


@pytest.mark.check(task="all", seconds=30)
def test_postgres_statements(solution):
    """Every statement that would give more than the learner's own database is refused."""
    listed = [
        "SELECT rolpassword FROM pg_authid",
        "SELECT passwd FROM pg_shadow",
        "SELECT * FROM pg_hba_file_rules",
        "SELECT * FROM pg_ident_file_mappings",
        "SELECT pg_read_file('/data/pg/pg_hba.conf')",
        "SELECT pg_read_binary_file('/etc/passwd')",
        "SELECT pg_ls_dir('/')",
        "SELECT pg_stat_file('/etc/passwd')",
        "SELECT lo_import('/etc/passwd')",
        "SELECT lo_export(lo_from_bytea(0, 'x'), '/tmp/x')",
        "CREATE TABLE t (x text); COPY t FROM '/etc/passwd'",
        "COPY (SELECT 1) TO '/tmp/x'",
        "COPY (SELECT 1) TO PROGRAM 'id'",
        "CREATE TABLE t (x text); COPY t FROM PROGRAM 'id'",
        "CREATE EXTENSION dblink",
        "CREATE EXTENSION postgres_fdw",
        "CREATE EXTENSION file_fdw",
        "CREATE EXTENSION adminpack",
        "CREATE EXTENSION pg_stat_statements",
        "CREATE EXTENSION plperl",
        "CREATE EXTENSION plperlu",
        "CREATE EXTENSION plpython3u",
        "CREATE EXTENSION pltcl",
        "CREATE FOREIGN DATA WRAPPER mine",
        "CREATE FUNCTION f(text) RETURNS int LANGUAGE c AS 'libc.so.6', 'system'",
        "CREATE FUNCTION f() RETURNS int LANGUAGE internal AS 'pg_backend_pid'",
        "LOAD '/usr/lib/postgresql/17/lib/auth_delay'",
        "ALTER SYSTEM SET listen_addresses = '*'",
        "SET session_preload_libraries = 'x'",
        "SET log_statement = 'all'",
        "SET session_replication_role = replica",
        "SET ROLE postgres",
        "SET ROLE checker",
        "SET ROLE pg_read_all_data",
        "SET ROLE pg_execute_server_program",
        "SET SESSION AUTHORIZATION postgres",
        "GRANT postgres TO learner",
        "GRANT pg_execute_server_program TO learner",
        "GRANT pg_read_all_stats TO learner",
        "CREATE ROLE mine",
        "ALTER ROLE learner SUPERUSER",
        "ALTER ROLE learner CREATEDB",
        "ALTER ROLE learner BYPASSRLS",
        "ALTER ROLE checker PASSWORD 'x'",
        "ALTER ROLE checker RESET role",
        "ALTER ROLE postgres PASSWORD 'x'",
        "CREATE DATABASE mine",
        "CREATE DATABASE mine TEMPLATE template0",
        "DROP DATABASE template1",
        "DROP DATABASE learner",
        "ALTER DATABASE postgres OWNER TO learner",
        "ALTER DATABASE learner OWNER TO postgres",
        "CREATE TABLESPACE mine LOCATION '/tmp'",
        "CREATE EVENT TRIGGER mine ON ddl_command_start EXECUTE FUNCTION pg_sleep()",
        "CREATE PUBLICATION mine FOR ALL TABLES",
        "CREATE SUBSCRIPTION mine CONNECTION 'host=127.0.0.1' PUBLICATION x",
        "SELECT pg_create_logical_replication_slot('mine', 'pgoutput')",
        "SELECT pg_create_physical_replication_slot('mine')",
        "BEGIN; PREPARE TRANSACTION 'mine'",
        "SELECT pg_reload_conf()",
        "SELECT pg_rotate_logfile()",
        "SELECT pg_switch_wal()",
        "SELECT pg_promote()",
        "SELECT pg_log_backend_memory_contexts(pg_backend_pid())",
        "CHECKPOINT",
        "INSERT INTO pg_auth_members SELECT * FROM pg_auth_members",
        "UPDATE pg_database SET datallowconn = true",
        "CREATE TABLE pg_catalog.mine (n int)",
    ]
    assert solution.call("program:statements", listed, timeout=25) == [], "a statement went on"


@pytest.mark.check(task="all", seconds=30)
def test_postgres_accounts(solution, postgres):
    """There is one account and one database; the queries and the sessions of others are hidden."""
    got = solution.call("program:logins", ["postgres", "checker", "root", "template1"], timeout=25)
    assert got == [("learner", "learner")], "another login"
    assert "error" in solution.call("program:replication").lower() or "FATAL" in solution.call(
        "program:replication"
    ), "a replication connection"
    assert postgres.value(f"SELECT '{SECRET}'") == SECRET, "the judge is connected"
    seen = solution.call(
        "program:statements",
        [
            f"SELECT query FROM pg_stat_activity WHERE query LIKE '%{SECRET[:10]}%'"
            " AND pid <> pg_backend_pid()",
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename <> 'learner'",
            "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE usename = 'postgres'",
        ],
    )
    assert [answer for _, answer in seen if answer != "[]"] == [], "another's session"
    assert postgres.value("SELECT 1") == 1, "the judge is still connected"


@pytest.mark.check(task="all")
def test_postgres_trigger(solution, postgres):
    """What a test writes runs the learner's trigger with the learner's rights, and no more."""
    solution.call("program:set_a_trap")
    postgres.load("counter", [{"id": 2, "n": 20}])
    postgres.execute("INSERT INTO counter VALUES (3, 30)")
    sprung = solution.call("program:sprung")
    assert set(sprung) <= {"as learner of checker", "RESET ROLE -> learner"}, "more than its own"
    assert "as learner of checker" in sprung, "the trap was sprung"


@pytest.mark.check(task="all", seconds=30)
def test_redis_commands(solution, redis):
    """No command shows another connection or account, or rules the server; scripts neither."""
    redis.set("key", SECRET)
    listed = [
        "ACL LIST", "ACL USERS", "ACL GETUSER admin", "ACL SETUSER learner +@all", "ACL LOG",
        "ACL LOAD", "ACL SAVE", "CONFIG GET *", "CONFIG SET maxmemory 0",
        "CONFIG REWRITE", "CONFIG RESETSTAT", "CLIENT LIST", "CLIENT KILL TYPE normal",
        "CLIENT PAUSE 1000", "CLIENT NO-EVICT on", "CLIENT UNBLOCK 1",
        "MONITOR", "DEBUG SLEEP 0", "DEBUG OBJECT key", "DEBUG RELOAD", "SLOWLOG GET",
        "LATENCY HISTORY command", "MEMORY DOCTOR.", "MODULE LIST", "MODULE LOAD /x.so",
        "SHUTDOWN NOSAVE", "REPLICAOF 127.0.0.1 1", "SLAVEOF NO ONE", "FAILOVER", "SYNC",
        "PSYNC ? -1", "SAVE", "BGSAVE", "BGREWRITEAOF", "SWAPDB 0 1", "CLUSTER INFO",
        "MIGRATE 127.0.0.1 1 key 0 1", "RESTORE a 0 x", "SCRIPT DEBUG YES", "PFDEBUG x y",
        "READONLY.", "AUTH admin admin", "AUTH default x",
    ]
    got = solution.call("program:commands", [line.split() for line in listed], timeout=20)
    assert got == [], "a command went on"
    scripts = [
        ["EVAL", f"return redis.call({call})", "0"]
        for call in (
            "'CONFIG','GET','*'", "'ACL','LIST'", "'CLIENT','LIST'", "'SHUTDOWN'",
            "'DEBUG','SLEEP','0'", "'MODULE','LIST'", "'SLOWLOG','GET'",
        )
    ]
    scripts += [["EVAL", f"return {code}", "0"] for code in (
        "io.open('/etc/passwd'):read()", "os.execute('id')", "loadfile('/etc/passwd')()",
        "dofile('/etc/passwd')", "package.loadlib('libc.so.6', 'system')", "require('os')",
        "debug.getregistry()",
    )]
    assert solution.call("program:commands", scripts, timeout=10) == [], "a script went on"
    accounts = ["default", "admin", "root", "redis", "judge"]
    assert solution.call("program:cache_logins", accounts, timeout=10) == [], "another login"
    assert redis.get("key") == SECRET.encode(), "the judge is still connected"


@pytest.mark.check(task="all", seconds=30)
def test_plant(solution):
    """Leaves a mark in every place that can be written, and finds it there."""
    found = solution.call("program:plant", "mark_of_this_run", timeout=20)
    for place in ("/submission/", "/tmp/", "/dev/shm/", "/slot/", "/dev/mqueue/"):
        assert f"{place}mark_of_this_run" in found, "it cannot be seen"
    left = solution.call("program:planted", "mark_of_this_run", timeout=20)
    assert len(left) >= 12, "the mark is looked for in too few places"


@pytest.mark.check(task="all", seconds=30)
def test_planted(solution):
    """The next check finds none of it, and neither does the next run."""
    assert solution.call("program:planted", "mark_of_this_run", timeout=20) == [], "a mark is left"
