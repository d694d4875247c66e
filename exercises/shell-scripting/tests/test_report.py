"""Hidden tests of shell-scripting. Every folder is made from the seed."""

import shlex

import pytest
from sites import (
    FOLDER,
    Link,
    Report,
    below,
    content,
    exit_code,
    listed,
    odd_folders,
    odd_site,
    packed,
    plain,
    request,
    requests,
    rotated,
    summary,
    with_history,
)


@pytest.fixture
def report(solution, note):
    return Report(solution, note)


def word(rng):
    return "".join(rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(6))


# 1. Find the logs


@pytest.mark.check(task="find", points=2, seconds=60)
def test_lists_the_logs(report, rng):
    """list names every log, and nothing else."""
    a, b, c = f"{word(rng)} {word(rng)}", word(rng), word(rng)
    logs = [f"{a}.log", f"{b}/{c}.log", f"{b}-{a}.log", f"{b}/old/{a}.log.gz", f"Z{c}.log"]
    logs += [f".{c}.log", f"{c}/.cache/{b}.log", f"{a}.log.log"]
    others = [
        "catalog",
        "log",
        f"{a}.log.1",
        f"{a}.log.bak",
        f"{b}/{c}.gz",
        f"{b}/{a}{c}.LOG",
        "log.d",
    ]
    tree = {name: content(name, requests(rng, rng.randrange(3))) for name in logs}
    tree |= dict.fromkeys(others, b"no log\n") | {f"{b}/dir.log": FOLDER, "empty": FOLDER}
    report.lay_out(below(a, tree))
    result = report.run("list", a)
    report.expect(
        result.text[-1:],
        "\0",
        "The last byte that list prints should be NUL, and so should be the one behind each other "
        "name. printf has '%s\\0' for it, find has -print0 and -printf '%P\\0'.",
    )
    names = listed(result)
    report.expect(
        sorted(names),
        sorted(logs),
        "These names should be listed: plain files that end in .log or .log.gz, at any depth, as "
        "seen from the folder.",
    )
    report.expect(
        names,
        sorted(logs, key=str.encode),
        "The names are right, their order is not. Sort whole names by their bytes: with LC_ALL=C, "
        "sort does that, and sort -z takes names that end in NUL.",
    )
    report.expect_success(result)
    absolute = report.run_from_root("list", a)
    report.expect(
        listed(absolute),
        names,
        f"FOLDER is the whole path of {a!r} here, from the root (/...), and the names came out "
        "differently.",
    )


@pytest.mark.check(task="find", points=3, seconds=60, needs=["test_lists_the_logs"])
def test_lists_any_name(report, rng):
    """list gives names whole, whatever is in them."""
    for folder in odd_folders(rng):
        logs, tree = odd_site(rng, folder)
        report.lay_out(tree)
        result = report.run("list", folder)
        report.expect(
            listed(result),
            sorted(logs, key=str.encode),
            f"FOLDER is {folder!r}. A name was lost or torn apart, or one appeared that is not "
            'there. Quote every "$name", end names with NUL all the way, and let no name pass for '
            "an option.",
        )
        report.expect_success(result)


@pytest.mark.check(task="find", points=2, seconds=60, needs=["test_lists_the_logs"])
def test_does_not_follow_links(report, rng):
    """Symbolic links are no logs, and are not followed."""
    a, b, other = (word(rng) for _ in range(3))
    links = {
        "loop": Link("."),
        f"{b}/up": Link(".."),
        "latest.log": Link(f"{a}.log"),
        f"{b}/gone.log": Link("nowhere.log"),
        "others": Link(f"../{other}"),
        f"{b}/folder.log": Link(f"../../{other}"),
        "secret.log": Link(f"../{other}/secret.log"),
    }
    logs = [f"{a}.log", f"{b}/{a}.log"]
    tree = {name: plain(requests(rng, 2)) for name in logs}
    report.lay_out(below("site", tree | links) | {f"{other}/secret.log": plain(requests(rng, 1))})
    result = report.run("list", "site")
    report.expect(
        listed(result),
        sorted(logs, key=str.encode),
        "Only plain files are logs. A link is none, whether it leads to a log, to a folder, back "
        "to where it lies or nowhere.",
    )
    report.expect_success(result)


# 2. Add them up


def first_four(text):
    return "".join(text.splitlines(keepends=True)[:4])


@pytest.mark.check(task="add-up", points=3, seconds=60)
def test_adds_up(report, rng):
    """summary counts logs, requests, bytes and errors."""
    a, b = word(rng), word(rng)
    logs = {f"{a}.log": 20, f"{b}/{a}.log": 30, f"{b}/{b}.log.gz": 25, f".{a}.log": 1}
    logs = {name: requests(rng, count) for name, count in logs.items()}
    logs[f"{a}.log"] += [request(rng, size=rng.randrange(2**31, 2**32)) for _ in range(3)]
    tree = {name: content(name, lines) for name, lines in logs.items()}
    tree[f"{a}.log.1"] = plain(requests(rng, 5))
    tree = below(a, tree) | {"access.log": plain(requests(rng, 5))}
    report.lay_out(tree)
    result = report.run("summary", a, look=True)
    report.expect(
        first_four(result.text),
        first_four(summary(logs.values())),
        "The first four lines are not right. They are about all logs together, those that end in "
        ".log.gz too, and no other files.",
    )
    report.expect_success(result)
    report.expect_tree(
        result,
        tree,
        "summary should leave the disk as it was. A file that you need for a while belongs to "
        "where mktemp makes it, and is removed by a trap.",
        "summary should read the logs, and it changed these.",
    )


@pytest.mark.check(task="add-up", points=2, seconds=60, needs=["test_adds_up"])
def test_five_most_frequent_paths(report, rng):
    """summary shows the five most frequent paths, in the right order."""
    first, *tied = rng.sample([f"/{word(rng)}" for _ in range(20)], 8)
    paths = [first] * rng.randrange(100, 120) + [tied[0]] * rng.randrange(20, 60) + [tied[1]] * 9
    lines = [request(rng, path) for path in paths + tied[2:] * 4]
    rng.shuffle(lines)
    logs = {"a.log": lines[::2], "b.log": lines[1::2]}
    few = {"few.log": [request(rng, path) for path in (tied[3], first, tied[3])]}
    for folder, chosen in (("many", logs), ("few", few)):
        report.lay_out(below(folder, {name: plain(log) for name, log in chosen.items()}))
        result = report.run("summary", folder)
        report.expect(
            result.text,
            summary(chosen.values()),
            "Below the first four lines come the paths: one number, one blank, the path; the "
            "largest number first (100 is more than 20), those with the same number by their "
            "bytes, and five at most.",
        )
    busy = [request(rng, f"/{rng.randrange(10**40):040}") for _ in range(3000)]
    report.lay_out({"busy/access.log": plain(busy)})
    result = report.run("summary", "busy")
    report.expect(
        result.text, summary([busy]), "This log has 3000 requests, each for another path."
    )
    report.expect(
        result.code,
        0,
        exit_code("The report is right, so the exit code should be 0, too.", result),
    )


STRANGE = [
    "/*",
    "/?",
    "/a\\nb",
    "/\\",
    "/%s%d",
    "/$HOME",
    "/`id`",
    "/'",
    "/a;b",
    "/500",
    "/~",
    "/-n",
]
OTHER_WORDS = ["-", "", "GET", "\\x16\\x03\\x01", "quit 500 -", "GET /a b c HTTP/1.1", "GET  /two"]


@pytest.mark.check(task="add-up", points=2, seconds=60, needs=["test_adds_up"])
def test_odd_lines(report, rng):
    """Blanks do not shift the fields of a line, and a path stays as it is."""
    users = ["Ann Lee", "x y z", "500 500", "GET / 503", "* *"]
    rng.shuffle(users)
    shifted = [request(rng, user=user, status=200 + 300 * (n % 2)) for n, user in enumerate(users)]
    report.lay_out({"users/a.log": plain(shifted)})
    result = report.run("summary", "users")
    report.expect(
        first_four(result.text),
        first_four(summary([shifted])),
        "Users have blanks in their names here, so a field has not the same number in every "
        "line. What stands always at the same place, seen from the quotes?",
    )
    odd = [request(rng, words=words) for words in OTHER_WORDS] + requests(rng, 5)
    rng.shuffle(odd)
    report.lay_out({"requests/a.log": plain(odd)})
    result = report.run("summary", "requests")
    report.expect(
        result.text,
        summary([odd]),
        "Some requests here are not of three words. Those without a second word count, but have "
        "no path.",
    )
    strange = rng.sample(STRANGE, len(STRANGE))
    for number in range(3):
        paths = strange[number::3]
        lines = [request(rng, path) for n, path in enumerate(paths) for _ in range(n + 1)]
        report.lay_out({f"paths{number}/a.log": plain(lines)})
        result = report.run("summary", f"paths{number}")
        report.expect(
            result.text,
            summary([lines]),
            "A path should come out letter by letter. Here something took it for a pattern, a "
            "format or an escape.",
        )


@pytest.mark.check(task="add-up", points=2, seconds=60, needs=["test_adds_up"])
def test_no_lines_and_no_last_line_break(report, rng):
    """Empty logs are no fault; a last line without a line break counts."""
    report.lay_out({"none/notes.txt": b"x\n", "none/sub": FOLDER})
    result = report.run("summary", "none")
    report.expect(result.text, summary([]), "There is no log here: four lines that say 0.")
    report.expect_success(result)
    report.lay_out({"quiet/a.log": b"", "quiet/b.log": b"", "quiet/c.log.gz": packed([])})
    result = report.run("summary", "quiet")
    report.expect(
        result.text, summary([[], [], []]), "There are three logs here, without a single line."
    )
    report.expect_success(result)
    logs = {f"{n}.log{end}": requests(rng, 1 + n // 3) for n, end in enumerate(["", "", ".gz"] * 3)}
    tree = {
        name: (packed if name.endswith(".gz") else plain)(lines, end="")
        for name, lines in logs.items()
    }
    report.lay_out(below("cut", tree))
    result = report.run("summary", "cut")
    report.expect(
        result.text,
        summary(logs.values()),
        "The last line of these logs has no line break at its end. It is not to be lost, nor "
        "glued to the first line of the next log.",
    )
    report.expect_success(result)


@pytest.mark.check(
    task="add-up", points=1, seconds=60, needs=["test_lists_the_logs", "test_adds_up"]
)
def test_the_same_in_every_locale(report, rng):
    """The order is that of the bytes, whatever the language."""
    env = {"LANG": "en_US.UTF-8", "LC_ALL": "en_US.UTF-8"}
    words = ["Zoo", "apple", "Berry", "_x", "a-c", "ab", "a_b", "Az", "écl"]
    lines = [request(rng, f"/{name}") for name in words]
    tree = {f"{name}.log": plain([line]) for name, line in zip(words, lines, strict=True)}
    report.lay_out(below("site", tree))
    report.expect(
        listed(report.run("list", "site", env=env)),
        sorted(tree, key=str.encode),
        "The user has LC_ALL=en_US.UTF-8, and list sorts in another way than by bytes.",
    )
    report.expect(
        report.run("summary", "site", env=env).text,
        summary([[line] for line in lines]),
        "The user has LC_ALL=en_US.UTF-8, and summary sorts paths in another way than by bytes.",
    )


def misread(report, logs):
    """The sentence about one of these logs that is not counted right, even when it is alone."""
    for number, (path, lines) in enumerate(logs.items()):
        name = path.rpartition("/")[2]
        report.lay_out({f"alone{number}/{name}": content(name, lines)})
        if report.run("summary", f"alone{number}").text != summary([lines]):
            return f"A log called {name!r} is not counted right, even when it is alone. "
    return ""


@pytest.mark.check(
    task="add-up", points=2, seconds=60, needs=["test_lists_any_name", "test_adds_up"]
)
def test_adds_up_any_name(report, rng):
    """summary reads every log, whatever its name."""
    for folder in odd_folders(rng):
        logs, tree = odd_site(rng, folder)
        report.lay_out(tree)
        result, expected = report.run("summary", folder), summary(logs.values())
        which = "" if result.text == expected else misread(report, logs)
        report.expect(
            result.text,
            expected,
            f"FOLDER is {folder!r}. {which}A name that is not quoted may become other names; one "
            "such as -n or x=1 means something else to many a program, and ./-n does not.",
        )
        report.expect_success(result)


# 3. Rotate

NAMES = "These files should be there now, and no others: is a log where it should be?"
CONTENTS = "The names are right, but these files do not hold what they should hold now."


def check_rotated(report, tree, folder, names=NAMES, contents=CONTENTS):
    """Run rotate over a tree that lies there; returns the tree as it should be afterwards."""
    result, after = report.run("rotate", folder, look=True), rotated(tree, folder)
    ended = f" The script ended with exit code {result.code}." if result.code else ""
    report.expect_tree(result, after, names + ended, contents + ended)
    report.expect(result.text, "", "rotate should print nothing on stdout.")
    report.expect_success(result)
    return after


@pytest.mark.check(task="rotate", points=2, seconds=60)
def test_rotates(report, rng):
    """rotate moves the logs up by one number."""
    a, b = word(rng), word(rng)
    tree = with_history(rng, "now.log", requests(rng, 2), 0)
    for old in range(1, 4):
        tree |= with_history(rng, f"{rng.choice([a, b])}/{old}.log", requests(rng, 3), old)
    tree |= {f"{a}/packed.log.gz": packed(requests(rng, 2))}
    tree = below("site", tree)
    report.lay_out(tree)
    check_rotated(report, tree, "site")


@pytest.mark.check(task="rotate", points=2, seconds=60, needs=["test_rotates"])
def test_rotates_twice(report, rng):
    """rotate changes nothing when it runs again."""
    tree = {}
    for old in range(4):
        tree |= with_history(rng, f"{word(rng)}.log", requests(rng, 2), old)
        tree |= with_history(rng, f"quiet/{word(rng)}.log", [], old)
    tree = below("site", tree)
    report.lay_out(tree)
    after = check_rotated(
        report,
        tree,
        "site",
        "One log of each two is empty here. An empty one should be left alone, with its old ones.",
    )
    check_rotated(
        report,
        after,
        "site",
        "A second run, right after the first one, should change nothing.",
        "A second run, right after the first one, changed these files.",
    )


@pytest.mark.check(
    task="rotate", points=3, seconds=60, needs=["test_lists_any_name", "test_rotates"]
)
def test_rotates_any_name(report, rng):
    """rotate moves the right files, whatever their names."""
    before = {}
    for folder in odd_folders(rng):
        logs, tree = odd_site(rng, folder, archives=False)
        for name in logs:
            for old in range(1, rng.randrange(1, 4)):
                tree[f"{folder}/{name}.{old}"] = plain(requests(rng, 1))
        report.lay_out(tree)
        before |= tree
        before = check_rotated(report, before, folder, f"FOLDER is {folder!r}. {NAMES}")


@pytest.mark.check(task="rotate", points=3, seconds=60, needs=["test_rotates"])
def test_touches_nothing_else(report, rng):
    """rotate touches nothing else, inside and outside of the folder."""
    a, other = word(rng), word(rng)
    site = with_history(rng, f"{a}.log", requests(rng, 2), 3)
    site |= with_history(rng, "my shop.log", requests(rng, 2), 3)
    site |= with_history(rng, "*.log", requests(rng, 2), 3)
    near = [
        f"{a}.log.4",
        f"{a}.log.10",
        f"{a}.log.bak",
        f"{a}.log.1.txt",
        f"{a}.log~",
        f"{a}.log.0",
    ]
    site |= dict.fromkeys([*near, "my", "shop.log.3", f"{a}.txt", f"{a}.3", "x.3"], b"keep me\n")
    site |= {
        "loop": Link("."),
        "others": Link(f"../{other}"),
        "latest.log": Link(f"{a}.log"),
        "theirs.log": Link(f"../{other}/theirs.log"),
        "gone.log": Link("nowhere.log"),
        "empty": FOLDER,
        "folder.log": FOLDER,
    }
    tree = below("our site", site)
    for folder in (other, "our", "site", "."):
        near_log = with_history(rng, f"{a}.log", requests(rng, 2), 3)
        tree |= near_log if folder == "." else below(folder, near_log)
    tree |= with_history(rng, f"{other}/theirs.log", requests(rng, 2), 3)
    tree |= with_history(rng, "our site.log", requests(rng, 2), 3)
    report.lay_out(tree)
    check_rotated(
        report,
        tree,
        "our site",
        "Apart from the logs of the folder, everything should be where it was: other files, what "
        "is behind links, and the folders next to this one.",
        "These files should not have changed, or not in this way.",
    )


# 4. Say what went wrong

WHOLE = 'A name with a blank in it should stay in one piece: "$name" in quotes.'


def named(name, result):
    """Whether stderr has the name, as it is or as printf %q writes it."""
    return name in result.stderr.decode("utf-8", "replace").replace("\\ ", " ")


@pytest.mark.check(task="fail", points=2, seconds=60, needs=["test_rotates"])
def test_wrong_usage(report, rng):
    """Wrong arguments change nothing and end with exit code 2."""
    tree = {"access.log": plain(requests(rng, 2)), "site/access.log": plain(requests(rng, 2))}
    report.lay_out(tree)
    wrong = [
        [],
        ["rotate"],
        ["rotate", "site", "site"],
        ["list", "site", ""],
        [word(rng), "site"],
        ["", "site"],
        ["rotate", ""],
        ["rotate", word(rng)],
        ["rotate", "site/access.log"],
        ["summary", word(rng)],
        ["list", "access.log"],
    ]
    locked = word(rng)
    for arguments in [*wrong, ["rotate", locked]]:
        command = shlex.join(["bash", "report.sh", *arguments])
        if locked in arguments:
            result = report.run_locked_out(*arguments)
            tree[locked] = FOLDER
            command += " (a folder that may not be entered)"
        else:
            result = report.run(*arguments, look=True)
        report.expect_tree(
            result,
            tree,
            f"After `{command}`, these files should be as they were. A cd that "
            "fails does not end a script.",
            f"After `{command}`, these files should be as they were. A cd that "
            "fails does not end a script.",
        )
        report.expect(result.code, 2, f"`{command}` should end with exit code 2.")
        report.expect(
            result.text, "", f"`{command}` should say what is wrong on stderr, nothing on stdout."
        )
        report.expect(
            result.stderr.strip() == b"", False, f"`{command}` should say on stderr what is wrong."
        )


@pytest.mark.check(task="fail", points=3, seconds=60, needs=["test_adds_up"])
def test_damaged_log(report, rng):
    """A damaged .log.gz is left out and named; the exit code is 1."""
    a, b, c = (word(rng) for _ in range(3))
    logs = {"a.log": 5, f"{a}/{b}.log.gz": 4, f"{b}/z.log": 3, "z.log.gz": 2}
    logs = {name: requests(rng, count) for name, count in logs.items()}
    tree = {name: content(name, lines) for name, lines in logs.items()}
    whole = packed(requests(rng, 400))
    damaged = {
        f"{a}/new {c}.log.gz": whole[: len(whole) * 2 // 3],
        f"{b}/{c}{a}.log.gz": whole[:-6] + bytes(255 - byte for byte in whole[-6:-4]) + whole[-4:],
        f"{c}/{b}.log.gz": plain(requests(rng, 2)),
    }
    report.lay_out(below("site", tree | damaged))
    result = report.run("summary", "site")
    report.expect(
        result.text,
        summary(logs.values()),
        "Three of the .log.gz cannot be unpacked to their end. Nothing of them should be counted, "
        "not even what comes out before the damage. gzip -t looks before you count.",
    )
    report.expect(
        result.code,
        1,
        "A log was damaged: the exit code should be 1. That of a pipe is the one of its last "
        "command, unless pipefail is set, and a loop in a pipe keeps its variables to itself.",
    )
    missed = [name for name in damaged if not named(name.rpartition("/")[2], result)]
    report.expect(missed, [], f"These damaged logs should be named on stderr. {WHOLE}")


@pytest.mark.check(task="fail", points=2, seconds=60, needs=["test_rotates"])
def test_cannot_rotate(report, rng):
    """A log that cannot be rotated is left alone and named."""
    a, b, c, d, good = (f"{word(rng)}.log" for _ in range(5))
    a = f"0 {a}"
    site = with_history(rng, f"0{good}", requests(rng, 2), 3) | with_history(
        rng, f"{word(rng)}/{good}", requests(rng, 2), 2
    )
    for name, old in ((a, 0), (b, 1), (c, 2), (d, 0)):
        site |= with_history(rng, name, requests(rng, 2), old)
    site |= {f"{a}.1/keep": b"keep me\n", f"{b}.2": Link("../other/old.log")}
    site |= {f"{c}.3": Link("nowhere"), f"{d}.1": Link("../other")}
    tree = below("site", site) | with_history(rng, "other/old.log", requests(rng, 2), 1)
    report.lay_out(tree)
    result = report.run("rotate", "site", look=True)
    left = [a, b, c, d]
    report.expect_tree(
        result,
        rotated(tree, "site", leave=[f"site/{name}" for name in left]),
        "Some logs have a folder or a link where an old log should be. Those logs should stay "
        "where they are, with their old ones, and all others be rotated. For a link that leads "
        "nowhere, test -e says no, and test -L says yes.",
        "These files do not hold what they should hold now.",
    )
    report.expect(result.code, 1, "Some logs were not rotated: the exit code should be 1.")
    missed = [name for name in left if not named(name, result)]
    report.expect(missed, [], f"These logs were not rotated: name them on stderr. {WHOLE}")
