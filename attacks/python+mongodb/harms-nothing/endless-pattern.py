"""Has MongoDB compare a pattern that takes for ever."""

import os

import pymongo

client = pymongo.MongoClient(os.environ["MONGODB_URL"], socketTimeoutMS=2000)

try:
    client.learner.left.insert_one({"text": "a" * 60 + "b"})
    client.learner.left.find_one({"text": {"$regex": "^(a+)+$"}})
except pymongo.errors.PyMongoError:
    pass
