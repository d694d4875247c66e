"""Makes the repository `shop` and its remote `origin.git`, other ones for each seed."""

import os
import shutil
import subprocess
from pathlib import Path

TEAMS = {
    "backend": "Backend Team <backend@shop.example>",
    "search": "Search Team <search@shop.example>",
    "payments": "Payments Team <payments@shop.example>",
    "logistics": "Logistics Team <logistics@shop.example>",
}
COUNTRIES = (
    *("at", "be", "ch", "cz", "dk", "ee", "es", "fi", "fr", "gr", "hr", "hu", "ie", "is", "it"),
    *("lt", "lu", "lv", "mt", "nl", "no", "pl", "pt", "ro", "se", "si", "sk"),
)
ALPHABET = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"

SHIPPING = """\
#!/bin/sh
# shipping.sh COUNTRY GRAMS: what a parcel costs, in cents.
grams=$2
step={step} # each begun step is charged

rate=$(sed -n "s/^$1 //p" rates.txt)
if [ -z "$rate" ]; then
    echo "no rate for $1" >&2
    exit 1
fi
base=$(sed -n 's/^base //p' fees.txt)
packaging=$(sed -n 's/^packaging //p' fees.txt)

steps=$(((grams + step - 1) / step))
echo $((base + packaging + steps * rate))
"""
RIGHT = "steps=$(((grams + step - 1) / step))"
WRONG = "steps=$((grams / step + 1))"
TEST = """\
#!/bin/sh
# Ends with 0 when shipping.sh charges each begun step once.
one=$(sh shipping.sh de 1) && full=$(sh shipping.sh de {step}) || exit 125
if [ "$one" != "$full" ]; then
    echo "1 g costs $one, and {step} g, which is one step, too, cost $full" >&2
    exit 1
fi
echo ok
"""
SEARCH = """\
#!/bin/sh
# search.sh WORD: the lines of the catalogue with this word.
word=$1
{look}

if [ -z "$word" ]; then
    echo "search.sh WORD" >&2
    exit 2
fi

# everything below is about the output
{show}
"""
HOOK = """\
#!/bin/sh
# What the team agreed on: nobody rewrites or deletes a branch here, and commits name their ticket.
zero=0000000000000000000000000000000000000000
refused() {
    echo "REFUSED: $1" >&2
    exit 1
}
while read -r old new ref; do
    case $ref in refs/heads/*) ;; *) continue ;; esac
    [ "$new" != $zero ] || refused "${ref#refs/heads/} must not be deleted"
    if [ "$old" != $zero ] && ! git merge-base --is-ancestor "$old" "$new"; then
        refused "${ref#refs/heads/} has commits here that yours lacks, and they must stay"
    fi
    for commit in $(git rev-list --no-merges "$new" --not --all); do
        git log -1 --format=%B "$commit" | grep -q '^Ticket: SHOP-[0-9]' ||
            refused "no line 'Ticket: SHOP-...' in: $(git log -1 --format='%h %s' "$commit")"
    done
done
"""


class History:
    """Commits as `git fast-import` reads them; `files` are those of each branch's tip."""

    def __init__(self, rng):
        self._rng = rng
        self._stream = []
        self._time = 1_740_000_000 + rng.randrange(10**7)
        self._mark = 0
        self.files = {}
        self.tips = {}
        self.commits = {}

    def branch(self, name, start):
        """Begin a branch at a commit, which is given by its mark."""
        self.tips[name], self.files[name] = start, dict(self.commits[start]["files"])

    def commit(self, branch, team, subject, changes, ticket=None):
        """Add a commit; a content of None removes the file. Its mark."""
        files = self.files.setdefault(branch, {})
        for path, content in changes.items():
            files[path] = content
        self.files[branch] = files = {path: c for path, c in files.items() if c is not None}
        self._mark += 1
        self._time += self._rng.randrange(600, 90_000)
        message = f"{subject}\n" + (f"\nTicket: SHOP-{ticket}\n" if ticket else "")
        who = f"{TEAMS[team]} {self._time} +0100"
        self._stream += [f"commit refs/heads/{branch}", f"mark :{self._mark}", f"author {who}"]
        self._stream += [f"committer {who}", _data(message)]
        if branch in self.tips:
            self._stream.append(f"from :{self.tips[branch]}")
        self._stream.append("deleteall")
        for path, content in sorted(files.items()):
            self._stream += [f"M 100644 inline {path}", _data(content)]
        self._stream.append("")
        self.tips[branch] = self._mark
        self.commits[self._mark] = {
            "subject": subject,
            "author": TEAMS[team],
            "date": f"{self._time} +0100",
            "files": dict(files),
        }
        return self._mark

    def ref(self, name, mark):
        self._stream += [f"reset {name}", f"from :{mark}", ""]

    def text(self):
        return "\n".join([*self._stream, "done", ""])


def _data(text):
    return f"data {len(text.encode())}\n{text}"


def generate(out, rng):
    history = History(rng)
    facts = _main(history, rng)
    facts["discounts"] = _discounts(history, rng, facts)
    facts["search"] = _search(history, rng, facts)
    facts["payments"] = _payments(history, rng, facts)
    ahead = history.tips["main"]
    colleague = _colleague(history, rng)
    history.ref("refs/tags/v1.0", facts["first"])
    history.ref("refs/tags/demo", facts["payments"]["demo"])
    ids = _write(out, history, ahead, colleague, facts)
    return _values(history, ids, facts, colleague, ahead)


# -- what happened ---------------------------------------------------------------------------


def _main(history, rng):
    step = rng.choice([250, 400, 500, 750, 800])
    shipping = SHIPPING.format(step=step)
    rates = {"de": rng.randrange(90, 160)}
    notes = ["# shop", "", "Shipping: `sh shipping.sh COUNTRY GRAMS`", "", "## Notes", ""]
    fees = [("base", 390), ("packaging", 90), ("bulk", 0)]
    ticket = rng.randrange(100, 200)
    files = {
        "README.md": "\n".join(notes) + "\n",
        "fees.txt": _table(fees),
        "rates.txt": _table(sorted(rates.items())),
        "shipping.sh": shipping,
        "test.sh": TEST.format(step=step),
        "catalogue.txt": "".join(f"item-{n} {rng.randrange(100, 999)}\n" for n in range(12)),
    }
    first = history.commit("main", "backend", "Start the shop", files, ticket)
    kinds = ["rate"] * 9 + ["note"] * 4 + ["comment"] * 3
    rng.shuffle(kinds)
    countries = rng.sample(COUNTRIES, 10)
    bad_at = rng.choice([n for n, kind in enumerate(kinds) if kind == "rate" and 3 <= n < 14])
    bad, marks = 0, [first]
    for number, kind in enumerate(kinds):
        ticket += rng.randrange(1, 4)
        changes, team = {}, "logistics"
        if kind == "rate":
            country = countries.pop()
            rates[country] = rng.randrange(90, 400)
            changes["rates.txt"] = _table(sorted(rates.items()))
            subject = f"Add the rate for {country}"
        elif kind == "note":
            notes.append(f"- {_word(rng)} is shipped on {rng.choice(['Monday', 'Friday'])}s")
            changes["README.md"] = "\n".join(notes) + "\n"
            subject, team = "Note another shipping day", "backend"
        else:
            word = _word(rng)
            old = history.files["main"]["shipping.sh"].splitlines()
            old[3] = f"step={step} # each begun step is charged ({word})"
            shipping = "\n".join(old) + "\n"
            changes["shipping.sh"] = shipping
            subject = rng.choice(["Explain how steps are rounded", "Simplify the rounding"])
        if number == bad_at:
            shipping = shipping.replace(RIGHT, WRONG)
            changes["shipping.sh"] = shipping
        mark = history.commit("main", team, subject, changes, ticket)
        bad = mark if number == bad_at else bad
        marks.append(mark)
    return {"first": first, "bad": bad, "marks": marks, "rates": rates, "ticket": ticket}


def _discounts(history, rng, facts):
    """A branch, and after it a commit of main, that change neighbouring lines of one file."""
    history.branch("discounts", facts["marks"][-2])
    bulk, gift, packaging, express = (
        rng.randrange(*r) for r in ((5, 30), (200, 300), (100, 150), (600, 900))
    )
    theirs = [("base", 390), ("packaging", 90), ("bulk", bulk), ("gift", gift)]
    ours = [("base", 390), ("packaging", packaging), ("bulk", 0), ("express", express)]
    coupons = "".join(f"{_word(rng)} {rng.randrange(5, 40)}\n" for _ in range(4))
    ticket = facts["ticket"] + 3
    history.commit("discounts", "backend", "Add coupons", {"coupons.txt": coupons}, ticket)
    tip = history.commit(
        "discounts", "backend", "Give a discount", {"fees.txt": _table(theirs)}, ticket
    )
    history.commit(
        "main",
        "logistics",
        "Raise packaging, offer express",
        {"fees.txt": _table(ours)},
        ticket + 1,
    )
    fees = {"base": 390, "packaging": packaging, "bulk": bulk, "express": express, "gift": gift}
    return {
        "tip": tip,
        "fees": {name: str(value) for name, value in fees.items()},
        "coupons": coupons,
    }


def _search(history, rng, facts):
    start = facts["marks"][-4]
    history.branch("search", start)
    ticket = facts["ticket"] + 10
    word, label = _word(rng), _word(rng)
    look, show = 'found=$(grep -- "$word" catalogue.txt)', 'echo "$found"'
    fixed = 'found=$(grep -F -- "$word" catalogue.txt)'
    text = SEARCH.format(look=look, show=show)
    history.commit("search", "search", "Search the catalogue", {"search.sh": text}, ticket)
    ordered = f'echo "$found" | sort # {word}'
    changes = {
        "search.sh": SEARCH.format(look=look, show=ordered),
        "README.md": history.files["search"]["README.md"].replace(
            "COUNTRY GRAMS`\n", f"COUNTRY GRAMS`\nSearch: `sh search.sh WORD` ({word})\n"
        ),
    }
    history.commit("search", "search", "Sort what was found", changes, ticket)
    changes = {"search.sh": SEARCH.format(look=fixed, show=ordered)}
    history.commit("search", "search", "fixup! Search the catalogue", changes)
    counted = f'{ordered}\necho "$(echo "$found" | wc -l) {label}"'
    changes = {"search.sh": SEARCH.format(look=fixed, show=counted)}
    history.commit("search", "backend", "Print how many there are", changes)
    first = SEARCH.format(look=fixed, show=show)
    note = f"Search: `sh search.sh WORD` ({word})"
    return {
        "start": start,
        "ticket": ticket,
        # what each commit adds and takes out, once the fixup is where it belongs
        "changes": [
            {"search.sh": [first.splitlines(), []]},
            {"search.sh": [[ordered], [show]], "README.md": [[note], []]},
            {"search.sh": [[f'echo "$(echo "$found" | wc -l) {label}"'], []]},
        ],
    }


def _payments(history, rng, facts):
    """Five commits, and a key in two files of the second and the third."""
    start = facts["marks"][-3]
    history.branch("payments", start)
    ticket = facts["ticket"] + 20
    key = "sk_live_" + "".join(rng.choice(ALPHABET) for _ in range(24))
    pay = ["#!/bin/sh", "# pay.sh CENTS: ask the provider for money.", f"echo pay {_word(rng)} $1"]
    marks = [_pay(history, "Pay by card", {"pay.sh": pay}, ticket)]
    pay.insert(2, ". ./payments.env")
    changes = {"pay.sh": pay, "payments.env": [f"PROVIDER_KEY={key}"]}
    marks.append(_pay(history, "Log in to the provider", changes, ticket))
    refund = ["#!/bin/sh", f"# tried with PROVIDER_KEY={key}", f"echo refund {_word(rng)} $1"]
    marks.append(_pay(history, "Pay money back", {"refund.sh": refund}, ticket))
    demo = marks[-1]
    pay[2] = ': "${PROVIDER_KEY:?is not set}"'
    changes = {
        "payments.env": None,
        "refund.sh": [refund[0], refund[2]],
        "pay.sh": pay,
        ".gitignore": ["*.env"],
    }
    marks.append(_pay(history, "Take the key from the environment", changes, ticket))
    pay.append(f"echo paid {_word(rng)}")
    marks.append(_pay(history, "Say what was paid", {"pay.sh": pay}, ticket))
    return {"start": start, "marks": marks, "key": key, "demo": demo}


def _pay(history, subject, changes, ticket):
    texts = {
        path: None if lines is None else "".join(f"{line}\n" for line in lines)
        for path, lines in changes.items()
    }
    return history.commit("payments", "payments", subject, texts, ticket)


def _colleague(history, rng):
    """A commit that the remote has and the learner not yet."""
    history.branch("upstream", history.tips["main"])
    carriers = "".join(f"{_word(rng)} {rng.randrange(1, 9)}\n" for _ in range(3))
    return history.commit(
        "upstream", "logistics", "List the carriers", {"carriers.txt": carriers}, 7
    )


# -- the folders -----------------------------------------------------------------------------


def _write(out, history, ahead, colleague, facts):
    shop, origin = out / "shop", out / "origin.git"
    _git(out, "init", "-q", "--template=", "-b", "main", "shop")
    _git(out, "init", "-q", "--template=", "-b", "main", "--bare", "origin.git")
    _git(shop, "fast-import", "--quiet", "--done", "--export-marks=../marks", stdin=history.text())
    marks = out / "marks"
    ids = dict(line[1:].split() for line in marks.read_text().splitlines())
    marks.unlink()
    _git(shop, "remote", "add", "origin", "../origin.git")
    release = ids[str(facts["marks"][4])]
    refs = ["upstream:refs/heads/main", f"{release}:refs/heads/release", "v1.0:refs/tags/v1.0"]
    _git(shop, "push", "-q", "origin", *refs)
    _git(shop, "update-ref", "refs/remotes/origin/main", ids[str(ahead)])
    _git(shop, "update-ref", "refs/remotes/origin/release", release)
    _git(shop, "branch", "-q", "-D", "upstream")
    _git(shop, "branch", "-q", "-u", "origin/main", "main")
    _git(shop, "reset", "-q", "--hard", "main")
    _git(shop, "gc", "-q", "--prune=now")
    shutil.rmtree(shop / ".git" / "logs")  # they say when this was made
    hook = origin / "hooks" / "pre-receive"
    hook.parent.mkdir()
    hook.write_text(HOOK)
    hook.chmod(0o755)
    return {int(mark): name for mark, name in ids.items()}


def _git(folder, *arguments, stdin=""):
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(Path(folder).absolute()),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "LC_ALL": "C",
    }
    subprocess.run(["git", *arguments], cwd=folder, env=env, input=stdin, text=True, check=True)


def _values(history, ids, facts, colleague, ahead):
    search, payments = facts["search"], facts["payments"]

    def told(mark):
        return {name: history.commits[mark][name] for name in ("subject", "author", "date")}

    wanted = [mark for mark, c in history.commits.items() if c["subject"] in SEARCH_SUBJECTS]
    return {
        "bad": ids[facts["bad"]],
        "main": ids[ahead],
        "main_files": history.commits[ahead]["files"],
        "colleague": ids[colleague],
        "carriers": history.commits[colleague]["files"]["carriers.txt"],
        "discounts": ids[facts["discounts"]["tip"]],
        "fees": facts["discounts"]["fees"],
        "coupons": facts["discounts"]["coupons"],
        "release": ids[facts["marks"][4]],
        "v1": ids[facts["first"]],
        "search_ticket": search["ticket"],
        "search": [
            {**told(mark), "changes": changes}
            for mark, changes in zip(wanted, search["changes"], strict=True)
        ],
        "key": payments["key"],
        "payments_start": ids[payments["start"]],
        "payments": [
            {**told(mark), "files": _without(history.commits[mark]["files"], payments["key"])}
            for mark in payments["marks"]
        ],
        "demo": told(payments["demo"]),
    }


SEARCH_SUBJECTS = ("Search the catalogue", "Sort what was found", "Print how many there are")


def _without(files, key):
    """The files as they would be if no line with the key had been written."""
    kept = {
        path: "".join(line for line in text.splitlines(keepends=True) if key not in line)
        for path, text in files.items()
    }
    return {path: text for path, text in kept.items() if text or not files[path]}


def _table(rows):
    return "".join(f"{name} {value}\n" for name, value in rows)


def _word(rng):
    return "".join(rng.choice("bdfgklmnprstvz") + rng.choice("aeiou") for _ in range(3))
