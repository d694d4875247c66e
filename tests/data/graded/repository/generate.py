import os
import subprocess


def generate(out, rng):
    word = f"word{rng.randrange(10**9)}"
    env = {**os.environ, "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1"}
    for role in ("AUTHOR", "COMMITTER"):
        env |= {f"GIT_{role}_NAME": "A", f"GIT_{role}_EMAIL": "a@example.com"}
        env[f"GIT_{role}_DATE"] = f"{1_700_000_000 + rng.randrange(1000)} +0000"

    def git(*arguments):
        command = ["git", *arguments]
        done = subprocess.run(command, cwd=out / "work", env=env, check=True, capture_output=True)
        return done.stdout.decode().strip()

    (out / "work").mkdir()
    (out / "run.sh").write_text("#!/bin/sh\necho hello\n")
    (out / "run.sh").chmod(0o755)
    git("init", "-q", "--template=", "-b", "main")
    (out / "work" / "a.txt").write_text("first\n")
    git("add", "a.txt")
    git("commit", "-q", "-m", "First")
    first = git("rev-parse", "HEAD")
    git("tag", "-a", "-m", "one", "v1")
    git("switch", "-q", "-c", "side")
    (out / "work" / "b.txt").write_text(f"{word}\n")
    git("add", "b.txt")
    git("commit", "-q", "-m", "Second")
    second = git("rev-parse", "HEAD")
    git("switch", "-q", "main")
    return {"first": first, "second": second, "word": word}
