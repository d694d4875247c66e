"""SecantusDB with one account, `admin`: `serve.py PORT PASSWORD_FILE DATA`.

Its own command line cannot make the first account of a server that asks for accounts.
"""

import logging
import signal
import sys
from pathlib import Path

from secantus import commands
from secantus.auth import derive_credentials
from secantus.server import SecantusDBServer

MECHANISM = "SCRAM-SHA-256"
UNGUARDED = (
    *("bulkWrite", "killAllSessions", "killAllSessionsByPattern", "killSessions"),
    *("replSetGetStatus", "replSetStepDown"),
)
"""What 0.7.0b3 lets every account do, to every database and to everybody: the admin's alone."""


def main() -> None:
    port, file, data = int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    password = file.read_text()
    file.unlink()
    logging.basicConfig(level=logging.ERROR, format="%(levelname)s %(name)s: %(message)s")
    guard()
    server = SecantusDBServer(
        "127.0.0.1",
        port,
        data,
        replica_set_name=None,
        require_auth=True,
        enable_test_commands=False,
        ttl_sweep_seconds=1.0,
        max_connections=500,
        cache_size="64M",
    )
    add_admin(server, password)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # its data ends with it: there is nothing to save
    server.start()
    server.wait()


def guard() -> None:
    """Close what the package leaves open: an account must not leave its own database."""
    for name in UNGUARDED:
        commands._COMMAND_ACTIONS[name] = (commands.A_KILLOP, commands.SCOPE_CLUSTER)
    rename = commands._HANDLERS["renameCollection"]

    def rename_inside(doc, ctx):
        names = str(doc.get("renameCollection")), str(doc.get("to"))
        if len({name.partition(".")[0] for name in names}) > 1:
            text = "a collection cannot be renamed into another database here"
            return {"ok": 0.0, "errmsg": text, "code": 13, "codeName": "Unauthorized"}
        return rename(doc, ctx)

    commands._HANDLERS["renameCollection"] = rename_inside


def add_admin(server: SecantusDBServer, password: str) -> None:
    """As createUser does it, which only an account may call."""
    credentials = derive_credentials(password, mechanism=MECHANISM, username="admin")
    server.storage.add_user(
        "admin",
        "admin",
        {
            "_id": "admin.admin",
            "user": "admin",
            "db": "admin",
            "credentials": credentials.to_doc(),
            "roles": [{"role": "root", "db": "admin"}],
            "mechanisms": [MECHANISM],
        },
    )


if __name__ == "__main__":
    main()
