"""Settings and secrets of the mailer. The rules are in README.md."""

import logging
import os


class SettingsError(Exception):
    """Settings that cannot be used; `problems` is a list of (variable, reason)."""

    def __init__(self, problems):
        super().__init__(problems)
        self.problems = problems


class Settings:
    def __init__(self):
        # Like this, settings are what the environment says, as text; nothing is checked or kept.
        self.debug = os.environ.get("MAILER_DEBUG")
        self.port = os.environ.get("MAILER_PORT")
        self.hosts = os.environ.get("MAILER_HOSTS")
        self.sender = os.environ.get("MAILER_SENDER")
        self.database_url = os.environ.get("MAILER_DATABASE_URL")
        self.api_key = os.environ.get("MAILER_API_KEY")
        self.pin = os.environ.get("MAILER_PIN")

    def formatter(self, fmt=None):
        print("formatter: not written yet, so the log shows every secret")
        return logging.Formatter(fmt)

    def run(self, argv, secret=None):
        print("run: not written yet, so the program does not run")
        return ""


def load(overrides):
    """The settings; raises SettingsError."""
    return Settings()


if __name__ == "__main__":
    settings = load({"port": "9000"})
    print("settings:", settings)
    print("port:    ", settings.port)
