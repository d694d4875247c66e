"""Hidden tests of tasks 1 and 2."""

import pytest
from mailer import ASCII, NAMES, canary, check_settings, env, load, values

DEFAULTS = {"debug": False, "port": 8080, "hosts": [], "pin": None}
OPTIONAL = list(DEFAULTS)


def required(texts):
    return {name: text for name, text in texts.items() if name not in DEFAULTS}


# 1. Find each setting


@pytest.mark.check(task="find", points=2)
def test_reads_the_environment(solution, rng):
    """Settings come from the environment, with the types of the table."""
    texts, meant = values(rng)
    again, meant_again = values(rng)
    least = {**texts, "port": "1", "api_key": texts["api_key"][:16]}
    full, short, other, low, high = load(
        solution,
        {"env": env(texts)},
        {"env": env(required(texts))},
        {"env": env(again)},
        {"env": env(least)},
        {"env": env({**texts, "port": "65535"})},
    )
    check_settings(full, meant, "Every setting is in the environment.")
    check_settings(short, {**meant, **DEFAULTS}, "Only those without a default are set.")
    check_settings(other, meant_again, "The environment has changed, and load is called again.")
    about = "Port 1 and an api_key of 16 characters are right."
    check_settings(low, {**meant, "port": 1, "api_key": least["api_key"]}, about)
    check_settings(high, {**meant, "port": 65535}, "Port 65535 is right.")


@pytest.mark.check(
    task="find",
    points=2,
    needs=["test_reads_the_environment"],
    hint='What is bool("false") in Python?',
)
def test_booleans(solution, rng):
    """false, no, off and 0 are false, in any case; what is neither is a problem."""
    texts, _ = values(rng)
    words = {"true": True, "yes": True, "on": True, "1": True}
    words |= {"false": False, "no": False, "off": False, "0": False}
    cases, expected = [], {}
    for word, value in words.items():
        for text in (word, word.upper(), word.capitalize()):
            cases.append(text)
            expected[text] = value
    for text in ("falsch", "2", "y", "tru"):
        cases.append(text)
        expected[text] = [("MAILER_DEBUG", "value")]
    told = load(solution, *({"env": env({**texts, "debug": text})} for text in cases))
    got = {
        text: each["debug"] if "debug" in each else each.get("problems")
        for text, each in zip(cases, told, strict=True)
    }
    wrong = {text: value for text, value in got.items() if repr(value) != repr(expected[text])}
    assert wrong == {text: expected[text] for text in wrong}, (
        "MAILER_DEBUG is set to these texts, and this is what debug is, or the problems."
    )


PLACES = ["overrides", "environment", "file", "settings.env"]


def placed(rng, texts, where, number):
    """A case in which each setting has a right text in each of its places."""
    case = {"env": {}, "files": {}, "overrides": {}}
    lines = ["# settings of the mailer", ""]
    for name in NAMES:
        variable = f"MAILER_{name.upper()}"
        for place in where[name]:
            text = texts[name, place]
            if place == "overrides":
                case["overrides"][name] = text
            elif place == "environment":
                case["env"][variable] = text
            elif place == "file":
                path = f"file-{number}-{name}"
                case["env"][f"{variable}_FILE"] = path
                case["files"][path] = text + rng.choice(["", "\n"])
            else:
                lines += [f"{variable}={text}", rng.choice(["", "#MAILER_PORT=none", "  # note"])]
    if len(lines) > 2 or rng.random() < 0.5:
        case["files"]["settings.env"] = "\n".join(lines) + "\n"
    return case


@pytest.mark.check(task="find", points=4, needs=["test_reads_the_environment"])
def test_the_first_place_counts(solution, rng, note):
    """Of several places that have a setting, the first one counts."""
    cases, expected, wheres = [], [], []
    for number in range(16):
        sets = {place: values(rng) for place in PLACES}
        where = {}
        for name in NAMES:
            least = 0 if name in DEFAULTS else 1
            where[name] = rng.sample(PLACES, rng.randint(least, 4))
            if number < len(PLACES):
                where[name] = [PLACES[number]]
        texts = {(name, place): sets[place][0][name] for name in NAMES for place in PLACES}
        cases.append(placed(rng, texts, where, number))
        wheres.append({name: sorted(each, key=PLACES.index) for name, each in where.items()})
        meant = dict(DEFAULTS)
        for name, places in wheres[-1].items():
            if places:
                meant[name] = sets[places[0]][1][name]
        expected.append(meant)
    told = load(solution, *cases)
    for case, where, got, meant in zip(cases, wheres, told, expected, strict=True):
        wrong = [name for name in meant if got.get(name) != meant[name]]
        if wrong:
            note("overrides", case["overrides"])
            note("environment", case["env"])
            note("files", case["files"])
            places = ", ".join(where[wrong[0]]) or "no place"
            about = f"{wrong[0]} is set in: {places}. The first of them counts."
            if "problems" in got:
                assert got["problems"] == [], f"{about} load raises SettingsError with these."
            assert got[wrong[0]] == meant[wrong[0]], about


@pytest.mark.check(task="find", points=2, needs=["test_the_first_place_counts"])
def test_empty_is_not_set(solution, rng):
    """A value of which nothing is left without spaces counts as not set."""
    texts, meant = values(rng)
    nothing = dict.fromkeys(texts, "  ")
    paths = {f"empty-{name}": rng.choice(["", "\n", "  \n"]) for name in NAMES}
    files = {f"MAILER_{name.upper()}_FILE": f"empty-{name}" for name in NAMES}
    lines = "".join(f"{name} = \t{text} \n" for name, text in env(texts).items())
    spaced = {name: f" {text}\n" for name, text in texts.items()}
    told = load(
        solution,
        {"env": env(nothing), "files": {"settings.env": lines}, "overrides": nothing},
        {"env": files, "files": {**paths, "settings.env": lines}},
        {"env": env(texts), "overrides": dict.fromkeys(NAMES)},
        {"env": env(texts), "overrides": dict.fromkeys(NAMES, "")},
        {"env": env(required(texts) | dict.fromkeys(OPTIONAL, ""))},
        {"env": env(spaced)},
    )
    for got, about in zip(
        told,
        (
            "Overrides and environment hold nothing but spaces; everything is in settings.env.",
            "The files hold nothing but spaces and line feeds; everything is in settings.env.",
            "The overrides are None; everything is in the environment.",
            "The overrides are empty; everything is in the environment.",
            "The settings with a default are empty in the environment.",
            "There are spaces and line feeds around all values.",
        ),
        strict=True,
    ):
        expected = {**meant, **DEFAULTS} if "default" in about else meant
        check_settings(got, expected, about)


@pytest.mark.check(
    task="find",
    points=1,
    needs=["test_the_first_place_counts"],
    hint="Which encoding does open() take when it is told none?",
)
def test_files_are_utf_8(solution, rng):
    """Files are read as UTF-8, whatever the language of the machine."""
    texts, meant = values(rng)
    sender = rng.choice(["Jörg", "Zoë", "Łucja", "Ирина"]) + f" <{texts['sender']}>"
    others = env({name: text for name, text in texts.items() if name != "sender"})
    told = load(
        solution,
        {"env": {**others, "MAILER_SENDER_FILE": "name"}, "files": {"name": sender}},
        {"env": others, "files": {"settings.env": f"MAILER_SENDER={sender}\n"}},
        around=ASCII,
    )
    for got, where in zip(told, ("a file of its own", "settings.env"), strict=True):
        about = f"On a machine whose language has only ASCII, sender is in {where}, in UTF-8."
        check_settings(got, {**meant, "sender": sender}, about)


# 2. Report all problems at once


@pytest.mark.check(task="report", points=3, needs=["test_reads_the_environment"])
def test_all_problems_at_once(solution, rng):
    """Everything that is missing or wrong is reported at once."""
    texts, _ = values(rng)
    wrong = {
        "debug": ["perhaps"],
        "port": ["0", "65536", "80a", "8_080", "-80", "+80", "80.0", "\u0668\u0660"],
        "api_key": ["fifteen-letters"],
        "pin": ["12 34", "-1", "1e3", "1_000"],
    }
    cases, expected = [{"env": {}}], [["api_key", "database_url", "sender"]]
    expected = [sorted((f"MAILER_{name.upper()}", "missing") for name in expected[0])]
    for count in (1, 2, 4, 4):
        chosen = {name: rng.choice(wrong[name]) for name in rng.sample(sorted(wrong), count)}
        gone = rng.sample(["sender", "database_url"], rng.randint(0, 2))
        kept = {name: text for name, text in {**texts, **chosen}.items() if name not in gone}
        cases.append({"env": env(kept)})
        problems = [(f"MAILER_{name.upper()}", "value") for name in chosen]
        expected.append(sorted(problems + [(f"MAILER_{name.upper()}", "missing") for name in gone]))
    for name in ("port", "pin"):
        cases += [{"env": env({**texts, name: text})} for text in wrong[name]]
        expected += [[(f"MAILER_{name.upper()}", "value")] for _ in wrong[name]]
    for case, got, right in zip(cases, load(solution, *cases), expected, strict=True):
        assert got.get("problems", "(none: load returned settings)") == right, (
            f"These problems are reported. The environment is {case['env']}."
        )


@pytest.mark.check(task="report", points=1, needs=["test_all_problems_at_once"])
def test_unknown_variables(solution, rng):
    """A variable that looks like a setting and is none is reported."""
    texts, _ = values(rng)
    name = rng.choice(
        ["MAILER_PROT", "MAILER_APIKEY", "MAILER_FILE", "MAILER_SENDER_", "MAILER_pin"]
    )
    told = load(
        solution,
        {"env": {**env(texts), name: "x"}},
        {"env": env(texts), "files": {"settings.env": f"{name}=x\nMAIL_X=y\n"}},
        {"env": {**env(texts), "XMAILER_PORT": "1", "MAIL_PORT": "2"}},
    )
    for got, where in zip(told, ("in the environment", "in settings.env"), strict=False):
        assert got.get("problems") == [(name, "unknown")], f"{name} is {where}: the problems."
    assert "problems" not in told[2], (
        "XMAILER_PORT and MAIL_PORT do not begin with MAILER_, and are nobody's business."
    )


@pytest.mark.check(task="report", points=2, needs=["test_the_first_place_counts"])
def test_files_that_cannot_be_read(solution, rng):
    """A file that cannot be read is a problem, unless an earlier place has the setting."""
    texts, meant = values(rng)
    without = {name: text for name, text in texts.items() if name != "api_key"}
    secret = canary(rng)
    variable = "MAILER_API_KEY_FILE"
    told = load(
        solution,
        {"env": {**env(without), variable: "no-such-file"}},
        {"env": {**env(without), variable: "."}},
        {"env": {**env(without), variable: "latin"}, "files": {"latin": f"{secret}\xe9"}},
        {"env": {**env(without), variable: "gone"}, "overrides": {"api_key": texts["api_key"]}},
        {"env": {**env(texts), variable: "gone"}},
        {"env": {**env(without), variable: "short"}, "files": {"short": "short\n"}},
        {"env": {**env(without), variable: "gone", "MAILER_PIN": "x", "MAILER_PORT": "y"}},
    )
    about = ["is not there", "is a folder", "is not UTF-8 text"]
    for got, what in zip(told, about, strict=False):
        assert got.get("problems") == [(variable, "file")], f"The file of api_key {what}."
    check_settings(told[3], meant, "The file is not there, but api_key is in the overrides.")
    check_settings(told[4], meant, "The file is not there, but api_key is in the environment.")
    assert told[5].get("problems") == [("MAILER_API_KEY", "value")], (
        "The file of api_key holds a text that is too short."
    )
    others = [("MAILER_PIN", "value"), ("MAILER_PORT", "value")]
    assert told[6].get("problems") == [(variable, "file"), *others], (
        "The file of api_key is not there, and pin and port are wrong, too."
    )
