"""Makes what an exercise does not hold as files: workspaces, and answers that are procedures.

An author's `generate(out, rng)` completes a learner's workspace, and the command `solve` solves
one. Both run in the runner's image, without a network, in a session of its own that ends before a
submission meets anything. What `generate` says beside the files is for tests alone.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from grader import events
from grader.engine.base import Engine, Session, SessionSpec
from grader.errors import ExerciseError, SessionLost
from grader.model.exercise import Exercise, SubmitRule
from grader.model.progress import Listener, Stage
from grader.model.submission import Submission, SubmittedFile, seed_file
from grader.packing import MADE, PROGRAM, TOOL, VALUES, WORK, Unreadable, unpacked
from grader.workspace.snapshot import snapshot_folder, snapshot_stream
from grader.workspace.start import first_files

SECONDS = 60.0
"""What one such program may take."""
LATE = 60.0


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """The files that one learner begins with, and what `generate` tells the tests of them."""

    files: tuple[SubmittedFile, ...]
    values: Mapping[str, Any]


class Maker:
    """Makes workspaces and submissions of one exercise; each workspace once.

    `owner` keeps the session warm until `end`; `kept` is a folder where workspaces are remembered.
    """

    def __init__(
        self,
        exercise: Exercise,
        engine: Engine,
        listener: Listener,
        *,
        owner: str = "",
        kept: Path | None = None,
    ) -> None:
        self._exercise = exercise
        self._engine = engine
        self._listener = listener
        self._kept = kept
        self._known: dict[int, Workspace] = {}
        self._spec = SessionSpec(
            exercise=exercise.slug,
            runner=exercise.runner,
            services=(),
            limits=exercise.limits,
            owner=f"{owner} making" if owner else "",
        )

    def end(self) -> None:
        """End the warm session, if there is one."""
        if self._spec.owner and self._exercise.made:
            self._engine.release(self._spec)

    def workspace(self, seed: int) -> Workspace:
        """What a learner with this seed begins with.

        Raises ExerciseError when the author's program fails, InfrastructureError when ours does.
        """
        if self._exercise.generate is None:
            return Workspace(files=tuple(first_files(self._exercise)), values={})
        if seed not in self._known:
            self._known[seed] = self._remembered(seed) or self._generated(seed)
        return self._known[seed]

    def submission(self, source: Submission, seed: int, *, ends: bool = True) -> Submission:
        """What is handed in by somebody with this seed whose solution/ would be `source`.

        `source` itself where nothing is made; without any file, the untouched workspace. `ends`
        False: a procedure may fail on its way, and what it left counts. Raises SubmissionError when
        the result cannot be graded, and like `workspace`.
        """
        if not self._exercise.made:
            return source
        own = [seed_file(seed)] if self._exercise.generate else []
        if source.files and not self._exercise.solve:
            return Submission(files=(*own, *source.files))
        work = [*own, *self.workspace(seed).files]
        command: tuple[str, ...] = ()
        if source.files:
            work += [replace(one, path=f"solution/{one.path}") for one in source.files]
            command = self._exercise.solve
        left = self._run(work, command=command, ends=ends).get(MADE) if command else None
        packed = left or Submission(files=tuple(work)).archive()
        return snapshot_stream(io.BytesIO(packed), self._exercise.submit, self._exercise.limits)

    def reference(self, seed: int) -> Submission:
        """The author's own submission for this seed. Raises like `submission`."""
        exercise = self._exercise
        if exercise.solve:
            return self.submission(sources(exercise, exercise.solution), seed)
        answer = snapshot_folder(exercise.solution, exercise.answer, exercise.limits)
        return self.submission(answer, seed)

    # -- generate -----------------------------------------------------------------------------

    def _generated(self, seed: int) -> Workspace:
        self._listener(Stage("Making the workspace"))
        made = self._run(first_files(self._exercise), generate=self._exercise.generate, seed=seed)
        workspace = self._workspace(made)
        self._remember(seed, made)
        return workspace

    def _workspace(self, made: Mapping[str, bytes]) -> Workspace:
        try:
            values = json.loads(made[VALUES])
        except (ValueError, KeyError):
            values = None
        if not isinstance(values, dict):
            raise self._wrong("does not return a dict that JSON can hold")
        try:
            files = tuple(unpacked(made[MADE]))
        except Unreadable as error:
            raise self._wrong(f"made {error}") from None
        return Workspace(files=files, values=values)

    def _wrong(self, what: str) -> ExerciseError:
        return ExerciseError(f"{self._exercise.root / (self._exercise.generate or '')} {what}")

    def _place(self, seed: int) -> Path | None:
        """Where a workspace is remembered: under all that decides how it comes out."""
        if self._kept is None or self._exercise.generate is None:
            return None
        digest = hashlib.sha256(self._engine.version(replace(self._spec, owner="")).encode())
        digest.update((self._exercise.root / self._exercise.generate).read_bytes())
        digest.update(Submission(files=tuple(first_files(self._exercise))).archive())
        digest.update(f"{PROGRAM}{seed}".encode())
        return self._kept / f"{self._exercise.slug}-{digest.hexdigest()[:24]}.json"

    def _remembered(self, seed: int) -> Workspace | None:
        place = self._place(seed)
        if place is None:
            return None
        try:
            found = json.loads(place.read_bytes())
            return self._workspace({name: base64.b64decode(found[name]) for name in found})
        except (OSError, ValueError, KeyError, TypeError, ExerciseError):
            return None

    def _remember(self, seed: int, made: Mapping[str, bytes]) -> None:
        place = self._place(seed)
        if place is None:
            return
        place.parent.mkdir(parents=True, exist_ok=True)
        new = place.with_suffix(f".{os.getpid()}-{secrets.token_hex(4)}")
        new.write_text(json.dumps({name: base64.b64encode(made[name]).decode() for name in made}))
        new.replace(place)

    # -- the session --------------------------------------------------------------------------

    def _run(
        self,
        work: list[SubmittedFile],
        *,
        generate: str | None = None,
        seed: int = 0,
        command: tuple[str, ...] = (),
        ends: bool = True,
    ) -> dict[str, bytes]:
        """Run one of the two in a folder with these files; what it left. Once more if ours fails.

        `ends`: it must end with 0. Raises ExerciseError for a program that does not, and
        InfrastructureError.
        """
        files = [replace(one, path=f"{WORK}/{one.path}") for one in work]
        files.append(SubmittedFile(path=TOOL, content=PROGRAM.encode()))
        if generate is not None:
            content = (self._exercise.root / generate).read_bytes()
            files.append(SubmittedFile(path=".making/generate.py", content=content))
        argv = ["python3", "-I", "-B", TOOL, ".making/generate.py" if generate else "", str(seed)]
        job = {
            "archive": base64.b64encode(Submission(files=tuple(files)).archive()).decode(),
            "argv": [*argv, *command],
            "timeout": SECONDS,
            "wants": [MADE, *([VALUES] if generate else [])],
        }
        self._engine.prepare(self._spec, self._listener)
        try:
            made = self._once(job, fresh=False)
        except SessionLost:
            made = self._once(job, fresh=True)
        what = generate or f"solve ({' '.join(command)})"
        if ends and (made.broke or made.code):
            ended = made.broke or f"exit code {made.code}"
            printed = _decoded(made.said)
            raise ExerciseError(f"{self._exercise.slug}: {what} failed, {ended}:\n{printed}")
        return {name: base64.b64decode(content) for name, content in made.files.items()}

    def _once(self, job: Mapping[str, Any], *, fresh: bool) -> events.Made:
        with self._engine.session(self._spec, self._listener, fresh=fresh) as session:
            return _made(session, job)


def sources(exercise: Exercise, folder: Path) -> Submission:
    """All files of a solution that is a procedure."""
    return snapshot_folder(folder, [SubmitRule(path="**")], exercise.limits)


def _made(session: Session, job: Mapping[str, Any]) -> events.Made:
    sandbox = session.sandbox()
    token = secrets.token_hex(8)
    address = {"slot": sandbox.slot, "socket": sandbox.socket, "key": sandbox.key}
    message = {"type": "run", "run": token, "make": {**job, "sandbox": address}}
    session.send(message)
    try:
        return _answer(session, token)
    finally:
        session.discard(sandbox)


def _answer(session: Session, token: str) -> events.Made:
    deadline = time.monotonic() + SECONDS + LATE
    while (left := deadline - time.monotonic()) > 0:
        message = session.receive(left)
        if message is None or message.get("run") != token:
            continue
        match events.read(message):
            case events.Made() as made:
                return made
            case event:
                text = getattr(event, "message", "it makes nothing")
                raise SessionLost(f"the session in which files are made: {text}")
    raise SessionLost("the session in which files are made does not answer")


def _decoded(said: str) -> str:
    parts = []
    for part in said.split("\n"):
        try:
            parts.append(base64.b64decode(part).decode("utf-8", "replace"))
        except ValueError:  # cut
            parts.append("")
    return "\n".join(part for part in parts if part)[-2000:]
