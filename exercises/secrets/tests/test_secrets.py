"""Hidden tests of tasks 3 and 4: secrets are random texts, which must not come to light."""

import json

import pytest
from mailer import SECRETS, START, canary, drive, env, values


def leaks(texts, shown):
    """Which of these secrets can be seen in what was shown."""
    shown = shown.decode(errors="replace") if isinstance(shown, bytes) else shown
    return sorted(name for name in SECRETS if texts[name] in shown)


SHOW = """
import pprint

surround(job)
made = module.load({})
shown = {"repr(settings)": repr(made), "str(settings)": str(made), "vars": repr(vars(made))}
for name in job["secrets"]:
    secret = getattr(made, name)
    shown[f"repr({name})"] = repr(secret)
    shown[f"str({name})"] = str(secret)
    shown[f"format of {name}"] = f"{secret} {secret!s} {secret!r} {secret:>60} %s" % secret
    shown[f"{name} in a list"] = str([secret]) + str({"a": (secret,)}) + pprint.pformat([secret])
tell([shown, {name: plain(getattr(made, name)) for name in job["secrets"]}])
"""


@pytest.mark.check(task="keep", points=3)
def test_secrets_are_not_shown(solution, rng):
    """A secret shows *** wherever it is printed, and its value only by reveal()."""
    texts, meant = values(rng)
    (shown, revealed), printed = drive(solution, SHOW, env=env(texts), secrets=SECRETS)
    assert revealed == {name: meant[name] for name in SECRETS}, (
        "This is what reveal() returns for each secret."
    )
    for what, text in shown.items():
        found = leaks(texts, text)
        assert found == [], f"These secrets can be read in {what}."
        assert what == "vars" or "***" in text, f"{what} is {text!r}. Where is ***?"
    assert texts["sender"] in shown["repr(settings)"], (
        f"repr(settings) is {shown['repr(settings)']!r}. It should show all settings, here the "
        f"sender {texts['sender']}, and only the secrets as ***."
    )
    assert leaks(texts, printed) == [], "load prints these secrets."


CATCH = """
surround(job)
told = []
try:
    module.load({})
except module.SettingsError as error:
    told = [repr(error), str(error), repr(error.args), repr(vars(error))]
tell(told)
"""
CRASH = """
surround(job)
module.load({})
"""


@pytest.mark.check(
    task="keep",
    points=3,
    seconds=30,
    hint="int() puts the text into its error, and Python shows the error that was being handled "
    "when another one was raised, unless it is raised `from None`.",
)
def test_errors_show_no_secret(solution, rng):
    """A wrong secret is not in the error, nor in what is printed when nobody catches it."""
    right, _ = values(rng)
    wrong = {"pin": canary(rng), "api_key": f"x{rng.randrange(10**8)}"}
    for each in (wrong, {"pin": wrong["pin"]}, {"api_key": wrong["api_key"]}):
        texts = {**right, **each}
        about = f"A text that is not right is set for: {', '.join(each)}."
        told, printed = drive(solution, CATCH, env=env(texts))
        if told == []:
            pytest.fail(f"{about} load should raise SettingsError, and raised nothing.")
        found = leaks(texts, json.dumps(told))
        assert found == [], f"{about} These secrets can be read in the SettingsError."
        assert leaks(texts, printed) == [], f"{about} load prints these secrets."
        crash = solution.run(
            ["python3", "crash.py"],
            files={"crash.py": START + CRASH},
            stdin=json.dumps({"env": env(texts)}),
        )
        assert leaks(texts, crash.stdout + crash.stderr) == [], (
            f"{about} Nobody caught the SettingsError, and Python printed it, with the errors that "
            "led to it. These secrets can be read there."
        )


LOG = """
import io, logging

surround(job)
made = module.load({})
stream = io.StringIO()
handler = logging.StreamHandler(stream)
handler.setFormatter(made.formatter("%(levelname)s %(name)s: %(message)s"))
log = logging.getLogger("mailer")
log.propagate = False
log.addHandler(handler)
log.setLevel("INFO")
lines = []

def note(what):
    lines.append([what, stream.getvalue()])
    stream.seek(0)
    stream.truncate()

texts = job["texts"]
log.info("connecting to " + texts["database_url"] + " as %s", texts["sender"])
note("a message")
log.info("key %s, pin %d, all %r", texts["api_key"], int(texts["pin"]), dict(texts))
note("the arguments of a message")
try:
    try:
        raise KeyError(texts["api_key"])
    except KeyError:
        raise RuntimeError("no connection to " + texts["database_url"])
except RuntimeError:
    log.exception("pin %(pin)s", {"pin": texts["pin"]})
note("a traceback")
log.info("%d mails sent", 17)
note("a message without secrets")
tell(lines)
"""


@pytest.mark.check(
    task="keep",
    points=3,
    needs=["test_secrets_are_not_shown"],
    hint="A record holds a message, its arguments and perhaps an exception. Where do they become "
    "one text?",
)
def test_logs_show_no_secret(solution, rng):
    """What formatter() makes of a log record has *** in the place of secrets."""
    texts, _ = values(rng)
    # Neither the order of the alphabet nor its opposite puts all longer ones first.
    begin, texts["api_key"] = texts["api_key"], texts["api_key"] + texts["pin"]
    texts["database_url"] = f"amqp://mailer:{texts['api_key']}@db/{canary(rng)}"
    lines, printed = drive(solution, LOG, env=env(texts), texts=texts)
    shown = dict(lines)
    for what, text in lines:
        assert leaks(texts, text) == [], f"These secrets can be read in {what}, in the log."
    for what in ("a message", "the arguments of a message", "a traceback"):
        assert "***" in shown[what], f"For {what} the log has {shown[what]!r}. Where is ***?"
    rest = texts["database_url"].rpartition("/")[2]
    left = [text for text in shown.values() if rest in text or begin in text]
    assert left == [], (
        "database_url contains the api_key, which contains the pin. In these texts of the log a "
        "part of a secret is left over. Which of two secrets has to be replaced first?"
    )
    assert "RuntimeError" in shown["a traceback"], "A traceback is missing in the log."
    assert shown["a message without secrets"] == "INFO mailer: 17 mails sent\n", (
        "A message without secrets should be in the log as the format says."
    )
    assert leaks(texts, printed) == [], "Something prints these secrets."


RUN = """
surround(job)
made = module.load({})
child = '''
import json, os, sys
with open("/proc/self/cmdline", "rb") as file:
    cmdline = file.read().decode().split(chr(0))
given = sys.stdin.read()
print(json.dumps([dict(os.environ), cmdline, given]))
sys.exit(3 if given else 0)
'''
told = []
for secret in [None, *job["secrets"]]:
    argv = [sys.executable, "-c", child, "argument"]
    told.append(json.loads(made.run(argv, secret=secret) if secret else made.run(argv)))
tell([told, dict(os.environ), argv])
"""


@pytest.mark.check(
    task="keep",
    points=3,
    seconds=30,
    needs=["test_secrets_are_not_shown"],
    hint="subprocess gives a program the whole environment, unless it is given another one (env=). "
    "What a program is to read on its standard input, subprocess.run takes as input=.",
)
def test_programs_get_one_secret_at_most(solution, rng):
    """run() hands over the secret on standard input, and nothing in environment or command line."""
    texts, _ = values(rng)
    given = {**env(texts), "OTHER": str(rng.randrange(1000)), "MAILER_PIN_FILE": "none"}
    (told, own, argv), _ = drive(solution, RUN, env=given, secrets=SECRETS)
    kept = {name: text for name, text in own.items() if not name.startswith("MAILER_")}
    for name, (environment, cmdline, stdin) in zip([None, *SECRETS], told, strict=True):
        about = f"run(argv, secret={name!r})"
        assert leaks(texts, json.dumps(environment)) == [], (
            f"{about}: these secrets are in the environment of the program."
        )
        left = sorted(each for each in environment if each.startswith("MAILER_"))
        assert left == [], f"{about}: these variables are in the environment of the program."
        lost = sorted(each for each in kept if environment.get(each) != kept[each])
        assert lost == [], f"{about}: these variables of the mailer are missing in the program."
        assert cmdline[: len(argv)] == argv, f"{about}: this is the command line of the program."
        assert leaks(texts, " ".join(cmdline)) == [], f"{about}: these are in the command line."
        expected = texts[name] if name else ""
        assert stdin.strip() == expected, f"{about}: this is what came on standard input."


# 4. Change secrets while it runs

ROTATE = """
import io, logging

surround(job)
made = module.load({})
before = {name: plain(getattr(made, name)) for name in job["secrets"]}
formatter = made.formatter("%(message)s") if job["log"] else None
told = [before]
for number, step in enumerate(job["steps"]):
    for path, text in step.items():
        stamp = os.stat(path) if os.path.exists(path) else None
        if text is None:
            os.remove(path)
            continue
        with open(path + ".new", "w") as file:
            file.write(text)
        if stamp is not None:
            os.utime(path + ".new", ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
        os.replace(path + ".new", path)
    if formatter is None or number < len(job["steps"]) - 1:
        told.append({name: plain(getattr(made, name)) for name in job["secrets"]})
record = logging.LogRecord("mailer", 20, "", 0, " and ".join(job["log"]), (), None)
tell([told, formatter and formatter.format(record), repr(made)])
"""


def rotation(solution, rng, *steps, logged=False):
    """Load with secrets in files, change the files step by step; what reveal() gave each time.

    With `logged`, all values are written to a log at the end, by a formatter made at the beginning;
    nobody asks for those of the last step before that.
    """
    texts, _ = values(rng)
    paths = {name: f"secret-{name}" for name in SECRETS}
    surroundings = {f"MAILER_{name.upper()}_FILE": path for name, path in paths.items()}
    surroundings["MAILER_SENDER"] = texts["sender"]
    files = {path: texts[name] + "\n" for name, path in paths.items()}
    steps = [{paths[name]: text for name, text in step.items()} for step in steps]
    log = [texts["api_key"], texts["pin"]]
    log += [text.strip() for step in steps for text in step.values() if text]
    log = log if logged else []
    told, _ = drive(
        solution, ROTATE, env=surroundings, files=files, steps=steps, secrets=SECRETS, log=log
    )
    return texts, log, told


@pytest.mark.check(task="change", points=3)
def test_new_values_are_seen(solution, rng):
    """reveal() returns the new value of a file at once, also when size and date are the same."""
    first, second = canary(rng), canary(rng)
    pin = str(rng.randrange(10**11, 10**12))
    texts, _, (told, _, _) = rotation(
        solution, rng, {"api_key": first + "\n"}, {"api_key": second + "\n", "pin": pin + "\n"}
    )
    keys = [each.get("api_key") for each in told]
    assert keys == [texts["api_key"], first, second], (
        "The file of api_key was replaced twice. This is what reveal() returned before, after the "
        "first and after the second time."
    )
    pins = [each.get("pin") for each in told]
    assert pins == [int(texts["pin"]), int(texts["pin"]), int(pin)], (
        "The file of the pin was replaced the second time. This is what reveal() returned."
    )


@pytest.mark.check(task="change", points=2, needs=["test_new_values_are_seen"])
def test_last_right_value_holds(solution, rng):
    """While the file is missing, empty or wrong, the last right value holds."""
    second, third = canary(rng), canary(rng)
    texts, _, (told, _, _) = rotation(
        solution,
        rng,
        {"api_key": None, "pin": ""},
        {"api_key": second, "pin": "12"},
        {"api_key": " \n", "pin": "no number"},
        {"api_key": "too short", "pin": None},
        {"api_key": third},
    )
    keys = [each.get("api_key") for each in told]
    first = texts["api_key"]
    assert keys == [first, first, second, second, second, third], (
        "The file of api_key was right, then gone, right again, empty, too short, and right again. "
        "This is what reveal() returned each time."
    )
    pins = [each.get("pin") for each in told]
    pin = int(texts["pin"])
    assert pins == [pin, pin, 12, 12, 12, 12], (
        "The file of the pin was right, then empty, 12, no number, gone, and still gone. This is "
        "what reveal() returned each time."
    )


@pytest.mark.check(
    task="change", points=2, needs=["test_new_values_are_seen", "test_logs_show_no_secret"]
)
def test_old_values_stay_secret(solution, rng):
    """After a change, the old values are still *** in the log, and so are the new ones."""
    steps = [{"api_key": canary(rng)}, {"api_key": canary(rng), "database_url": canary(rng)}]
    steps.append({"api_key": canary(rng)})
    _, log, (_, line, shown) = rotation(solution, rng, *steps, logged=True)
    found = [text for text in log if text in line]
    assert found == [], (
        "These were secrets at some time since load, and can be read in a log line. Its formatter "
        "was made before the files changed, and the last change is so new that nobody has called "
        "reveal() since."
    )
    assert [text for text in log if text in shown] == [], "repr(settings) shows secrets."
