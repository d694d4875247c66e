"""Made workspaces, and hostile repositories, which end as the submission's own verdict."""

from __future__ import annotations

import functools
import hashlib
import io
import os
import struct
import subprocess
import tarfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from grader.authoring import variants
from grader.catalog import load_exercise
from grader.engine.base import Engine
from grader.errors import ExerciseError, SubmissionError
from grader.grade import GradeOptions, grade
from grader.making import Maker
from grader.model.exercise import Exercise
from grader.model.report import CheckResult, Outcome, Report
from grader.model.submission import Submission, SubmittedFile, seed_file
from grader.workspace.snapshot import snapshot_folder

SEED = 3
EXERCISE = Path(__file__).parent.parent / "data" / "graded" / "repository"


@pytest.fixture(scope="module", params=["local", pytest.param("docker", marks=pytest.mark.docker)])
def engine(request: pytest.FixtureRequest) -> Engine:
    made: Engine = request.getfixturevalue(f"{request.param}_engine")
    return made


@pytest.fixture
def exercise() -> Exercise:
    return load_exercise(EXERCISE)


@pytest.fixture(scope="module")
def maker(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Maker:
    kept = tmp_path_factory.mktemp("made")
    return Maker(load_exercise(EXERCISE), engine, lambda _: None, kept=kept)


def _graded(engine: Engine, maker: Maker, submission: Submission) -> Report:
    options = GradeOptions(seed=1, learner_seed=SEED, trusted=True, maker=maker)
    report = grade(load_exercise(EXERCISE), submission, engine, options, lambda _: None)
    assert report.error == ""
    return report


def _ends(report: Report) -> dict[str, CheckResult]:
    return {check.id: check for check in report.checks()}


# -- what is made -----------------------------------------------------------------------------


def test_workspaces_repeat_and_differ_by_seed(engine: Engine, exercise: Exercise) -> None:
    """The same seed gives the same commits in a session of its own; another one others."""
    one, again = (Maker(exercise, engine, lambda _: None).workspace(SEED) for _ in range(2))
    other = Maker(exercise, engine, lambda _: None).workspace(SEED + 1)
    assert one.values == again.values != other.values
    files = {file.path: file for file in one.files}
    assert files["README.md"].content == exercise.statement.read_bytes()
    assert (files["run.sh"].executable, files["README.md"].executable) == (True, False)
    assert files["work/.git/branches" if "work/.git/branches" in files else "work/.git/HEAD"]
    assert not any(str(one.values["word"]).encode() in file.content for file in one.files)


def test_what_was_made_is_remembered(
    engine: Engine, exercise: Exercise, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second maker with the same folder needs no session; a changed generate.py does."""
    first = Maker(exercise, engine, lambda _: None, kept=tmp_path).workspace(SEED)
    monkeypatch.setattr(Maker, "_run", None)
    assert Maker(exercise, engine, lambda _: None, kept=tmp_path).workspace(SEED) == first
    with pytest.raises(TypeError):
        Maker(exercise, engine, lambda _: None, kept=tmp_path).workspace(SEED + 1)


def test_the_procedure_passes(engine: Engine, maker: Maker, exercise: Exercise) -> None:
    """The reference is run in a workspace, and what it leaves is graded."""
    report = _graded(engine, maker, maker.reference(SEED))
    assert report.score == 100, [one for one in report.checks() if one.outcome != Outcome.PASSED]


@pytest.mark.parametrize("name", ["does-nothing", "leaves-the-word", "fails-on-its-way"])
def test_wrong_procedures_are_rejected(
    engine: Engine, maker: Maker, exercise: Exercise, name: str
) -> None:
    """As the exercise says; one that ends early is graded for what it left."""
    (wrong,) = [one for one in exercise.mutants if one.name == name]
    made = maker.submission(variants.mutant(exercise, wrong), SEED, ends=False)
    assert variants.not_rejected(wrong, _graded(engine, maker, made)) == []


def test_a_right_procedure_must_end_well(maker: Maker, exercise: Exercise) -> None:
    """For a reference, an exit code is the author's fault, told with what it printed."""
    wrong = Submission(
        files=(SubmittedFile(path="solve.sh", content=b"echo here it ends >&2; exit 3"),)
    )
    with pytest.raises(ExerciseError, match=r"exit code 3:\nhere it ends"):
        maker.submission(wrong, SEED)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def generate(out, rng):\n    raise ValueError('no luck')", "ValueError: no luck"),
        ("def generate(out, rng):\n    return [1]", "does not return a dict"),
        (
            "def generate(out, rng):\n    (out / 'a').symlink_to('b')\n    return {}",
            "'a', which is",
        ),
    ],
)
def test_a_generate_that_fails_is_the_authors_fault(
    engine: Engine, exercise: Exercise, tmp_path: Path, text: str, said: str
) -> None:
    (tmp_path / "generate.py").write_text(text)
    (tmp_path / "README.md").write_text("# x")
    wrong = replace(exercise, root=tmp_path)
    with pytest.raises(ExerciseError, match=said):
        Maker(wrong, engine, lambda _: None).workspace(SEED)


# -- hostile repositories ---------------------------------------------------------------------

Files = dict[str, bytes]


def _object(kind: str, content: bytes, *, claims: int | None = None) -> tuple[str, bytes]:
    """The id of an object, and its loose file."""
    size = len(content) if claims is None else claims
    whole = f"{kind} {size}\0".encode() + content
    return hashlib.sha1(whole).hexdigest(), zlib.compress(whole, 9)


def _loose(files: Files, kind: str, content: bytes, *, claims: int | None = None) -> str:
    name, packed = _object(kind, content, claims=claims)
    files[f"work/.git/objects/{name[:2]}/{name[2:]}"] = packed
    return name


def _commit(files: Files, tree: str, *parents: str) -> str:
    lines = [f"tree {tree}", *(f"parent {one}" for one in parents)]
    lines += ["author A <a@example.com> 1 +0000", "committer A <a@example.com> 1 +0000", "", "x"]
    return _loose(files, "commit", "\n".join(lines).encode())


def _main(files: Files, commit: str) -> None:
    files["work/.git/refs/heads/main"] = commit.encode() + b"\n"


def zip_bomb(files: Files) -> None:
    _loose(files, "blob", bytes(200 * 1024 * 1024))


def bomb_that_lies_about_its_size(files: Files) -> None:
    _loose(files, "blob", bytes(1000), claims=2**50)


def many_large_objects(files: Files) -> None:
    for number in range(12):
        _loose(files, "blob", bytes([number]) * 1_000_000)


def tree_of_a_billion_files(files: Files) -> None:
    name = _loose(files, "blob", b"x")
    mode = b"100644"
    for _ in range(9):
        content = b"".join(mode + b" %d\0" % n + bytes.fromhex(name) for n in range(10))
        name, mode = _loose(files, "tree", content), b"40000"
    _main(files, _commit(files, name))


def pack_of_garbage(files: Files) -> None:
    files[f"work/.git/objects/pack/pack-{'a' * 40}.pack"] = b"PACK" + os.urandom(3000)


def pack_that_claims_billions(files: Files) -> None:
    head = b"PACK" + struct.pack(">II", 2, 2**32 - 1)
    files[f"work/.git/objects/pack/pack-{'a' * 40}.pack"] = head + bytes(20)


def delta_bomb(files: Files) -> None:
    """A delta that copies its base, which is a delta that copies its base, and so on."""
    size, base = 16_000_000, b"\0" * 60_000
    begin = b"PACK" + struct.pack(">II", 2, 2)
    blob = _packed(3, len(base)) + zlib.compress(base)
    copy = b"\xb0" + struct.pack("<H", 60_000)  # offset 0, two bytes of size
    delta = _number(len(base)) + _number(size // 60_000 * 60_000) + copy * (size // 60_000)
    offset = len(blob)
    reference = [offset & 127]
    while offset := offset >> 7:
        offset -= 1
        reference.insert(0, 128 | (offset & 127))
    content = begin + blob + _packed(6, len(delta)) + bytes(reference) + zlib.compress(delta)
    whole = content + hashlib.sha1(content).digest()
    files[f"work/.git/objects/pack/pack-{'b' * 40}.pack"] = whole


def _number(value: int) -> bytes:
    found = []
    while value > 127:
        found.append(128 | (value & 127))
        value >>= 7
    return bytes([*found, value])


def _packed(kind: int, size: int) -> bytes:
    first = (kind << 4) | (size & 15)
    rest = size >> 4
    return bytes([first | 128]) + _number(rest) if rest else bytes([first])


def refs_in_a_circle(files: Files) -> None:
    files["work/.git/HEAD"] = b"ref: refs/heads/main\n"
    files["work/.git/refs/heads/main"] = b"ref: refs/heads/other\n"
    files["work/.git/refs/heads/other"] = b"ref: refs/heads/main\n"


def refs_that_lead_out(files: Files) -> None:
    files["work/.git/HEAD"] = b"ref: ../../../../etc/passwd\n"
    files["work/.git/refs/heads/main"] = b"ref: /etc/passwd\n"


def ref_to_nothing(files: Files) -> None:
    _main(files, "1" * 40)


def ref_of_garbage(files: Files) -> None:
    files["work/.git/refs/heads/main"] = os.urandom(5000)
    files["work/.git/packed-refs"] = os.urandom(5000)


def commit_without_its_parent(files: Files) -> None:
    _main(files, _commit(files, _loose(files, "tree", b""), "2" * 40))


def commit_of_garbage(files: Files) -> None:
    _main(files, _loose(files, "commit", b"\xff\0\n" * 100))


def tree_of_garbage(files: Files) -> None:
    _main(files, _commit(files, _loose(files, "tree", b"\xff" * 100)))


def object_under_another_name(files: Files) -> None:
    _, packed = _object("blob", b"something else")
    files[f"work/.git/objects/12/{'3' * 38}"] = packed


def object_cut_short(files: Files) -> None:
    name = _loose(files, "blob", os.urandom(5000))
    path = f"work/.git/objects/{name[:2]}/{name[2:]}"
    files[path] = files[path][:100]


HOSTILE: list[Callable[[Files], None]] = [
    *(zip_bomb, bomb_that_lies_about_its_size, many_large_objects, tree_of_a_billion_files),
    *(pack_of_garbage, pack_that_claims_billions, delta_bomb),
    *(refs_in_a_circle, refs_that_lead_out, ref_to_nothing, ref_of_garbage),
    *(commit_without_its_parent, commit_of_garbage, tree_of_garbage),
    *(object_under_another_name, object_cut_short),
]


@pytest.mark.parametrize("spoil", HOSTILE, ids=lambda one: one.__name__)
def test_a_hostile_repository_is_the_submissions_verdict(
    engine: Engine, maker: Maker, spoil: Callable[[Files], None]
) -> None:
    """Whatever is in it, the run comes to its end, it earns nothing, and the sandbox is well."""
    files = {one.path: one.content for one in maker.reference(SEED).files if not one.folder}
    spoil(files)
    report = _graded(engine, maker, _submission(files))
    ends = _ends(report)
    assert ends["test_a_commit_is_new"].outcome in (Outcome.FAILED, Outcome.BROKE)
    assert ends["test_the_sandbox_is_well"].outcome is Outcome.PASSED
    assert ends["test_a_commit_is_new"].message


def _submission(files: Mapping[str, bytes]) -> Submission:
    found = (SubmittedFile(path=path, content=content) for path, content in files.items())
    return Submission(files=tuple(found))


# -- what is not even handed in ---------------------------------------------------------------


@functools.cache
def _planted(marker: str) -> str:
    return f"#!/bin/sh\ntouch {marker}\n"


@pytest.fixture
def workspace(maker: Maker, tmp_path: Path) -> Path:
    """A workspace on disk, solved."""
    for file in (seed_file(SEED), *maker.workspace(SEED).files):
        path = tmp_path / "ws" / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        if file.folder:
            path.mkdir(exist_ok=True)
        else:
            path.write_bytes(file.content)
    (tmp_path / "ws" / "solution").mkdir()
    solve = (EXERCISE / "solution" / "solve.sh").read_bytes()
    (tmp_path / "ws" / "solution" / "solve.sh").write_bytes(solve)
    subprocess.run(["sh", "solution/solve.sh"], cwd=tmp_path / "ws", check=True)
    return tmp_path / "ws"


def test_what_git_executes_is_left_behind(
    engine: Engine, maker: Maker, exercise: Exercise, workspace: Path
) -> None:
    """Hooks, config with commands and includes, filters, alternates: not taken, and nothing ran."""
    marker = workspace / "ran"
    git = workspace / "work" / ".git"
    script = git / "script"
    script.write_text(_planted(str(marker)))
    script.chmod(0o755)
    (git / "hooks").mkdir(exist_ok=True)
    for name in ("post-index-change", "reference-transaction", "post-checkout", "pre-auto-gc"):
        (git / "hooks" / name).write_text(_planted(str(marker)))
        (git / "hooks" / name).chmod(0o755)
    with (git / "config").open("a") as config:
        config.write(
            f"[include]\n\tpath = {git}/more\n[core]\n\tfsmonitor = {script}\n\tpager = {script}\n"
            f'\tsshCommand = {script}\n[filter "x"]\n\tsmudge = {script}\n\tclean = {script}\n'
        )
    (git / "more").write_text(f"[uploadpack]\n\tpackObjectsHook = {script}\n")
    (git / "info").mkdir(exist_ok=True)
    (git / "info" / "attributes").write_text("* filter=x\n")
    (git / "objects" / "info").mkdir(exist_ok=True)
    (git / "objects" / "info" / "alternates").write_text("/etc\n")
    marker.unlink(missing_ok=True)
    submission = snapshot_folder(workspace, exercise.submit, exercise.limits)
    kinds = ("HEAD", "packed-refs", "refs/", "logs/", "objects/", ".grader.json")
    taken = [file.path.removeprefix("work/.git/") for file in submission.files]
    assert [path for path in taken if not path.startswith(kinds)] == []
    assert not [path for path in taken if "info" in path or path.endswith(".idx")]
    assert _graded(engine, maker, submission).score == 100
    assert not marker.exists()


def test_links_between_repositories_may_be_hard(exercise: Exercise, workspace: Path) -> None:
    """git clone makes such links; one to anything but an object is refused, as elsewhere."""
    subprocess.run(["git", "clone", "-q", "work", "copy"], cwd=workspace, check=True)
    assert snapshot_folder(workspace, exercise.submit, exercise.limits).files
    head = workspace / "work" / ".git" / "HEAD"
    os.link(head, workspace / "HEAD")
    with pytest.raises(SubmissionError) as caught:
        snapshot_folder(workspace, exercise.submit, exercise.limits)
    assert "is a hard link" in str(caught.value.problems[0])


def test_symbolic_links_in_a_repository_are_refused(exercise: Exercise, workspace: Path) -> None:
    """An object or a ref that is a link to another file is not read."""
    objects = next((workspace / "work" / ".git" / "objects" / "pack").glob("*.pack"))
    objects.rename(workspace / "elsewhere")
    objects.symlink_to(workspace / "elsewhere")
    with pytest.raises(SubmissionError) as caught:
        snapshot_folder(workspace, exercise.submit, exercise.limits)
    assert "is a symbolic link" in str(caught.value.problems[0])


def test_an_archive_of_a_repository(
    engine: Engine, maker: Maker, exercise: Exercise, workspace: Path, tmp_path: Path
) -> None:
    """A tar of the workspace is graded like the folder."""
    from grader.workspace.snapshot import snapshot_archive

    with tarfile.open(tmp_path / "handed-in.tar.gz", "w:gz") as tar:
        tar.add(workspace, "ws")
    submission = snapshot_archive(tmp_path / "handed-in.tar.gz", exercise.submit, exercise.limits)
    assert _graded(engine, maker, submission).score == 100
    assert io.BytesIO(submission.archive()).getvalue()
