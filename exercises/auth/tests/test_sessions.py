"""Hidden tests of auth, tasks 4 to 6: sessions, roles, and those who guess passwords."""

import pytest
from people import (
    LOGIN_FAILURES,
    REFRESH_SECONDS,
    WINDOW_SECONDS,
    Person,
    ask,
    log_in,
    make_admin,
    new_name,
    new_password,
    note_by,
    refresh,
    refreshed,
    status_of,
    stored_texts,
    value_of,
)

pytestmark = pytest.mark.keep
GUESSES = 8


@pytest.fixture
def person(service, rng):
    return Person(service, rng).log_in()


# 4. Refresh once


@pytest.mark.check(task="refresh", points=2, seconds=30)
def test_refresh_gives_new_tokens(service, key, person):
    """A refresh token gives new tokens, once."""
    old = person.tokens
    new = refreshed(service, old["refresh_token"])
    assert key.claims(new["access_token"]).get("sub") == str(person.id), (
        "The new access token should be about the same user."
    )
    got = ask(service, new["access_token"], "GET", "/me").status_code
    assert got == 200, "GET /me with the new access token should answer 200."
    if new["refresh_token"] == old["refresh_token"]:
        pytest.fail("The new refresh token is the old one. Each is used once.")
    newest = refreshed(service, new["refresh_token"])
    assert key.claims(newest["access_token"]).get("sub") == str(person.id), (
        "The second refresh should be for the same user, too."
    )
    for wrong in (f"{newest['refresh_token']}x", "", person.tokens["access_token"]):
        got = refresh(service, wrong).status_code
        assert got == 401, "POST /refresh with what is no refresh token should get 401."


@pytest.mark.check(
    task="refresh",
    points=3,
    seconds=30,
    needs=["test_refresh_gives_new_tokens"],
    hint="A refresh token comes a second time. Which of the two was the thief?",
)
def test_reuse_ends_the_session(service, person):
    """A refresh token that comes twice ends the whole session."""
    first = person.tokens["refresh_token"]
    other = person.log_in().tokens["refresh_token"]
    second = refreshed(service, first)["refresh_token"]
    third = refreshed(service, second)["refresh_token"]
    got = refresh(service, first).status_code
    assert got == 401, "A refresh token that was used already should get 401."
    got = refresh(service, third).status_code
    assert got == 401, (
        "An old refresh token of this session came again, so somebody has stolen one. The newest "
        "one should be refused as well: nobody knows who holds it."
    )
    got = refresh(service, other).status_code
    assert got == 200, "Another session of the same user goes on: nothing of it was stolen."


@pytest.mark.check(
    task="refresh",
    points=2,
    seconds=30,
    needs=["test_refresh_gives_new_tokens"],
    hint="Between the look whether it was used and the note that it is, who else may look?",
)
def test_refresh_at_the_same_moment(service, postgres, person, together):
    """Of many that use a refresh token at the same moment, one succeeds."""
    token = person.tokens["refresh_token"]
    with postgres.locked("LOCK TABLE refresh_tokens IN EXCLUSIVE MODE"):
        calls = [together.start(status_of, refresh, service, token) for _ in range(4)]
        postgres.wait_blocked(2, *calls)
    got = sorted(call.result() for call in calls)
    assert got == [200, 401, 401, 401], (
        "Four requests with the same refresh token came at the same moment. One should get new "
        "tokens, and the others 401."
    )


@pytest.mark.check(task="refresh", points=1, seconds=30, needs=["test_refresh_gives_new_tokens"])
def test_refresh_tokens_expire(service, postgres, person):
    """A refresh token lives for REFRESH_SECONDS."""
    token = person.tokens["refresh_token"]
    _pass_time(postgres, REFRESH_SECONDS - 60)
    token = refreshed(service, token)["refresh_token"]
    _pass_time(postgres, REFRESH_SECONDS + 60)
    got = refresh(service, token).status_code
    assert got == 401, (
        f"A refresh token was made, and {REFRESH_SECONDS + 60} seconds went by: expires_at was "
        "moved back by so much. It should get 401."
    )


def _pass_time(postgres, seconds):
    postgres.execute(
        "UPDATE refresh_tokens SET expires_at = expires_at - make_interval(secs => %s)", (seconds,)
    )


@pytest.mark.check(task="refresh", points=1, seconds=30, needs=["test_refresh_gives_new_tokens"])
def test_log_out(service, person):
    """Logging out ends this session, and no other."""
    old, other = person.tokens["refresh_token"], person.log_in().tokens["refresh_token"]
    new = refreshed(service, old)["refresh_token"]
    for token in (new, "no-such-token"):
        got = service.http.post("/logout", json={"refresh_token": token}).status_code
        assert got == 204, "POST /logout should answer 204, whatever the token."
    got = refresh(service, new).status_code
    assert got == 401, "After POST /logout, the refresh token should get 401."
    got = refresh(service, other).status_code
    assert got == 200, "One of two sessions was logged out. The other one should go on."


@pytest.mark.check(
    task="refresh",
    points=2,
    seconds=30,
    needs=["test_refresh_gives_new_tokens"],
    hint="What does somebody have who has a copy of your tables, or of your log?",
)
def test_no_secret_is_kept(service, postgres, person):
    """Neither tables nor logs hold a password or a token."""
    before = person.tokens
    after = refreshed(service, before["refresh_token"])
    log_in(service, person.name, f"{person.password}!")
    secrets = {"the password": person.password, "a wrong password": f"{person.password}!"}
    for number, tokens in enumerate((before, after), 1):
        secrets[f"refresh token {number}"] = tokens["refresh_token"]
        secrets[f"access token {number}"] = tokens["access_token"]
    places = {"a table": stored_texts(postgres), "what the service printed": service.logs()}
    for place, text in places.items():
        found = [what for what, secret in secrets.items() if secret in text]
        assert found == [], f"This can be read in {place}."


# 5. Everybody sees his own


@pytest.mark.check(
    task="roles",
    points=3,
    seconds=30,
    hint="The number in the address comes from outside. Whose is it?",
)
def test_notes_are_private(service, person, postgres, rng):
    """Nobody sees, lists or deletes notes of somebody else."""
    stranger = Person(service, rng).log_in()
    texts = [f"{new_name(rng)}: {new_password(rng)}" for _ in range(3)]
    paths = [note_by(person, text) for text in texts]
    note_by(stranger, "mine")
    answer = person.ask("GET", paths[1])
    assert answer.status_code == 200, "Everybody may read his own notes."
    note_id = int(paths[1].rpartition("/")[2])
    assert value_of(answer) == {"id": note_id, "text": texts[1]}, (
        "GET of a note should answer with its id and its text."
    )
    for key in (2**63, 10**30, -(10**30), "first"):
        got = person.ask("GET", f"/notes/{key}").status_code
        assert got in (404, 422), f"{key} cannot be the number of a note."
    got = person.ask("POST", "/notes", json={"text": "a\0b"}).status_code
    assert got == 422, "PostgreSQL stores no NUL, so a note with one in it should get 422."
    missing = f"/notes/{10**12}"
    for method in ("GET", "DELETE"):
        theirs = stranger.ask(method, paths[1])
        nobodys = stranger.ask(method, missing)
        got = [theirs.status_code, nobodys.status_code]
        assert got == [404, 404], (
            f"{method} of a note of somebody else, and of one that does not exist, should both get "
            "404. With another status, everybody can count the notes."
        )
        assert theirs.content == nobodys.content, (
            f"{method} of a note of somebody else has another body than that of a missing one."
        )
    got = [each.get("text") for each in value_of(person.ask("GET", "/notes"))]
    assert sorted(got) == sorted(texts), (
        "GET /notes should list all notes of this user, and no other."
    )
    got = person.ask("DELETE", paths[0]).status_code
    assert got == 204, "Everybody may delete his own notes."
    got = person.ask("GET", paths[0]).status_code
    assert got == 404, "A note that was deleted should get 404."
    got = postgres.value("SELECT count(*) FROM notes WHERE user_id = %s", (person.id,))
    assert got == 2, "One of three notes was deleted by its owner. This many are left."


@pytest.mark.check(task="roles", points=3, seconds=30, needs=["test_notes_are_private"])
def test_admins(service, person, postgres, rng):
    """Admins read all notes and give roles; members do not."""
    boss = Person(service, rng).log_in()
    path = note_by(person, "a note")
    role = {"role": "admin"}
    for somebody in (person, boss):
        got = somebody.ask("PUT", f"/users/{person.id}/role", json=role).status_code
        assert got == 403, "A member may give a role to nobody. It should get 403."
    make_admin(postgres, boss)
    got = boss.ask("GET", path).status_code
    assert got == 200, "An admin may read every note."
    got = boss.ask("DELETE", path).status_code
    assert got == 404, "An admin may read the notes of others, and not delete them."
    answer = boss.ask("PUT", f"/users/{person.id}/role", json=role)
    assert answer.status_code == 200, "An admin may give a role."
    assert value_of(answer) == {"id": person.id, "name": person.name, "role": "admin"}, (
        "The answer to PUT /users/{id}/role should be the user with the new role."
    )
    got = person.ask("GET", "/me").json().get("role")
    assert got == "admin", "GET /me should show the new role."
    got = boss.ask("PUT", f"/users/{10**12}/role", json=role).status_code
    assert got == 404, "A role for a user that does not exist should get 404."
    got = boss.ask("PUT", f"/users/{person.id}/role", json={"role": "king"}).status_code
    assert got == 422, "There is no such role. It should get 422."


@pytest.mark.check(
    task="roles",
    points=2,
    seconds=30,
    needs=["test_admins"],
    hint="For how long is a token right about the role of its owner?",
)
def test_role_is_gone_at_once(service, person, postgres, rng):
    """An admin who is one no longer can do nothing with the old token."""
    other = Person(service, rng).log_in()
    path = note_by(other, "a note")
    make_admin(postgres, person)
    person.log_in()
    role, member = f"/users/{other.id}/role", {"role": "member"}
    got = person.ask("PUT", role, json=member).status_code
    assert got == 200, "An admin may give a role."
    postgres.execute("UPDATE users SET role = 'member' WHERE id = %s", (person.id,))
    got = [person.ask("GET", path).status_code, person.ask("PUT", role, json=member).status_code]
    assert got == [404, 403], (
        "The role was taken away after the token had been made. These are the answers to reading "
        "somebody else's note and to giving a role."
    )


# 6. Slow down those who guess


@pytest.mark.check(task="guessing", points=3, seconds=30)
def test_too_many_failures(service, postgres, rng):
    """After LOGIN_FAILURES wrong passwords nobody logs in by that name for a while."""
    person, other = Person(service, rng), Person(service, rng)
    got = [
        log_in(service, person.name, new_password(rng)).status_code for _ in range(LOGIN_FAILURES)
    ]
    assert got == [401] * LOGIN_FAILURES, (
        f"The first {LOGIN_FAILURES} wrong passwords should get 401."
    )
    answer = log_in(service, person.name, new_password(rng))
    assert answer.status_code == 429, f"After {LOGIN_FAILURES} wrong passwords, the next gets 429."
    again = answer.headers.get("Retry-After", "")
    if not (again.isdigit() and 1 <= int(again) <= WINDOW_SECONDS):
        pytest.fail(f"Retry-After should be a number of seconds from 1 to {WINDOW_SECONDS}.")
    got = log_in(service, person.name, person.password).status_code
    assert got == 429, "The right password gets 429, too. Otherwise guessing still works."
    got = log_in(service, other.name, other.password).status_code
    assert got == 200, "Somebody guessed at another name. This one should be able to log in."
    age = "UPDATE failed_logins SET at = at - make_interval(secs => %s)"
    postgres.execute(age, (WINDOW_SECONDS - 20,))
    got = log_in(service, person.name, person.password).status_code
    assert got == 429, f"Less than {WINDOW_SECONDS} seconds went by. It should still get 429."
    postgres.execute(age, (25,))
    got = log_in(service, person.name, person.password).status_code
    assert got == 200, (
        f"More than {WINDOW_SECONDS} seconds went by: the times in failed_logins were moved back. "
        "The right password should work again."
    )


@pytest.mark.check(task="guessing", points=1, seconds=30, needs=["test_too_many_failures"])
def test_right_passwords_are_no_failures(service, rng):
    """Whoever knows the password may log in again and again."""
    person = Person(service, rng)
    log_in(service, person.name, new_password(rng))
    got = [
        log_in(service, person.name, person.password).status_code for _ in range(LOGIN_FAILURES + 1)
    ]
    assert got == [200] * (LOGIN_FAILURES + 1), (
        "One wrong password, and then the right one again and again: it should work each time."
    )


@pytest.mark.check(task="guessing", points=1, seconds=30, needs=["test_too_many_failures"])
def test_unknown_names_are_counted_too(service, rng):
    """A name that nobody has gets 429 after as many failures."""
    name = new_name(rng)
    got = [log_in(service, name, new_password(rng)).status_code for _ in range(LOGIN_FAILURES + 1)]
    assert got == [401] * LOGIN_FAILURES + [429], (
        "Nobody has this name. If it is treated in another way than the others, anybody can find "
        "out who has an account here."
    )


@pytest.mark.check(
    task="guessing",
    points=2,
    seconds=30,
    needs=["test_too_many_failures"],
    hint="Between the count of the failures and the next failure, how many others are counting?",
)
def test_many_guesses_at_once(service, postgres, rng, together):
    """Many guesses at the same moment are no way around."""
    person = Person(service, rng)
    guesses = [new_password(rng) for _ in range(GUESSES)]
    with postgres.locked("LOCK TABLE failed_logins IN EXCLUSIVE MODE"):
        calls = [together.start(status_of, log_in, service, person.name, each) for each in guesses]
        postgres.wait_blocked(1, *calls)
        for _ in range(60):  # whole requests, in which the service can begin with the others
            service.http.get("/me")
    got = sorted(call.result() for call in calls)
    expected = [401] * LOGIN_FAILURES + [429] * (GUESSES - LOGIN_FAILURES)
    assert got == expected, (
        f"{GUESSES} guesses came at the same moment. No more than {LOGIN_FAILURES} passwords "
        "should be looked at, and the others get 429."
    )
