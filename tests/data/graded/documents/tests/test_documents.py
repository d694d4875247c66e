"""A check for each promise of the service `mongodb`; names say how they end, as in `outcomes`."""

import pytest
from pymongo.errors import PyMongoError

LEFT = {}


@pytest.mark.check(task="all")
def test_first(solution, mongodb, rng):
    """The learner's database and the test's are the same."""
    number = rng.randint(1, 10**9)
    mongodb.learner.things.insert_one({"_id": 1, "n": number})
    assert solution.call("program:find", {"n": number}) == [{"_id": 1, "n": number}], "another one"
    solution.call("program:insert", {"_id": 2, "n": number})
    assert mongodb.learner.things.count_documents({"n": number}) == 2, "another number"


@pytest.mark.check(task="all")
def test_passed_leave(solution, mongodb):
    """A program may leave behind what it likes."""
    LEFT["cursor"] = solution.call("program:leave")
    names = set(mongodb.learner.list_collection_names())
    assert names >= {"strict", "system.profile", "things"}, "it left less"


@pytest.mark.check(task="all")
def test_passed_left(solution, mongodb):
    """Nothing is left: collections, indexes, validators, cursors, commands, the profiler."""
    assert mongodb.learner.list_collection_names() == [], "a collection"
    assert "not found" in solution.call("program:resume", LEFT["cursor"]), "a cursor"
    assert mongodb.learner.command("profile", -1)["was"] == 0, "the profiler"
    solution.call("program:insert", {"_id": 1, "text": 5})
    assert list(mongodb.learner.things.index_information()) == ["_id_"], "an index"


REFUSED = {
    "users": ("admin", {"usersInfo": 1}),
    "user": ("learner", {"createUser": "x", "pwd": "y", "roles": []}),
    "password": ("learner", {"updateUser": "learner", "pwd": "y"}),
    "role": ("learner", {"grantRolesToUser": "learner", "roles": ["userAdmin"]}),
    "new_role": ("learner", {"createRole": "x", "privileges": [], "roles": []}),
    "drop_user": ("learner", {"dropUser": "checker"}),
    "find": ("admin", {"find": "system.users"}),
    "insert": ("other", {"insert": "things", "documents": [{"_id": 1}]}),
    "drop": ("admin", {"dropDatabase": 1}),
    "rename": ("admin", {"renameCollection": "learner.things", "to": "other.things"}),
    "shutdown": ("admin", {"shutdown": 1, "force": True}),
    "operations": ("admin", {"currentOp": 1}),
    "kill": ("admin", {"killOp": 1, "op": 1}),
    "sessions": ("admin", {"killAllSessions": []}),
    "parameter": ("admin", {"setParameter": 1, "ttlMonitorSleepSecs": 9}),
    "command_line": ("admin", {"getCmdLineOpts": 1}),
    "log": ("admin", {"getLog": "global"}),
    "fail": ("admin", {"configureFailPoint": "failCommand", "mode": "alwaysOn", "data": {}}),
    "step_down": ("admin", {"replSetStepDown": 1}),
    "out": (
        "learner",
        {"aggregate": "things", "pipeline": [{"$out": {"db": "a", "coll": "b"}}], "cursor": {}},
    ),
    "bulk": (
        "admin",
        {
            "bulkWrite": 1,
            "ops": [{"insert": 0, "document": {"_id": 1}}],
            "nsInfo": [{"ns": "other.things"}],
        },
    ),
}


@pytest.mark.check(task="all")
@pytest.mark.parametrize("name", ["users", "user", "password", "role", "new_role", "drop_user", "find", "insert", "drop", "rename", "shutdown", "operations", "kill", "sessions", "parameter", "command_line", "log", "fail", "step_down", "out", "bulk"])
def test_passed_refused(solution, mongodb, name):
    """The learner's account keeps to its own database: {name}."""
    mongodb.learner.things.insert_one({"_id": 1})
    said = solution.call("program:attempt", *REFUSED[name])
    refusals = ("not authorized", "no such command", "another database", "not found")
    assert any(one in said for one in refusals), "it is allowed"


@pytest.mark.check(task="all")
def test_passed_accounts(solution, mongodb):
    """There is no other account to log in with."""
    for account in ("admin:admin@", "checker:checker@", "learner:learner@", "root:root@"):
        said = solution.call("program:log_in", account)
        assert "uthentication failed" in said, "it is let in"
    assert "requires authentication" in solution.call("program:log_in", ""), "nobody is let in"


@pytest.mark.check(task="all")
def test_passed_expiry(mongodb, eventually):
    """Documents whose time is over go within a few seconds."""
    things = mongodb.learner.things
    things.create_index("at", expireAfterSeconds=3600)
    now = mongodb.admin.command("hello")["localTime"]
    things.insert_many([{"_id": 1, "at": now.replace(year=2020)}, {"_id": 2, "at": now}])
    eventually(lambda: things.count_documents({}) == 1, within=8, message="it stays")
    assert things.find_one()["_id"] == 2, "the other one went"


@pytest.mark.check(task="all")
def test_passed_links(solution, mongodb):
    """Outages and recordings do what they say, and end."""
    with mongodb.link.record() as seen:
        solution.call("program:find", {"n": 1})
        solution.call("program:insert", {"_id": 2})
    assert [text.partition(" {")[0] for text in seen.commands] == ["find things", "insert things"]
    assert (len(seen.reads), len(seen.writes), seen.count('"n": 1')) == (1, 1, 1), "seen"
    with mongodb.link.refuse(), solution.raises("ServerSelectionTimeoutError") as caught:
        solution.call("program:find", {})
    assert "refused" in caught.message, "it was not refused"
    assert solution.call("program:find", {}) == [{"_id": 2}], "the outage is over"
    mongodb.link.cut()
    with mongodb.link.delay(0.2):
        assert solution.call("program:find", {}) == [{"_id": 2}], "late, but right"
    with mongodb.link.hang(), solution.raises("ServerSelectionTimeoutError"):
        solution.process().call("program:find", {})


@pytest.mark.check(task="all")
def test_passed_examined(solution, mongodb):
    """What a recorded command costs can be asked: by a scan of all, and by an index."""
    things = mongodb.learner.things
    things.insert_many({"_id": n, "n": n % 50} for n in range(500))
    with mongodb.link.record() as seen:
        solution.call("program:find", {"n": 7})
    assert mongodb.examined(seen.commands[0]) == 500, "a scan looks at all"
    things.create_index("n")
    assert mongodb.examined(seen.commands[0]) == 10, "an index leads to those that match"
    with mongodb.link.record() as seen:
        solution.call("program:count", [{"$match": {"n": 7}}, {"$count": "n"}])
    assert mongodb.examined(seen.commands[0]) == 10, "the same for a pipeline"


@pytest.mark.check(task="all")
def test_broke_crash_duplicate(solution):
    """An error of the client's is the learner's own."""
    solution.call("program:raise_duplicate")


@pytest.mark.check(task="all")
def test_failed_refused(solution, mongodb):
    """What the learner's own rules refuse, a test can say."""
    mongodb.learner.create_collection("things", validator={"n": {"$type": "int"}})
    try:
        mongodb.learner.things.insert_one({"n": "one"})
    except PyMongoError as error:
        pytest.fail(f"it was refused: {error.code}")


@pytest.mark.check(task="all", seconds=25)
@pytest.mark.parametrize("turn", ["hostile", "after"])
@pytest.mark.parametrize(
    "name", ["memory", "regex", "connections", "disk", "unread"]
)
def test_attack(solution, mongodb, name, turn, rng):
    """The attack {name}."""
    if turn == "hostile":
        assert solution.call("program:attack", name, timeout=4) == 3, "it is not three"
        mongodb.learner.things.insert_one({"_id": "judge"})
        return
    assert mongodb.learner.list_collection_names() == [], "a collection is left"
    number = rng.randint(1, 10**9)
    mongodb.learner.things.insert_one({"_id": number})
    assert solution.call("program:find", {}) == [{"_id": number}], "another one"
