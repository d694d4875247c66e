"""An engine of the test's own, which it may stop and kill, in namespaces of its own."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

NAMESPACES = ("--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc")
SCRIPT = """
mount --bind "$1/run" /run && mount --bind "$1/lib" /var/lib/docker || exit 1
exec dockerd --host "unix://$1/engine.sock" --bridge none --iptables=false --shutdown-timeout 1
"""
STARTS_WITHIN = 60


class PrivateEngine:
    """Needs root and a `dockerd`. Everything of it is under `folder`; no network is needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        for name in ("run/lock", "lib"):
            (folder / name).mkdir(parents=True)

    @staticmethod
    def possible() -> bool:
        return os.geteuid() == 0 and all(shutil.which(name) for name in ("dockerd", "unshare"))

    @property
    def host(self) -> str:
        return f"unix://{self._folder}/engine.sock"

    def start(self) -> None:
        """Return when it answers."""
        for left in (*self._folder.rglob("*.pid"), self._folder / "engine.sock"):
            left.unlink(missing_ok=True)
        shutil.rmtree(self._folder / "run/docker/containerd", ignore_errors=True)
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                ["unshare", *NAMESPACES, "bash", "-c", SCRIPT, "bash", str(self._folder)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + STARTS_WITHIN
        while not self._answers():
            log_text = (self._folder / "log").read_text(errors="replace")
            assert self._process.poll() is None, log_text[-2000:]
            assert time.monotonic() < deadline, log_text[-2000:]
            time.sleep(0.1)

    def _answers(self) -> bool:
        return self.run("version").returncode == 0

    def run(self, *words: str, **streams: int) -> subprocess.CompletedProcess[bytes]:
        """A docker command on this engine."""
        streams = streams or {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.run(["docker", "--host", self.host, *words], timeout=120, **streams)  # type: ignore[call-overload,no-any-return]  # a dict of file descriptors

    def copy_images(self, tags: list[str]) -> None:
        """From the engine that these tests use."""
        with subprocess.Popen(["docker", "save", *tags], stdout=subprocess.PIPE) as saving:
            assert saving.stdout is not None
            loaded = self.run("load", stdin=saving.stdout.fileno(), stdout=subprocess.DEVNULL)
        assert (loaded.returncode, saving.returncode) == (0, 0)

    def stop(self) -> None:
        """As `systemctl stop docker`: it ends its containers first."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """The engine and everything in its containers at once, as when power fails."""
        self._end(signal.SIGKILL)

    def remove(self) -> None:
        """Nothing of it is left, its images included."""
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _end(self, number: int) -> None:
        if self._process is None:
            return
        inside = self._engine_pid()
        with contextlib.suppress(ProcessLookupError):
            os.kill(inside or self._process.pid, number)
        self._process.wait(60)
        self._process = None

    def _engine_pid(self) -> int:
        """The dockerd, as numbered outside its namespace: the one child of `unshare`."""
        assert self._process is not None
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        found = children.read_text().split()
        return int(found[0]) if found else 0
