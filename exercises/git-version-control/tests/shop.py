"""What the checks want to know of commits, in words of this exercise."""

from collections import Counter


def branch(repo, name, where):
    """The id of a branch's last commit."""
    full = f"refs/heads/{name}"
    assert full in repo.refs, f"There is no branch '{name}' in {where}."
    return repo.refs[full]


def files(repo, rev):
    """Path -> text of all files of a commit."""
    return {path: text(repo.objects[name].content) for path, name in repo.tree(rev).items()}


def text(content):
    return content.decode("utf-8", "replace")


def short(commit):
    return f"{commit.id[:7]} {commit.subject}"


def changes(repo, commit):
    """Path -> the lines that a commit adds to a file and takes out of it, in any order."""
    before = files(repo, commit.parents[0]) if commit.parents else {}
    after = files(repo, commit.id)
    found = {}
    for path in sorted({*before, *after}):
        old, new = (Counter(side.get(path, "").splitlines()) for side in (before, after))
        if before.get(path) != after.get(path):
            found[path] = [lines(new - old), lines(old - new)]
    return found


def lines(counted):
    return sorted(counted.elements())


def people(commits):
    return [(one.subject, one.author, one.date) for one in commits]


def wanted_people(commits):
    return [(one["subject"], one["author"], one["date"]) for one in commits]


def with_key(repo, key):
    """The objects that contain the key, whatever they are."""
    return {name for name, one in repo.objects.items() if key.encode() in one.content}


def leads_to(repo, rev, objects):
    """The commits before `rev`, itself included, whose files or message are among the objects."""
    return [
        short(commit)
        for commit in repo.log(rev)
        if commit.id in objects or objects & set(repo.tree(commit.id).values())
    ]
