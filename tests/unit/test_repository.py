"""How the judge reads a repository: names from contents, refs from files, and nothing believed."""

from __future__ import annotations

import hashlib

import pytest

from grader.catalog.repositories import git_rules
from grader.judge.errors import AuthorFault, Broke
from grader.judge.repository import Repo, object_files, refs_of
from grader.model.exercise import Limits
from grader.workspace.collect import Collector


class Maker:
    """Prints objects as `git cat-file --batch` does."""

    def __init__(self) -> None:
        self.printed = b""

    def add(self, kind: str, content: bytes) -> str:
        head = f"{kind} {len(content)}"
        name = hashlib.sha1(head.encode() + b"\0" + content).hexdigest()
        self.printed += f"{name} {head}\n".encode() + content + b"\n"
        return name

    def tree(self, **entries: tuple[bytes, str]) -> str:
        parts = [
            mode + b" " + path.encode() + b"\0" + bytes.fromhex(name)
            for path, (mode, name) in entries.items()
        ]
        return self.add("tree", b"".join(parts))

    def commit(self, tree: str, *parents: str, message: str = "x") -> str:
        lines = [f"tree {tree}", *(f"parent {one}" for one in parents)]
        lines += ["author A B <a@example.com> 12 +0200", "committer C <c@example.com> 1 +0000"]
        lines += ["gpgsig -----BEGIN", " parent not one", " -----END", "", message]
        return self.add("commit", "\n".join(lines).encode())

    def tag(self, name: str) -> str:
        return self.add("tag", f"object {name}\ntype commit\ntag v\n\nx".encode())

    def repo(self, **refs: str) -> Repo:
        found = {"HEAD": "ref: refs/heads/main"}
        found |= {f"refs/heads/{name}": value for name, value in refs.items()}
        return Repo("work", found, self.printed)


@pytest.fixture
def made() -> Maker:
    return Maker()


def test_a_commit_is_read(made: Maker) -> None:
    """Tree, parents, author with date, message; what stands in a signature is no parent."""
    tree = made.tree()
    first = made.commit(tree)
    commit = made.repo(main=made.commit(tree, first, message="Subject\n\nBody\n")).commit("main")
    assert (commit.tree, commit.parents) == (tree, (first,))
    assert (commit.author, commit.date) == ("A B <a@example.com>", "12 +0200")
    assert (commit.subject, commit.message) == ("Subject", "Subject\n\nBody\n")


def test_revs_lead_to_commits(made: Maker) -> None:
    """By id, by branch, by full name, by HEAD, through a tag that is an object, and one of that."""
    commit = made.commit(made.tree())
    tag = made.tag(made.tag(commit))
    repo = Repo(
        "work",
        {"HEAD": "ref: refs/heads/main", "refs/heads/main": commit, "refs/tags/v1": tag},
        made.printed,
    )
    for name in (commit, "main", "heads/main", "refs/heads/main", "HEAD", "v1", "tags/v1"):
        assert repo.rev(name) == commit
    assert repo.refs == {"refs/heads/main": commit, "refs/tags/v1": tag}


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("ref: refs/heads/main", "work has no 'main'"),
        ("ref: /etc/passwd", "work has no 'main'"),
        ("garbage", "work has no 'main'"),
        ("1" * 40, "work lacks the object 1111"),
    ],
)
def test_a_ref_that_leads_nowhere_fails(made: Maker, value: str, said: str) -> None:
    with pytest.raises(AssertionError, match=said):
        made.repo(main=value).rev("main")


def test_a_ref_to_something_else_fails(made: Maker) -> None:
    with pytest.raises(AssertionError, match="'main' leads to no commit"):
        made.repo(main=made.tree()).rev("main")


def test_tags_in_a_row_end(made: Maker) -> None:
    """A chain of tags that is longer than anybody makes is no commit."""
    name = made.commit(made.tree())
    for _ in range(20):
        name = made.tag(name)
    with pytest.raises(AssertionError, match="leads to no commit"):
        made.repo(main=name).rev("main")


def test_the_log_has_each_commit_before_its_parents(made: Maker) -> None:
    tree = made.tree()
    root = made.commit(tree, message="root")
    left, right = (made.commit(tree, root, message=side) for side in ("left", "right"))
    merge = made.commit(tree, left, right, message="merge")
    repo = made.repo(main=merge, side=right)
    order = [one.id for one in repo.log("main")]
    assert (order[0], order[-1], len(order)) == (merge, root, 4)
    assert [one.subject for one in repo.log("main", without=["side"])] == ["merge", "left"]
    assert repo.is_ancestor(root, "main")
    assert repo.is_ancestor("main", "main")
    assert not repo.is_ancestor("main", "side")


def test_a_long_history_is_read(made: Maker) -> None:
    """Longer than Python's own stack."""
    tree, last = made.tree(), ""
    for number in range(3000):
        last = made.commit(tree, *([last] if last else []), message=str(number))
    assert len(made.repo(main=last).log("main")) == 3000


def test_a_missing_parent_fails(made: Maker) -> None:
    with pytest.raises(AssertionError, match="lacks the object 2222"):
        made.repo(main=made.commit(made.tree(), "2" * 40)).log("main")


def test_files_lie_in_folders(made: Maker) -> None:
    blob = made.add("blob", b"text")
    inner = made.tree(b=(b"100755", blob), link=(b"120000", blob))
    outer = made.tree(a=(b"100644", blob), d=(b"40000", inner), e=(b"040000", inner))
    repo = made.repo(main=made.commit(outer))
    assert sorted(repo.tree("main")) == ["a", "d/b", "d/link", "e/b", "e/link"]
    assert repo.file("main", "d/b") == b"text"
    with pytest.raises(AssertionError, match="'main' has no file 'x'"):
        repo.file("main", "x")


def test_few_objects_with_a_billion_files_break(made: Maker) -> None:
    entry = (b"100644", made.add("blob", b"x"))
    for _ in range(9):
        entry = (b"40000", made.tree(**{f"n{n}": entry for n in range(10)}))
    with pytest.raises(Broke, match="more than 20000 files"):
        made.repo(main=made.commit(entry[1])).tree("main")


@pytest.mark.parametrize("content", [b"\xff" * 60, b"100644 a\0short", b"100644 \0" + b"x" * 20])
def test_a_damaged_tree_fails(made: Maker, content: bytes) -> None:
    commit = made.commit(made.add("tree", content))
    with pytest.raises(AssertionError, match="is damaged"):
        made.repo(main=commit).tree("main")


@pytest.mark.parametrize(
    "content", [b"", b"tree\n", b"tree x\nauthor A\n\n", b"\xff\0", b"author A <a> 1 +0000\n\nx"]
)
def test_a_damaged_commit_fails(made: Maker, content: bytes) -> None:
    with pytest.raises(AssertionError, match="is damaged"):
        made.repo(main=made.add("commit", content)).commit("main")


def test_an_object_under_a_false_name_breaks(made: Maker) -> None:
    """The sandbox's word on what an object is called counts for nothing."""
    name = made.add("blob", b"right")
    made.printed = made.printed.replace(b"right", b"wrong")
    with pytest.raises(Broke):
        made.repo()
    assert name


@pytest.mark.parametrize(
    "printed", [b"x", b"x\n", b"a blob 1\nx", b"a blob -1\nx\n", b"a blob 99999999999\nx\n", b"\n"]
)
def test_what_no_git_prints_breaks(printed: bytes) -> None:
    with pytest.raises(Broke):
        Repo("work", {}, printed)


def test_an_object_that_git_cannot_read_fails() -> None:
    with pytest.raises(AssertionError, match=r"the object 1+ is damaged"):
        Repo("work", {}, b"1" * 40 + b" missing\n")


def test_refs_are_read_from_their_files() -> None:
    """A ref's own file counts before packed-refs, whose other lines are no refs."""
    a, b, c = ("a" * 40, "b" * 40, "c" * 40)
    packed = f"# pack-refs with: peeled\n{a} refs/heads/main\n{b} refs/tags/v1\n^{c}\nrubbish\n"
    files = {
        "w/.git/HEAD": b"ref: refs/heads/main\n",
        "w/.git/packed-refs": packed.encode(),
        "w/.git/refs/heads/main": f"{c}\n".encode(),
        "w/.git/logs/HEAD": b"nothing of interest",
        "other/.git/refs/heads/x": f"{a}\n".encode(),
    }
    found = refs_of(files, "w/.git")
    expected = {"HEAD": "ref: refs/heads/main", "refs/heads/main": c, "refs/tags/v1": b}
    assert found == expected
    with pytest.raises(AuthorFault, match=r"submits no repository 'x\.git'"):
        refs_of(files, "x.git")


def test_only_objects_go_to_the_sandbox() -> None:
    files = {"w/.git/objects/ab/c": b"1", "w/.git/HEAD": b"2", "v/.git/objects/ab/d": b"3"}
    assert object_files(files, "w/.git") == {".reading-git/objects/ab/c": b"1"}


ID = "0" * 38


@pytest.mark.parametrize(
    ("path", "taken"),
    [
        ("HEAD", True),
        ("packed-refs", True),
        ("refs/heads/a/b", True),
        ("logs/HEAD", True),
        (f"objects/0a/{ID}", True),
        (f"objects/pack/pack-{ID}.pack", True),
        (f"objects/pack/pack-{ID}.idx", False),
        ("objects/0a/tmp_obj_x", False),
        ("objects/info/alternates", False),
        ("objects/info/commit-graph", False),
        ("config", False),
        ("config.worktree", False),
        ("hooks/post-checkout", False),
        ("info/attributes", False),
        ("info/grafts", False),
        ("shallow", False),
        ("index", False),
        ("modules/x/config", False),
        ("refs/.grader.json", False),
    ],
)
@pytest.mark.parametrize("folder", ["shop", "origin.git"])
def test_what_is_taken_of_a_repository(folder: str, path: str, taken: bool) -> None:
    """Its data, wherever it lies, and nothing that git executes, obeys or has computed."""
    root = folder if folder.endswith(".git") else f"{folder}/.git"
    collector = Collector(git_rules(folder), Limits())
    assert collector.wants(f"{root}/{path}") is taken
    assert collector.may_be_shared(f"{root}/{path}") is (taken and path.startswith("objects"))
    assert not collector.wants(f"{folder}/x/{path}")
