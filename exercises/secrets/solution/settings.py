"""Settings and secrets of the mailer: where they come from, and who gets to see them."""

import logging
import os
import subprocess
from copy import copy
from pathlib import Path

PREFIX = "MAILER_"
HIDDEN = "***"


class SettingsError(Exception):
    """Settings that cannot be used; `problems` is a list of (variable, reason)."""

    def __init__(self, problems):
        super().__init__(problems)
        self.problems = problems


# Types: each turns text into a value, or raises ValueError


def boolean(text):
    word = text.lower()
    if word in ("true", "yes", "on", "1"):
        return True
    if word in ("false", "no", "off", "0"):
        return False
    raise ValueError


def integer(text):
    if not (text.isascii() and text.isdigit()):
        raise ValueError
    return int(text)


def port(text):
    number = integer(text)
    if not 1 <= number <= 65535:
        raise ValueError
    return number


def texts(text):
    return [part.strip() for part in text.split(",") if part.strip()]


def long_text(text):
    if len(text) < 16:
        raise ValueError
    return text


TYPES = {
    "debug": boolean,
    "port": port,
    "hosts": texts,
    "sender": str,
    "database_url": str,
    "api_key": long_text,
    "pin": integer,
}
DEFAULTS = {"debug": False, "port": 8080, "hosts": [], "pin": None}
SECRETS = {"database_url", "api_key", "pin"}


class Secret:
    """A value that is shown to nobody but who asks for it. From a file it is read each time."""

    def __init__(self, text, parse, path=None):
        self._parse = parse
        self._path = path
        self._value = parse(text)
        self.texts = {text}

    def reveal(self):
        if self._path is not None:
            self._read_again()
        return self._value

    def _read_again(self):
        try:
            text = read(self._path)
            if text:
                self._value = self._parse(text)
                self.texts.add(text)
        except (OSError, ValueError):
            pass  # it is being changed: the last value holds until it is right again

    def __repr__(self):
        return HIDDEN

    def __format__(self, spec):
        return format(HIDDEN, spec)


class Settings:
    def __init__(self, values):
        self.__dict__.update(values)

    def __repr__(self):
        shown = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"Settings({shown})"

    def formatter(self, fmt=None):
        return Redacting(fmt, [value for value in vars(self).values() if isinstance(value, Secret)])

    def run(self, argv, secret=None):
        value = "" if secret is None else str(getattr(self, secret).reveal())
        env = {name: text for name, text in os.environ.items() if not name.startswith(PREFIX)}
        done = subprocess.run(
            argv, input=value, env=env, stdout=subprocess.PIPE, text=True, check=False
        )
        return done.stdout


class Redacting(logging.Formatter):
    def __init__(self, fmt, secrets):
        super().__init__(fmt)
        self._secrets = secrets

    def format(self, record):
        line = super().format(record)
        texts = {text for secret in self._secrets for text in secret.texts}
        texts |= {str(secret.reveal()) for secret in self._secrets}
        for text in sorted(texts, key=len, reverse=True):
            line = line.replace(text, HIDDEN)
        return line


# Loading


def load(overrides):
    """The settings from all places. Raises SettingsError with all problems."""
    from_file = dict(settings_env())
    problems = [
        (name, "unknown")
        for name in {*os.environ, *from_file}
        if name.startswith(PREFIX) and not is_known(name)
    ]
    values = {}
    for name, parse in TYPES.items():
        variable = PREFIX + name.upper()
        try:
            text, path = find(name, variable, overrides, from_file)
        except (OSError, UnicodeDecodeError):
            problems.append((f"{variable}_FILE", "file"))
            continue
        if not text:
            values[name] = copy(DEFAULTS.get(name))
            if name not in DEFAULTS:
                problems.append((variable, "missing"))
            continue
        try:
            values[name] = Secret(text, parse, path) if name in SECRETS else parse(text)
        except ValueError:
            problems.append((variable, "value"))
    if problems:
        raise SettingsError(problems)
    return Settings(values)


def find(name, variable, overrides, from_file):
    """The text of a setting, and the path of the file that it came from. Raises OSError."""
    for text in (overrides.get(name), os.environ.get(variable)):
        if text and text.strip():
            return text.strip(), None
    path = os.environ.get(f"{variable}_FILE", "").strip()
    if path:
        text = read(path)
        if text:
            return text, path
    return from_file.get(variable), None


def read(path):
    return Path(path).read_text(encoding="utf-8").strip()


def settings_env():
    """Yield the (variable, value) pairs of settings.env."""
    path = Path("settings.env")
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            name, _, value = line.strip().partition("=")
            if name and not name.startswith("#"):
                yield name.strip(), value.strip()


def is_known(variable):
    return variable.removesuffix("_FILE") in {PREFIX + name.upper() for name in TYPES}
