"""Hidden tests of auth, tasks 1 to 3: signing up, logging in, and tokens that somebody forged."""

import re
import time

import argon2
import bcrypt
import pytest
from forge import Key, signature_of, unsigned, with_hmac
from people import (
    ACCESS_SECONDS,
    Person,
    ask,
    log_in,
    new_name,
    new_password,
    status_of,
    tokens_in,
    value_of,
)

pytestmark = pytest.mark.keep
WEAKEST = {"m": 19_456, "t": 2, "p": 1}


# 1. Sign up


@pytest.mark.check(
    task="sign-up",
    points=2,
    seconds=30,
    hint="What does RETURNING give back, and what does the database say to a name that is taken?",
)
def test_sign_up(service, postgres, rng):
    """Whoever signs up becomes a member."""
    name, password = new_name(rng), new_password(rng)
    answer = service.http.post("/signup", json={"name": name, "password": password})
    assert answer.status_code == 201, "POST /signup with a free name should answer 201."
    got = value_of(answer)
    user_id = got.get("id") if isinstance(got, dict) else None
    assert got == {"id": user_id, "name": name, "role": "member"}, (
        "The answer should be the user: id, name and role, and nothing else."
    )
    rows = postgres.rows("SELECT id, name, role FROM users WHERE name = %s", (name,))
    assert rows == [got], "The user should be in the table users."
    again = {"name": name, "password": new_password(rng)}
    got = service.http.post("/signup", json=again).status_code
    assert got == 409, "Signing up with a name that is taken should get 409."


def _weakness(text, password):
    """What is wrong with a stored hash; None when nothing is."""
    found = re.fullmatch(r"\$argon2id\$v=19\$([mtp=,0-9]+)\$[^$]+\$[^$]+", text)
    if found:
        given = dict(part.split("=") for part in found[1].split(","))
        weak = [name for name, least in WEAKEST.items() if int(given.get(name, 0)) < least]
        if weak:
            return f"has smaller numbers than m={WEAKEST['m']}, t=2, p=1: {found[1]}"
        try:
            argon2.PasswordHasher().verify(text, password)
        except argon2.exceptions.VerificationError:
            return "looks like argon2id, and is not that of the password"
        return None
    found = re.fullmatch(r"\$2[aby]\$(\d\d)\$.{53}", text)
    if found:
        if not 10 <= int(found[1]) <= 14:
            return f"has the cost {found[1]}; it should be from 10 to 14"
        if not bcrypt.checkpw(password.encode(), text.encode()):
            return "looks like bcrypt, and is not that of the password"
        return None
    return "is neither one of argon2id nor one of bcrypt"


@pytest.mark.check(
    task="sign-up",
    points=3,
    seconds=30,
    needs=["test_sign_up"],
    hint="How many passwords can somebody try in a second who has your table?",
)
def test_slow_salted_hash(service, postgres, rng):
    """The database holds a slow, salted hash of the password."""
    first, second = Person(service, rng), Person(service, rng)
    twin = {"name": new_name(rng), "password": first.password}
    service.http.post("/signup", json=twin)
    rows = postgres.rows("SELECT name, password_hash FROM users")
    hashes = {row["name"]: row["password_hash"][:500] for row in rows}
    for person in (first, second):
        wrong = _weakness(hashes[person.name], person.password)
        if wrong is not None:
            pytest.fail(
                f"password_hash {wrong}. Whoever gets the table should need years for one password."
            )
    assert hashes[twin["name"]] != hashes[first.name], (
        "Two users have the same password, and the same hash. A salt of its own for each hides it."
    )
    postgres.execute(
        "UPDATE users SET password_hash = %s WHERE id = %s", (hashes[first.name], second.id)
    )
    got = [log_in(service, second.name, each.password).status_code for each in (first, second)]
    assert got == [200, 401], (
        "The hash of one user was written over that of another one, who now has the first one's "
        "password. These are the answers to logging in with that one, and with the old one."
    )


WRONG = {
    "short-password": {"password": "eleven-char"},
    "long-password": {"password": "x" * 65},
    "password-in-greek": {"password": "κωδικός πρόσβασης"},
    "password-missing": {"password": None},
    "empty-name": {"name": ""},
    "long-name": {"name": "x" * 31},
    "name-in-capitals": {"name": "Ada-1"},
    "name-with-a-newline": {"name": "ada\n"},
    "makes-itself-admin": {"role": "admin"},
    "chooses-its-id": {"id": 1},
}


@pytest.mark.check(task="sign-up", points=1, seconds=30, needs=["test_sign_up"])
def test_wrong_sign_ups_are_refused(service, postgres, rng):
    """Who chooses a short password, or a role, gets 422."""
    right = {"name": new_name(rng), "password": new_password(rng)}
    got = {
        what: service.http.post("/signup", json={**right, **wrong}).status_code
        for what, wrong in WRONG.items()
    }
    assert got == dict.fromkeys(got, 422), "Each of these sign-ups should get 422."
    rows = postgres.rows("SELECT name, role FROM users WHERE name = %s", (right["name"],))
    assert rows == [], "A sign-up got 422, and the user is there all the same."


# 2. Log in


@pytest.mark.check(task="log-in", points=3, seconds=30, needs=["test_sign_up"])
def test_log_in(service, key, rng):
    """Logging in gives tokens, which say who it is."""
    person = Person(service, rng)
    before = int(time.time())
    answer = log_in(service, person.name, person.password)
    assert answer.status_code == 200, "POST /login with the right password should answer 200."
    assert answer.headers.get("Cache-Control") == "no-store", (
        "An answer with tokens should forbid in Cache-Control to keep it."
    )
    tokens = tokens_in(answer)
    got = {name: value for name, value in tokens.items() if not name.endswith("h_token")}
    got.pop("access_token", None)
    expected = {"token_type": "bearer", "expires_in": ACCESS_SECONDS}
    assert got == expected, "This should be in the answer beside access_token and refresh_token."
    claims = key.claims(tokens["access_token"])
    got = {name: claims.get(name) for name in ("iss", "sub")}
    assert got == {"iss": "accounts", "sub": str(person.id)}, (
        "The access token should say who made it and whom it is about."
    )
    times = [claims.get("iat"), claims.get("exp")]
    if not all(type(moment) is int for moment in times):
        pytest.fail("iat and exp should be integers, seconds since 1970.")
    assert times[1] - times[0] == ACCESS_SECONDS, "A token is valid for ACCESS_SECONDS from iat on."
    if not before - 5 <= times[0] <= time.time() + 5:
        pytest.fail("iat should be the moment at which the token was made.")
    answer = ask(service, tokens["access_token"], "GET", "/me")
    assert answer.status_code == 200, "GET /me with the access token should answer 200."
    assert value_of(answer) == {"id": person.id, "name": person.name, "role": "member"}, (
        "GET /me should answer with the user."
    )


@pytest.mark.check(
    task="log-in",
    points=2,
    seconds=30,
    needs=["test_log_in"],
    hint="Compare the two answers byte by byte.",
)
def test_wrong_log_ins_look_alike(service, rng):
    """A wrong password and an unknown name get the same answer."""
    person = Person(service, rng)
    known = log_in(service, person.name, new_password(rng))
    unknown = log_in(service, new_name(rng), new_password(rng))
    assert known.status_code == 401, "Logging in with a wrong password should get 401."
    for what in (_told, lambda answer: answer.content):
        assert what(unknown) == what(known), (
            "The answers to an unknown name and to a wrong password differ, so anybody can find "
            "out who has an account here."
        )
    got = log_in(service, "a\0b", new_password(rng)).status_code
    assert got in (401, 422), "Nobody has a name with a NUL in it."
    body = known.content.decode(errors="replace")
    for secret in (person.name, person.password):
        if secret in body:
            pytest.fail("The answer to a wrong login repeats what was sent.")


def _told(answer):
    own = ("date", "content-length")
    fields = {name: value for name, value in answer.headers.items() if name.lower() not in own}
    return answer.status_code, fields


# 3. Trust no token


@pytest.fixture
def person(service, rng):
    return Person(service, rng).log_in()


def _refused(service, tokens):
    """Each token is refused with 401."""
    got = {name: status_of(ask, service, token, "GET", "/me") for name, token in tokens.items()}
    wrong = {name: status for name, status in got.items() if status != 401}
    assert wrong == {}, (
        "These tokens are forged: nobody but the service has its key. GET /me should answer 401 to "
        "each, and did not."
    )


@pytest.mark.check(
    task="tokens",
    points=2,
    seconds=30,
    needs=["test_log_in"],
    hint="Who says by which algorithm a token is signed: you, or the token?",
)
def test_unsigned_tokens(service, key, person):
    """A token without a signature is refused."""
    token = person.tokens["access_token"]
    claims = key.claims(token)
    none = {f"alg {alg}": unsigned({"alg": alg}, claims) for alg in ("none", "None", "NONE")}
    _refused(
        service,
        {
            **none,
            "alg none, old signature": unsigned({"alg": "none"}, claims, signature_of(token)),
            "no alg": unsigned({"typ": "JWT"}, claims),
            "ES256, no signature": unsigned({"alg": "ES256", "typ": "JWT"}, claims),
            "two parts": token.rpartition(".")[0],
            "three empty parts": "..",
        },
    )


@pytest.mark.check(
    task="tokens",
    points=3,
    seconds=30,
    needs=["test_log_in"],
    hint="Everybody has your public key. What if it is taken for the secret of an HMAC?",
)
def test_public_key_is_no_secret(service, key, person):
    """A token that is signed with the public key is refused."""
    claims = key.claims(person.tokens["access_token"])
    forms = {
        "PEM": key.public_pem,
        "PEM without its last newline": key.public_pem.strip(),
        "DER": key.public_der,
        "nothing": b"",
    }
    tokens = {
        f"{algorithm} with {name}": with_hmac(algorithm, secret, claims)
        for algorithm in ("HS256", "HS512")
        for name, secret in forms.items()
    }
    tokens["HS256, kid /dev/null"] = with_hmac("HS256", b"", claims, kid="/dev/null")
    _refused(service, tokens)


@pytest.mark.check(
    task="tokens",
    points=3,
    seconds=30,
    needs=["test_log_in"],
    hint="Is anything read from the token before its signature has been verified?",
)
def test_foreign_and_changed_tokens(service, key, person, postgres, rng):
    """A token of another key, or with other claims, is refused."""
    other, token = Person(service, rng), person.tokens["access_token"]
    make_claims = {**key.claims(token), "role": "admin"}
    stranger = Key(f"stranger {rng.random()}")
    changed = {**make_claims, "sub": str(other.id)}
    header = {"alg": "ES256", "typ": "JWT"}
    first, middle, last = token.split(".")
    _refused(
        service,
        {
            "another key": stranger.sign(make_claims),
            "another key, which the token brings": stranger.sign(make_claims, jwk=stranger.jwk),
            "another sub, old signature": unsigned(header, changed, last),
            "a role, old signature": unsigned(header, make_claims, last),
            "signature of zeros": f"{first}.{middle}.{'A' * len(last)}",
        },
    )


@pytest.mark.check(
    task="tokens",
    points=3,
    seconds=30,
    needs=["test_log_in"],
    hint="Which claims does your library look at when nobody tells it to?",
)
def test_outdated_tokens(service, key, person):
    """A token that has expired, or is for somebody else, is refused."""
    claims = key.claims(person.tokens["access_token"])
    got = ask(service, key.sign(claims), "GET", "/me").status_code
    assert got == 200, "A token with the right claims and the right signature should be accepted."
    now = int(time.time())
    wrong = {
        "expired a minute ago": {"exp": now - 60},
        "never expires": {"exp": None},
        "of another issuer": {"iss": "somebody"},
        "of no issuer": {"iss": None},
        "about nobody": {"sub": None},
        "about an unknown user": {"sub": str(10**15)},
    }
    got = {
        name: status_of(ask, service, key.sign({**claims, **changes}), "GET", "/me")
        for name, changes in wrong.items()
    }
    accepted = {name: status for name, status in got.items() if status != 401}
    assert accepted == {}, (
        "These tokens are signed with the right key, and should get 401 from GET /me all the same."
    )


@pytest.mark.check(task="tokens", points=1, seconds=30, needs=["test_log_in"])
def test_only_access_tokens(service, person):
    """Without an access token nothing is answered."""
    token = person.tokens["access_token"]
    fields = {
        "none": None,
        "an empty field": "",
        "another scheme": f"Basic {token}",
        "no scheme": token,
        "a refresh token": f"Bearer {person.tokens['refresh_token']}",
        "more behind it": f"Bearer {token} {token}",
    }
    for path in ("/me", "/notes"):
        for name, field in fields.items():
            headers = {} if field is None else {"Authorization": field}
            answer = service.http.get(path, headers=headers)
            assert answer.status_code == 401, f"GET {path}, Authorization: {name}, should get 401."
            told = answer.headers.get("WWW-Authenticate", "")
            assert told[:6] == "Bearer", "An answer 401 should say in WWW-Authenticate what helps."
    got = service.http.get("/me", headers={"Authorization": f"bearer {token}"}).status_code
    assert got == 200, "The name of a scheme may be written in small letters."
