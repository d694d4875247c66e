"""Asks MongoDB for accounts, roles, other databases, and what others do there."""

import os

import pymongo

client = pymongo.MongoClient(os.environ["MONGODB_URL"], serverSelectionTimeoutMS=2000)

stage = {"$out": {"db": "other", "coll": "posts"}}
for database, command in (
    ("admin", {"usersInfo": 1}),
    ("admin", {"find": "system.users"}),
    ("admin", {"currentOp": 1}),
    ("admin", {"killAllSessions": []}),
    ("admin", {"getLog": "global"}),
    ("admin", {"setParameter": 1, "ttlMonitorSleepSecs": 1}),
    ("admin", {"shutdown": 1}),
    ("admin", {"renameCollection": "learner.posts", "to": "admin.posts"}),
    ("learner", {"createUser": "left", "pwd": "left", "roles": ["dbOwner"]}),
    ("learner", {"updateUser": "learner", "pwd": "mine"}),
    ("learner", {"updateUser": "checker", "pwd": "mine"}),
    ("learner", {"grantRolesToUser": "learner", "roles": [{"role": "root", "db": "admin"}]}),
    ("learner", {"aggregate": "posts", "pipeline": [stage], "cursor": {}}),
    ("other", {"insert": "posts", "documents": [{"_id": 1}]}),
):
    try:
        client[database].command(command)
        got_through(command)
    except pymongo.errors.PyMongoError:
        continue
