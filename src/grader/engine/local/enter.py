"""The first program of each process of a session: it takes on limits and user, and goes on as it.

`enter.py FD`: FD holds a JSON object: argv, env, folder ("" stays), user (0 stays), own (folders
that the user gets), limits (the name of a resource limit without RLIMIT_ -> its value), end_with
(the signal that this process gets when its parent is gone; 0 gets none). It comes from a pipe,
because a command line and a first environment can be read by others. Standard library only; it
runs in sandboxes.
"""

import ctypes
import json
import os
import resource
import sys


def main() -> None:
    with os.fdopen(int(sys.argv[1]), "rb") as pipe:
        wanted = json.loads(pipe.read())
    for name, value in wanted["limits"].items():
        number = getattr(resource, f"RLIMIT_{name}")
        hard = resource.getrlimit(number)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(number, (value, value))
    if wanted["user"]:
        for folder in wanted["own"]:
            os.chown(folder, wanted["user"], wanted["user"])
        os.setgroups([])
        os.setgid(wanted["user"])
        os.setuid(wanted["user"])
    libc = ctypes.CDLL(None)
    libc.prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS
    if wanted["end_with"]:  # after the change of user, which forgets it
        libc.prctl(1, wanted["end_with"], 0, 0, 0)  # PR_SET_PDEATHSIG
    os.umask(0o022)
    if wanted["folder"]:
        os.chdir(wanted["folder"])
    os.execve(wanted["argv"][0], wanted["argv"], wanted["env"])  # noqa: S606 -- as asked


if __name__ == "__main__":
    main()
