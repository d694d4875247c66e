"""Give a mongod that just starts its first account: `make_admin.py PORT PASSWORD_FILE`.

While there is none, mongod lets a client of the same machine make one, and nothing else
(https://www.mongodb.com/docs/manual/core/localhost-exception/). No learner's program reaches the
server before the judge has logged in with this account.
"""

import sys
from pathlib import Path

import pymongo

READY_MS = 30_000


def main() -> None:
    port, file = int(sys.argv[1]), Path(sys.argv[2])
    password = file.read_text()
    file.unlink()
    client = pymongo.MongoClient(
        "127.0.0.1", port, directConnection=True, serverSelectionTimeoutMS=READY_MS
    )
    client.admin.command("createUser", "admin", pwd=password, roles=["root"])


if __name__ == "__main__":
    main()
