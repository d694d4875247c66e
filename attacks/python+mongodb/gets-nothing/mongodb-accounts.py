"""Logs in to MongoDB as everybody else, with no password and with its own."""

import os

import pymongo

url = os.environ["MONGODB_URL"]
own = pymongo.uri_parser.parse_uri(url)
host, port = own["nodelist"][0]

for user in (None, "admin", "root", "checker", "judge"):
    for password in (own["password"], "admin", "password"):
        login = {"username": user, "password": password} if user else {}
        for source in ("admin", "learner"):
            try:
                with pymongo.MongoClient(
                    host, port, authSource=source, serverSelectionTimeoutMS=2000, **login
                ) as client:
                    client.learner.posts.find_one()
                    got_through(user)
            except pymongo.errors.PyMongoError:
                continue
