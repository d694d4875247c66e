"""The process of one run, from the fork to its end."""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import os
import signal
import socket
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from _pytest.config import default_plugins

from grader.judge.channel import Channel
from grader.judge.errors import AuthorFault, Broke, Fault
from grader.judge.make import make
from grader.judge.plugin import Plugin
from grader.judge.run import Run, quiet

_FINE = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED)
_WITHOUT = (
    *("cacheprovider", "debugging", "doctest", "faulthandler", "junitxml", "legacypath", "logging"),
    *("pastebin", "setuponly", "setupplan", "stepwise", "unittest"),
)
"""Pytest's own plugins that no hidden test needs: each costs a millisecond in every run."""
_ARGUMENTS = ("-q", "--capture=no", *(f"-pno:{name}" for name in _WITHOUT), "-c")

for _name in set(default_plugins) - set(_WITHOUT):  # loaded once, before the fork
    importlib.import_module(f"_pytest.{_name}")


def perform(prepared: Mapping[str, Any], sock: socket.socket, folder: Path) -> None:
    """Make ready, wait for a submission, grade it and say so on the socket. Never raises."""
    channel = Channel(sock)
    _end_with_parent()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    quiet(folder)
    try:
        if prepared["make"]:
            channel.emit(make(prepared["make"]))
            return
        run = Run(prepared, channel)
        if prepared["serve"]:
            run.serve()
        tests = folder / "tests"
        tests.mkdir()
        run.prepare(tests)
        channel.emit(_pytest(run, tests, folder))
    except AuthorFault as error:
        channel.emit({"type": "fault", "message": str(error), "author": True})
    except (Fault, Broke) as error:
        channel.emit({"type": "fault", "message": str(error), "author": False})
    except BaseException:  # noqa: BLE001 -- whatever it was, the host must hear of it
        text = traceback.format_exc()[-4000:]
        channel.emit({"type": "fault", "message": text, "author": False})


def _end_with_parent() -> None:
    """Where no container takes this process down with its parent, the kernel does (prctl(2))."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG


def _pytest(run: Run, tests: Path, folder: Path) -> dict[str, Any]:
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    sys.dont_write_bytecode = True
    os.chdir(tests)
    sys.path.insert(0, str(tests))
    config = folder / "pytest.ini"
    config.write_text("[pytest]\npython_files = test_*.py\n")
    plugin = Plugin(run)
    code = pytest.main([*_ARGUMENTS, str(config), "--rootdir", str(tests), str(tests)], [plugin])
    if plugin.faults:
        return {"type": "fault", "message": "\n".join(plugin.faults), "author": True}
    if code not in _FINE:
        output = (folder / "output").read_text(errors="replace")[-4000:]
        return {"type": "fault", "message": f"pytest ended with {code!r}\n{output}", "author": True}
    return {"type": "finished"}
