"""Runs `load` in many surroundings, in the sandbox, and tells what came."""

import json

NAMES = ["debug", "port", "hosts", "sender", "database_url", "api_key", "pin"]
SECRETS = ["database_url", "api_key", "pin"]

START = """
import json, os, sys
import settings as module

job = json.load(sys.stdin)

def surround(case):
    # Exactly these variables and files, and no settings.env of the case before.
    for name in [name for name in os.environ if name.startswith("MAILER_")]:
        del os.environ[name]
    os.environ.update(case.get("env", {}))
    if os.path.exists("settings.env"):
        os.remove("settings.env")
    for path, text in case.get("files", {}).items():
        with open(path, "wb") as file:
            file.write(text.encode("latin-1" if path.startswith("latin") else "utf-8"))

def plain(value):
    return value.reveal() if hasattr(value, "reveal") else value

def tell(value):
    with open("told.json", "w") as file:
        json.dump(value, file, default=lambda value: f"({type(value).__name__})")
"""

LOAD = """
told = []
for case in job["cases"]:
    surround(case)
    try:
        made = module.load(case.get("overrides", {}))
        told.append({name: plain(getattr(made, name)) for name in job["names"]})
    except module.SettingsError as error:
        told.append({"problems": error.args[0] if error.args else None})
tell(told)
"""


ASCII = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
"""Variables with which Python takes files for ASCII, unless it is told their encoding."""


def drive(solution, program, around=None, **job):
    """Run the program beside the submission: what it told, and all that it printed."""
    result = solution.run(
        ["python3", "drive.py"],
        files={"drive.py": START + program},
        stdin=json.dumps(job),
        env=around or {},
        timeout=20,
        check=True,
    )
    return result.json("told.json"), result.stdout + result.stderr


def load(solution, *cases, around=None):
    """What `load` gives in each case: the settings, secrets revealed, or {"problems": [...]}."""
    told, _ = drive(solution, LOAD, around, cases=cases, names=NAMES)
    for each in told:
        if isinstance(each.get("problems"), list):
            each["problems"] = sorted(
                tuple(one) if isinstance(one, list) else one for one in each["problems"]
            )
    return told


def canary(rng):
    """A text that is found wherever it comes to light."""
    return f"canary-{rng.randrange(16**16):016x}"


def values(rng):
    """A right text for every setting, and the settings that they mean."""
    host = f"mx{rng.randrange(100)}.example.org"
    texts = {
        "debug": "true",
        "port": str(rng.randrange(1024, 65536)),
        "hosts": f"{host}, mx.example.net",
        "sender": f"shop{rng.randrange(1000)}@example.org",
        "database_url": f"postgresql://mailer:{canary(rng)}@db/mail?a=b#c",
        "api_key": canary(rng),
        "pin": str(rng.randrange(10**11, 10**12)),
    }
    meant = dict(texts, debug=True, port=int(texts["port"]), hosts=[host, "mx.example.net"])
    meant["pin"] = int(texts["pin"])
    return texts, meant


def env(texts):
    """These texts as environment variables."""
    return {f"MAILER_{name.upper()}": text for name, text in texts.items()}


def differing(got, expected):
    """Of two dictionaries only the items in which they differ, secrets and all."""
    names = [name for name in {**expected, **got} if got.get(name) != expected.get(name)]
    return tuple({n: side.get(n, "(missing)") for n in names} for side in (got, expected))


def check_settings(got, expected, about):
    """Fails when the settings are not these, or have another type."""
    got, right = differing(got, expected)
    assert got == right, f"These settings are not right. {about}"
