"""Wants more of the server than it has."""

import os
import socket
import struct
import time

import pymongo

kept = []


def find(wanted):
    return list(database().things.find(wanted))


def database():
    return pymongo.MongoClient(os.environ["MONGODB_URL"]).get_default_database()


def attack(name):
    return ATTACKS[name]()


def memory():
    """Arrays larger than the server's container, made by the server itself."""
    things = database().things
    things.insert_many({"_id": n} for n in range(200))
    wide = {"$project": {"n": {"$range": [0, 1_000_000]}}}
    list(things.aggregate([wide, {"$sort": {"n": 1}}, {"$project": {"n": {"$size": "$n"}}}]))
    return 3


def regex():
    """A pattern that takes for ever to be compared, in a server that does nothing else meanwhile."""
    things = database().things
    things.insert_one({"text": "a" * 60 + "b"})
    list(things.find({"text": {"$regex": "^(a+)+$"}}))
    return 3


def connections():
    while True:
        connection = socket.create_connection(("127.0.0.1", port()))
        connection.sendall(struct.pack("<iiii", 1000, 1, 0, 2013))
        kept.append(connection)


def disk():
    things = database().things
    while True:
        things.insert_many({"text": os.urandom(500_000)} for _ in range(20))


def unread():
    """A command that runs on after its program has gone."""
    database().things.insert_many({"_id": n} for n in range(500))
    slow = {"$size": {"$range": [0, 20_000]}}
    client = pymongo.MongoClient(os.environ["MONGODB_URL"], socketTimeoutMS=200)
    try:
        list(client.learner.things.aggregate([{"$project": {"n": slow}}]))
    except pymongo.errors.AutoReconnect:
        pass
    return 3


def port():
    return pymongo.uri_parser.parse_uri(os.environ["MONGODB_URL"])["nodelist"][0][1]


ATTACKS = {
    one.__name__: one for one in (memory, regex, connections, disk, unread)
}
