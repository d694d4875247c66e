"""Fills MongoDB, and leaves a validator, an index and the profiler behind."""

import os

import pymongo

client = pymongo.MongoClient(os.environ["MONGODB_URL"], socketTimeoutMS=2000)

try:
    client.learner.command("profile", 2)
    client.learner.create_collection("left", validator={"never": True}, validationAction="warn")
    client.learner.posts.create_index("left", unique=True)
    for number in range(200):
        client.learner.left.insert_one({"_id": number, "text": "x" * 1_000_000})
except pymongo.errors.PyMongoError:
    pass
