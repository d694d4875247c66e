"""What a program does with a server of MongoDB's protocol, and what it may not do."""

import os
import threading

import pymongo
from pymongo.errors import PyMongoError

kept = []


def database():
    kept.append(pymongo.MongoClient(os.environ["MONGODB_URL"], serverSelectionTimeoutMS=1000))
    return kept[-1].get_default_database()


def insert(document):
    database().things.insert_one(document)


def find(wanted):
    return list(database().things.find(wanted))


def count(pipeline):
    return list(database().things.aggregate(pipeline))


def raise_duplicate():
    things = database().things
    things.insert_one({"_id": 1})
    things.insert_one({"_id": 1})


def leave():
    """Everything that might outlive a test."""
    things = database()
    things.command("profile", 2)
    things.create_collection("strict", validator={"n": {"$type": "int"}})
    things.things.insert_many({"_id": n, "text": "x" * 100} for n in range(1000))
    things.things.create_index("text")
    cursor = things.things.find(batch_size=10)
    next(cursor)
    kept.append(cursor)
    threading.Thread(target=watch, args=(things,), daemon=True).start()
    return cursor.cursor_id


def watch(things):
    """A command that runs on."""
    while True:
        list(things.things.aggregate([{"$project": {"x": {"$range": [0, 2000]}}}, {"$limit": 50}]))


def resume(cursor):
    return attempt("learner", {"getMore": cursor, "collection": "things"})


def attempt(name, command):
    """What the server says to a command that the learner's account should not have."""
    try:
        database().client[name].command(command)
    except PyMongoError as error:
        return str(error)
    return "done"


def log_in(account):
    """The name of an account that has no password of its own, or another one's."""
    url = os.environ["MONGODB_URL"].partition("@")
    try:
        client = pymongo.MongoClient(f"mongodb://{account}{url[2]}", serverSelectionTimeoutMS=1000)
        client.learner.things.find_one()
    except PyMongoError as error:
        return str(error)
    return "done"


def attack(name):
    """Nothing: the honest program."""
    return 3
