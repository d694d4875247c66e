"""Folders of logs, made from the seed, and what report.sh should make of them."""

import functools
import gzip
import io
import json
import posixpath
import tarfile
from collections import Counter
from dataclasses import dataclass

# -- what lies on the disk -------------------------------------------------------------------


@dataclass(frozen=True)
class Link:
    """A symbolic link."""

    target: str


FOLDER = None
"""An entry of a tree, which is a dict: name to bytes, Link or FOLDER."""


def archive(tree):
    """The tree as a tar, which brings any name and link into the sandbox."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        for name, content in tree.items():
            entry = tarfile.TarInfo(name)
            entry.mode = 0o644
            if isinstance(content, Link):
                entry.type, entry.linkname = tarfile.SYMTYPE, content.target
            elif content is FOLDER:
                entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            else:
                entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content or b"") if entry.isreg() else None)
    return file.getvalue()


def kinds(tree):
    """What each entry is, in the words of a run's `tree`; the folders above each are there, too."""
    found = {}
    for name, content in tree.items():
        above = posixpath.dirname(name)
        while above:
            found[above] = "folder"
            above = posixpath.dirname(above)
        if isinstance(content, Link):
            found[name] = f"link to {content.target}"
        else:
            found[name] = "folder" if content is FOLDER else "file"
    return dict(sorted(found.items()))


def below(folder, tree):
    return {f"{folder}/{name}": content for name, content in tree.items()}


# -- one run of report.sh --------------------------------------------------------------------


SECONDS = 20
"""What a run may take, as the statement says: a busy machine starts processes slowly."""


class Report:
    """Runs report.sh and compares. With a failure come remarks of ShellCheck, free of charge."""

    def __init__(self, solution, note):
        self._solution = solution
        self._note = note

    def lay_out(self, tree):
        """Put a tree beside report.sh."""
        self._solution.run(["tar", "-xf", "-"], stdin=archive(tree), check=True)

    def run(self, *arguments, env=None, look=False):
        """Run it; with `look`, the result knows what lies on the disk afterwards."""
        command = ["bash", "report.sh", *arguments]
        collect = ["**"] if look else []
        return self._solution.run(command, env=env, collect=collect, timeout=SECONDS)

    def run_from_root(self, command, folder):
        """With the FOLDER's whole path."""
        script = 'exec bash report.sh "$1" "$PWD/$2"'
        return self._solution.run(["sh", "-c", script, "sh", command, folder], timeout=SECONDS)

    def run_locked_out(self, command, folder):
        """With a new FOLDER that this user may not enter; it is open again afterwards."""
        script = """
            mkdir "$2" && chmod 000 "$2" || exit 99
            if [ -x "$2" ]; then
                echo "root enters everywhere" >&2
                code=2
            else
                bash report.sh "$1" "$2"
                code=$?
            fi
            chmod 755 "$2"
            exit "$code"
        """
        argv = ["sh", "-c", script, "sh", command, folder]
        return self._solution.run(argv, collect=["**"], timeout=SECONDS)

    def expect(self, got, expected, message):
        if got != expected:
            for line, remark in remarks(self._solution):
                self._note(f"ShellCheck, line {line}", remark)
        assert got == expected, message

    def expect_success(self, result):
        self.expect(
            result.stderr.decode("utf-8", "replace"),
            "",
            "All went well, so nothing should be on stderr.",
        )
        self.expect(
            result.code, 0, exit_code("All went well, so the exit code should be 0.", result)
        )

    def expect_tree(self, result, tree, message, others):
        """The disk holds exactly this tree; `message` is about the names, `others` the contents."""
        found = {name: kind for name, kind in result.tree.items() if name != "report.sh"}
        self.expect(found, kinds(tree), message)
        files = {name: content for name, content in tree.items() if isinstance(content, bytes)}
        wrong = [name for name in files if result.collected.get(name) != files[name]]
        self.expect(wrong, [], others)


def exit_code(message, result):
    if result.code == 141:
        message += " 141 is SIGPIPE: in a pipe, the reader (head?) ended before the writer."
    return message


@functools.cache
def remarks(solution):
    """(line, remark), the first few worth reading; none where ShellCheck is not there."""
    # Into a file: what is printed would be shown as printed by report.sh.
    command = "shellcheck -s bash -S info -e SC2016 -f json report.sh >.remarks 2>&1"
    told = solution.run(["sh", "-c", command], timeout=10).file(".remarks")
    try:
        found = json.loads(told)
    except ValueError:
        return []
    each = [(one["line"], f"{one['message']} (SC{one['code']})") for one in found]
    return list(dict.fromkeys(each))[:3]


# -- lines of a log --------------------------------------------------------------------------

USERS = ["-", "ann", "bob", "eve.holt", "u1042"]
STATUSES = [200, 200, 200, 201, 301, 304, 404, 403, 499, 500, 502, 503, 504, 599]
METHODS = ["GET", "GET", "GET", "POST", "PUT", "HEAD"]
WORDS = ["cart", "help", "index", "login", "news", "order", "pay", "price", "shop", "team"]


@dataclass(frozen=True)
class Request:
    text: str
    status: int
    size: int
    path: str | None


def request(rng, path="", user=None, words=None, status=None, size=None):
    """A line. `words` is the whole request, if it is not a usual one."""
    path = path or f"/{rng.choice(WORDS)}"
    words = f"{rng.choice(METHODS)} {path} HTTP/1.1" if words is None else words
    status = status or rng.choice(STATUSES)
    size = rng.choice([0, rng.randrange(10**3), rng.randrange(10**6)]) if size is None else size
    at = f"24/Nov/2026:{rng.randrange(24):02}:{rng.randrange(60):02}:{rng.randrange(60):02} +0000"
    address = f"203.0.113.{rng.randrange(1, 255)}"
    shown = "-" if size == 0 and rng.random() < 0.7 else size
    text = f'{address} - {user or rng.choice(USERS)} [{at}] "{words}" {status} {shown}'
    return Request(text, status, size, [*words.split(), "", ""][1] or None)


def requests(rng, count):
    return [request(rng) for _ in range(count)]


def plain(lines, end="\n"):
    """The content of a log; `end` stands behind the last line."""
    return "\n".join(line.text for line in lines).encode() + (end.encode() if lines else b"")


def packed(lines, end="\n"):
    return gzip.compress(plain(lines, end), mtime=0)


def content(name, lines):
    return packed(lines) if name.endswith(".gz") else plain(lines)


def summary(logs):
    """What `summary` prints for these logs, each a list of requests."""
    lines = [line for log in logs for line in log]
    counts = Counter(line.path for line in lines if line.path is not None)
    top = sorted(counts, key=lambda path: (-counts[path], path.encode()))[:5]
    told = [
        f"logs {len(logs)}",
        f"requests {len(lines)}",
        f"bytes {sum(line.size for line in lines)}",
        f"errors {sum(500 <= line.status <= 599 for line in lines)}",
        *(f"{counts[path]} {path}" for path in top),
    ]
    return "".join(f"{line}\n" for line in told)


# -- names -----------------------------------------------------------------------------------

DASHES = ["-n", "-rf", "--", "--help", "-e"]
ENDS = ["end\n", "a b\n"]
ODD = [
    ["new site", "two  blanks", "a b c"],
    [" first", "last ", "\ttab\t"],
    ["line\nbreak", "\nstart", "a\n\nb"],
    ENDS,
    ["*", "?", "[a-z]*"],
    DASHES,
    ["x=1", "name=me"],
    ["back\\slash", "\\n", "\\"],
    ["it's", 'say "hi"', "`id`", "$(id)", "$HOME", "a;b", "a&b", "a|b", "(1)", "<in>"],
    ["%s", "#no", "~", "!", "@(a)", "{a,b}"],
    ["naïve", "журнал", "ログ", "☕", "e\u0301té"],
    ["", ".hidden", "..."],
]
"""Beginnings of names, by what goes wrong with them."""


def odd_names(rng):
    """One beginning of each kind, in random order."""
    names = [rng.choice(kind) for kind in ODD]
    rng.shuffle(names)
    return names


def odd_folders(rng):
    """Three names for FOLDER: with a dash in front, with a line break at the end, and another."""
    others = [name for kind in ODD for name in kind if kind not in (DASHES, ENDS) and name]
    return [rng.choice(DASHES), rng.choice(ENDS), rng.choice(others)]


def odd_site(rng, folder, archives=True):
    """(logs, tree): odd names everywhere. `logs` are lines by name, as FOLDER sees them."""
    above = [name or "plain" for name in odd_names(rng)[:3]]
    places = [f"{above[0]}/", f"{above[1]}.d.log/", f"{above[1]}.d.log/{above[2]}/"]
    names = [*odd_names(rng), *(rng.choice(places) + name for name in odd_names(rng)[:4])]
    ends = [".log", ".log.gz"] if archives else [".log"]
    logs = {name + ends[n % len(ends)]: requests(rng, 2) for n, name in enumerate(names)}
    tree = {name: content(name, lines) for name, lines in logs.items()}
    tree |= {f"{places[0]}read me.txt": b"not a log\n", "a": b"", "new": b"", "site": b""}
    # What a name becomes when it is torn apart lies beside FOLDER, and is nobody's business.
    others = {name: plain(requests(rng, 2)) for name in ("a.log", "shop/site.log", "first.log")}
    return logs, others | below(folder, tree)


def listed(result):
    return result.text.split("\0")[:-1] if result.text.endswith("\0") else [result.text]


# -- rotating --------------------------------------------------------------------------------


def rotated(tree, folder, leave=()):
    """The tree when `rotate` has gone over FOLDER; `leave` are logs that cannot be rotated."""
    after = dict(tree)
    for name, now in tree.items():
        plain_log = name.startswith(f"{folder}/") and name.endswith(".log") and now
        if plain_log and isinstance(now, bytes) and name not in leave:
            for number in (2, 1):
                if f"{name}.{number}" in tree:
                    after[f"{name}.{number + 1}"] = tree[f"{name}.{number}"]
            after[f"{name}.1"], after[name] = now, b""
    return after


def with_history(rng, name, lines, old):
    """A log and `old` logs before it."""
    return {name: plain(lines)} | {
        f"{name}.{number}": plain(requests(rng, rng.randrange(1, 4)))
        for number in range(1, old + 1)
    }
