"""`grader grade --sign` and `grader verify`, as an instructor's pipeline types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.test_batch import grader
from tests.unit.test_signed import keys


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A submission and a pair of keys."""
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "orders.py").write_text("x = 1\n")
    private, public = keys()
    (tmp_path / "key.pem").write_bytes(private)
    (tmp_path / "key.pub.pem").write_bytes(public)
    return tmp_path


GRADE = ("grade", "work", "--exercise", "python-basics", "--sign", "signed.json")
VERIFY = ("verify", "signed.json", "--key", "key.pub.pem")


def test_signed_and_verified(home: Path) -> None:
    """Genuine as written, not when a byte differs; the statement says what it was made of."""
    secrets = {"GRADER_SIGNING_KEY": "key.pem", "GRADER_COURSE_SECRET": "s"}
    graded = grader(home, *GRADE, "--learner", "ann", **secrets)
    assert graded.returncode == 3, graded.stderr  # the fake engine's judge runs no check
    said = grader(home, *VERIFY)
    assert said.returncode == 0, said.stderr
    assert said.stdout.startswith("Genuine.\n")
    assert "learner     ann\n" in said.stdout
    statement = json.loads(grader(home, *VERIFY, "--json").stdout)
    assert statement["report"]["exercise"] == "python-basics"
    assert "--learner ann" in graded.stderr
    file = home / "signed.json"
    text = file.read_text()
    place = text.index('"payload": "') + 40
    file.write_text(text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :])
    said = grader(home, *VERIFY)
    assert (said.returncode, said.stdout) == (1, "")
    assert "is not genuine" in said.stderr


@pytest.mark.parametrize(
    ("arguments", "key", "said"),
    [
        (GRADE, "", "--sign needs a key"),
        (GRADE, "gone.pem", "gone.pem"),
        (GRADE, "key.pub.pem", "no private key in PEM"),
        ((*GRADE[:-1], "no/where.json"), "key.pem", "its folder does not exist"),
        ((*GRADE, "--learner", "ann"), "key.pem", "--learner needs the secret"),
        (("verify", "gone.json", "--key", "key.pub.pem"), "", "gone.json"),
        (("verify", "key.pem", "--key", "key.pem"), "", "no public key in PEM"),
    ],
)
def test_wrong_usage(home: Path, arguments: tuple[str, ...], key: str, said: str) -> None:
    """Told before anything is graded, with a mend."""
    done = grader(home, *arguments, **({"GRADER_SIGNING_KEY": key} if key else {}))
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "fix: " in done.stderr
    assert not (home / "signed.json").exists()
