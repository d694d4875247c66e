"""`solution.git`: a git repository as it was handed in, read by nothing that the learner wrote.

git unpacks the objects in the sandbox, from their files alone: no config, hook, filter or alternate
is there. What comes back is data: each object's name is computed here from its content, so none can
be anything but itself. Refs are read here from their files. See docs/decisions, 0019.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from grader.judge.client import AgentClient, b64, broken, unbase64
from grader.judge.errors import AuthorFault, Broke, unreadable

MOST_BYTES = 8 * 1024 * 1024
"""Bytes of all objects of one repository, unpacked."""
MOST_FILES = 20_000
"""Files of one tree: few objects can describe billions."""
SECONDS = 8.0
"""What unpacking a repository may take."""
READ = ".reading-git"
"""Where the sandbox unpacks."""
UNPACK = f"""\
set -eu
cd {READ}
mkdir -p objects/pack
export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null GIT_DIR="$PWD/empty.git"
export GIT_OBJECT_DIRECTORY="$PWD/objects"
git init -q --bare --template= empty.git
for pack in objects/pack/*.pack; do
    [ ! -e "$pack" ] || git index-pack "$pack" >/dev/null
done
git cat-file --batch-all-objects --batch --unordered >all
"""
_ID = re.compile(r"[0-9a-f]{40}")
_ENTRY = re.compile(rb"([0-7]{5,6}) ([^\0]+)\0(.{20})", re.DOTALL)
_PERSON = re.compile(r"(.*) <(.*)> (-?\d{1,12}) ([+-]\d{4})")
_KINDS = ("commit", "tree", "blob", "tag")


@dataclass(frozen=True)
class Object:
    """One object: `kind` is commit, tree, blob or tag."""

    kind: str
    content: bytes


@dataclass(frozen=True)
class Commit:
    """One commit. `author` is `Name <mail>`; `date` the author's, `1700000000 +0100`.

    `parents` are ids.
    """

    id: str
    tree: str
    parents: tuple[str, ...]
    author: str
    date: str
    message: str

    @property
    def subject(self) -> str:
        """The first line of its message."""
        return self.message.partition("\n")[0]


class Repo:
    """A repository as handed in. A `rev` is a full id, or a name that git finds: main, HEAD, v1.0.

    `objects` are all by id, also those that no ref leads to. What is not there, or damaged, fails
    the check; more than can be looked at breaks it.
    """

    def __init__(self, name: str, refs: Mapping[str, str], unpacked: bytes) -> None:
        self._name = name
        self._files = refs
        self.objects: Mapping[str, Object] = dict(_objects(unpacked))

    @cached_property
    def refs(self) -> dict[str, str]:
        """Every branch, tag and other ref by its full name, and the id that it holds."""
        found = {name: self._resolved(name) for name in self._files if name.startswith("refs/")}
        return {name: found[name] for name in sorted(found) if found[name]}

    def _resolved(self, name: str) -> str:
        """The id that a ref leads to, "" for nothing; symbolic ones go five steps, as in git."""
        for _ in range(6):
            value = self._files.get(name, "")
            if not value.startswith("ref: "):
                return value if _ID.fullmatch(value) else ""
            name = value.removeprefix("ref: ").strip()
        return ""

    def rev(self, name: str) -> str:
        """The id of the commit that a rev names; a tag leads to its commit."""
        found = name if name in self.objects else ""
        for before in ("", "refs/", "refs/tags/", "refs/heads/", "refs/remotes/"):
            found = found or self._resolved(before + name)
        assert found, f"{self._name} has no '{name}'"
        for _ in range(10):
            one = self._object(found)
            if one.kind != "tag":
                break
            found = one.content[7:47].decode("ascii", "replace")  # `object ID`
        assert self._object(found).kind == "commit", f"'{name}' leads to no commit"
        return found

    def _object(self, name: str) -> Object:
        found = self.objects.get(name)
        assert found is not None, f"{self._name} lacks the object {name[:40]}"
        return found

    def commit(self, rev: str) -> Commit:
        """One commit."""
        return self._commit(self.rev(rev))

    def _commit(self, name: str) -> Commit:
        found = self._object(name)
        assert found.kind == "commit", f"{self._name}: {name} is no commit"
        return _parsed(name, found.content)

    def log(self, *revs: str, without: Iterable[str] = ()) -> list[Commit]:
        """The commits that `revs` lead to and `without` do not; each one before its parents."""
        left_out = self._reach([self.rev(name) for name in without], set())
        order: list[str] = []
        self._reach([self.rev(name) for name in revs], left_out, order)
        return [self._commit(name) for name in reversed(order)]

    def _reach(self, starts: list[str], but: set[str], order: list[str] | None = None) -> set[str]:
        """Every commit that can be reached; `order` gets each after its parents."""
        seen: set[str] = set()
        stack = [(name, False) for name in starts]
        while stack:
            name, done = stack.pop()
            if done:
                (order if order is not None else []).append(name)
            elif name not in seen and name not in but:
                seen.add(name)
                stack.append((name, True))
                stack += [(parent, False) for parent in self._commit(name).parents]
        return seen

    def is_ancestor(self, rev: str, of: str) -> bool:
        """Whether `rev` is `of`, or one of the commits before it."""
        return self.rev(rev) in self._reach([self.rev(of)], set())

    def tree(self, rev: str) -> dict[str, str]:
        """The files of a commit: their paths, and the ids of their contents."""
        found: dict[str, str] = {}
        stack = [("", self.commit(rev).tree)]
        while stack:
            above, name = stack.pop()
            tree = self._object(name)
            assert tree.kind == "tree", f"{self._name}: {name} is no tree"
            for mode, path, inner in _entries(name, tree.content):
                if mode == b"40000":
                    stack.append((f"{above}{path}/", inner))
                else:
                    found[above + path] = inner
            if len(found) + len(stack) > MOST_FILES:
                raise Broke("output", f"{self._name}: a commit has more than {MOST_FILES} files.")
        return dict(sorted(found.items()))

    def file(self, rev: str, path: str) -> bytes:
        """The content of one file of a commit."""
        files = self.tree(rev)
        assert path in files, f"'{rev}' has no file '{path}'"
        return self._object(files[path]).content


# -- reading ----------------------------------------------------------------------------------


def object_files(files: Mapping[str, bytes], root: str) -> dict[str, bytes]:
    """What the sandbox needs to unpack the objects of the repository at `root`."""
    inside = f"{root}/objects/"
    found = {name: files[name] for name in files if name.startswith(inside)}
    return {f"{READ}/objects/{name.removeprefix(inside)}": found[name] for name in found}


def unpack(client: AgentClient, folder: str, files: Mapping[str, bytes]) -> bytes:
    """All objects, as git in the sandbox prints them. Raises Broke, AuthorFault."""
    reply = client.request(
        "run",
        within=SECONDS,
        argv=["sh", "-c", UNPACK],
        stdin="",
        env={},
        files={f"{READ}/begin": "", **{name: b64(files[name]) for name in files}},
        cwd=".",
        timeout=SECONDS,
    )
    if "broke" in reply:
        raise broken(reply, f"git, reading {folder},", SECONDS)
    if reply.get("code") == 127:
        raise AuthorFault("the exercise's runner has no git")
    told = unbase64(reply.get("stderr", "")).decode("utf-8", "replace").strip()
    assert reply.get("code") == 0, f"git cannot read {folder}: {told[-300:]}"
    content = client.request("read", path=f"{READ}/all").get("content")
    unpacked = b"" if content is None else unbase64(content)
    if len(unpacked) >= MOST_BYTES:
        most = MOST_BYTES // 1024 // 1024
        raise Broke("output", f"The repository {folder} unpacks to more than {most} MiB.")
    return unpacked


def refs_of(files: Mapping[str, bytes], root: str) -> dict[str, str]:
    """HEAD and every ref as its file has it: an id, or `ref: NAME`. AuthorFault for no repository.

    The forms are those of gitrepository-layout(5): a ref's own file counts before packed-refs.
    """
    if f"{root}/HEAD" not in files:
        raise AuthorFault(f"exercise.yaml submits no repository '{root}'")
    found: dict[str, str] = {}
    for line in files.get(f"{root}/packed-refs", b"").decode("utf-8", "replace").splitlines():
        name, blank, ref = line.partition(" ")
        if blank and not line.startswith(("#", "^")):
            found[ref] = name
    for path, content in files.items():
        name = path.removeprefix(f"{root}/")
        if name != path and (name == "HEAD" or name.startswith("refs/")):
            found[name] = content[:1000].decode("utf-8", "replace").strip()
    return found


def _objects(unpacked: bytes) -> Iterator[tuple[str, Object]]:
    """What `git cat-file --batch` printed; each id is computed anew. Raises Broke."""
    place = 0
    while place < len(unpacked):
        end = unpacked.find(b"\n", place, place + 200)
        words = unpacked[place:end].decode("ascii", "replace").split(" ")
        if words[-1] == "missing":
            raise AssertionError(f"the object {words[0][:40]} is damaged: see git fsck")
        if end < 0 or len(words) != 3 or words[1] not in _KINDS or not words[2].isdigit():
            raise unreadable()
        content = unpacked[end + 1 : end + 1 + int(words[2][:9])]
        place = end + 2 + len(content)
        head = f"{words[1]} {len(content)}\0".encode()
        name = hashlib.sha1(head + content, usedforsecurity=False).hexdigest()
        if name != words[0]:
            raise unreadable()
        yield name, Object(words[1], content)


def _parsed(name: str, content: bytes) -> Commit:
    head, _, message = content.decode("utf-8", "replace").partition("\n\n")
    fields: dict[str, list[str]] = {}
    for line in head.split("\n"):
        key, _, value = line.partition(" ")
        fields.setdefault(key, []).append(value)
    trees, authors = fields.get("tree", []), fields.get("author", [])
    author = _PERSON.fullmatch(authors[0]) if authors else None
    assert trees, f"the commit {name} is damaged: it has no tree"
    assert author, f"the commit {name} is damaged: it has no author"
    return Commit(
        id=name,
        tree=trees[0],
        parents=tuple(fields.get("parent", [])),
        author=f"{author[1]} <{author[2]}>",
        date=f"{author[3]} {author[4]}",
        message=message,
    )


def _entries(name: str, content: bytes) -> Iterator[tuple[bytes, str, str]]:
    place = 0
    while place < len(content):
        entry = _ENTRY.match(content, place)
        assert entry, f"the tree {name} is damaged"
        place = entry.end()
        yield entry[1].lstrip(b"0"), entry[2].decode("utf-8", "replace"), entry[3].hex()
