"""The same in another way: a frozen dataclass, layers in a ChainMap, secrets as closures."""

import logging
import os
import re
import tempfile
from collections import ChainMap
from dataclasses import dataclass, field, fields
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any


class SettingsError(Exception):
    def __init__(self, problems):
        super().__init__(problems)
        self.problems = problems


class Wrong(Exception):
    """A value of the wrong form; carries nothing."""


def matching(pattern, make):
    def convert(text):
        if re.fullmatch(pattern, text, re.IGNORECASE | re.DOTALL) is None:
            raise Wrong
        return make(text)

    return convert


def rule(pattern=".+", make=str, secret=False):
    return {"convert": matching(pattern, make), "secret": secret}


def is_true(text):
    return text.lower() in ("true", "yes", "on", "1")


def parts(text):
    return [part for part in re.split(r"\s*,\s*", text) if part]


TO_65535 = "[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]"


class Secret:
    __slots__ = ("past", "reveal")

    def __init__(self, ask):
        self.past = past = set()
        last = []

        def reveal():
            text, value = ask()
            if text is not None:
                past.add(text)
                last[:] = [value]
            return last[0]

        self.reveal = reveal
        reveal()

    def __str__(self):
        return "***"

    __repr__ = __str__

    def __format__(self, spec):
        return f"{'***':{spec}}"


class Formatter(logging.Formatter):
    def __init__(self, fmt, secrets):
        super().__init__(fmt)
        self.secrets = secrets

    def format(self, record):
        text = super().format(record)
        hidden = set()
        for secret in self.secrets:
            hidden.add(str(secret.reveal()))
            hidden |= secret.past
        longest_first = sorted(hidden, key=lambda each: (-len(each), each))
        if not longest_first:
            return text
        return re.sub("|".join(map(re.escape, longest_first)), "***", text)


@dataclass(frozen=True)
class Settings:
    sender: str = field(metadata=rule())
    database_url: Secret = field(metadata=rule(secret=True))
    api_key: Secret = field(metadata=rule(".{16,}", secret=True))
    debug: bool = field(metadata=rule("true|yes|on|1|false|no|off|0", is_true), default=False)
    port: int = field(metadata=rule(f"0*({TO_65535})", int), default=8080)
    hosts: list = field(metadata=rule(make=parts), default_factory=list)
    pin: Any = field(metadata=rule("[0-9]+", int, secret=True), default=None)

    def formatter(self, fmt=None):
        each = [getattr(self, one.name) for one in fields(self)]
        return Formatter(fmt, [value for value in each if isinstance(value, Secret)])

    def run(self, argv, secret=None):
        env = dict(os.environ)
        for name in [name for name in env if name.startswith("MAILER_")]:
            env.pop(name)
        with tempfile.TemporaryFile("w+") as out:
            with Popen(argv, stdin=PIPE, stdout=out, env=env, text=True) as program:
                if secret:
                    program.stdin.write(str(getattr(self, secret).reveal()))
                program.stdin.close()
            out.seek(0)
            return out.read()


def filled(texts):
    """Without what is empty."""
    pairs = ((name, (text or "").strip()) for name, text in texts.items())
    return {name: text for name, text in pairs if text}


def lines_of(path):
    try:
        lines = content(path).split("\n")
    except FileNotFoundError:
        return {}
    pairs = [line.split("=", 1) for line in lines if "=" in line and line.strip()[0] != "#"]
    return {name.strip(): text for name, text in pairs}


def content(path):
    return Path(path).read_text(encoding="utf-8").strip()


def load(overrides):
    given = {f"MAILER_{name.upper()}": text for name, text in overrides.items()}
    last = lines_of("settings.env")
    first = ChainMap(filled(given), filled(os.environ))
    made = {}
    names = {f"MAILER_{one.name.upper()}": one for one in fields(Settings)}
    known = {*names, *(f"{name}_FILE" for name in names)}
    strange = {name for name in {*os.environ, *last} if name[:7] == "MAILER_"} - known
    problems = [(name, "unknown") for name in strange]
    for variable, one in names.items():
        path, text = None, first.get(variable)
        if text is None and f"{variable}_FILE" in first:
            path = first[f"{variable}_FILE"]
            try:
                text = content(path)
            except (OSError, UnicodeError):
                problems.append((f"{variable}_FILE", "file"))
                continue
        if not text:
            path, text = None, filled(last).get(variable)
        if text is not None:
            made[one.name] = lambda one=one, text=text, path=path: value_of(one, text, path)
        elif one.name in ("sender", "database_url", "api_key"):
            problems.append((variable, "missing"))
    for name, make in made.items():
        try:
            made[name] = make()
        except Wrong:
            problems.append((f"MAILER_{name.upper()}", "value"))
    if problems:
        raise SettingsError(problems)
    return Settings(**made)


def value_of(one, text, path):
    convert = one.metadata["convert"]
    if not one.metadata["secret"]:
        return convert(text)
    value = convert(text)

    def ask():
        if path is None:
            return text, value
        try:
            now = content(path)
            return (now, convert(now)) if now else (None, None)
        except (OSError, UnicodeError, Wrong):
            return None, None

    return Secret(ask)
