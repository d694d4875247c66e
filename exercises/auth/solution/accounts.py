"""Accounts: who somebody is stands in a signed token, what he may do stands in the database."""

import hashlib
import os
import secrets
import time
import uuid
from contextlib import asynccontextmanager
from typing import Annotated, Any, Literal

import jwt
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from fastapi import Depends, FastAPI, Header, HTTPException, Path, Response
from psycopg.errors import UniqueViolation
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool
from pydantic import BaseModel, ConfigDict, Field

ISSUER = "accounts"
ALGORITHM = "ES256"
SIGNING_KEY = load_pem_private_key(os.environ["SIGNING_KEY"].encode(), password=None)
PUBLIC_KEY = SIGNING_KEY.public_key()
ACCESS_SECONDS = int(os.environ["ACCESS_SECONDS"])
REFRESH_SECONDS = int(os.environ["REFRESH_SECONDS"])
LOGIN_FAILURES = int(os.environ["LOGIN_FAILURES"])
WINDOW_SECONDS = int(os.environ["WINDOW_SECONDS"])

hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
NOBODYS_HASH = hasher.hash(secrets.token_hex())
"""What a password is compared with when there is no such user: the answer takes as long."""

pool = ConnectionPool(
    os.environ["DATABASE_URL"],
    min_size=1,
    max_size=8,
    kwargs={"row_factory": dict_row},
    open=False,
)


@asynccontextmanager
async def lifespan(_):
    with pool:
        yield


app = FastAPI(lifespan=lifespan)


NO_NUL = r"^[^\x00]*$"
"""PostgreSQL stores every character but this one."""


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Credentials(Closed):
    name: str = Field(pattern=r"^[a-z0-9-]{1,30}$")
    password: str = Field(pattern=r"^[ -~]{12,64}$")


class Attempt(Closed):
    name: str = Field(pattern=NO_NUL)
    password: str


class Refresh(Closed):
    refresh_token: str


class NewNote(Closed):
    text: str = Field(pattern=NO_NUL)


class Role(Closed):
    role: Literal["member", "admin"]


Id = Annotated[int, Path(ge=0, lt=2**63)]
USER = "SELECT id, name, role FROM users WHERE id = %s"

# -- tokens ------------------------------------------------------------------------------------


def token_hash(token: str) -> str:
    # The token is long and random: nobody guesses it, so a fast hash is enough.
    return hashlib.sha256(token.encode()).hexdigest()


def issue(connection, user_id: int, family: uuid.UUID, response: Response) -> dict[str, Any]:
    refresh_token, now = secrets.token_urlsafe(32), int(time.time())
    insert = """
    INSERT INTO refresh_tokens (token_hash, family, user_id, expires_at)
    VALUES (%s, %s, %s, now() + make_interval(secs => %s))
    """
    connection.execute(insert, (token_hash(refresh_token), family, user_id, REFRESH_SECONDS))
    claims = {"iss": ISSUER, "sub": str(user_id), "iat": now, "exp": now + ACCESS_SECONDS}
    response.headers["Cache-Control"] = "no-store"
    return {
        "access_token": jwt.encode(claims, SIGNING_KEY, algorithm=ALGORITHM),
        "refresh_token": refresh_token,
        "token_type": "bearer",
        "expires_in": ACCESS_SECONDS,
    }


def unauthorized() -> HTTPException:
    return HTTPException(401, "log in first", headers={"WWW-Authenticate": "Bearer"})


def current_user(authorization: Annotated[str, Header()] = "") -> dict[str, Any]:
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer":
        raise unauthorized()
    try:
        claims = jwt.decode(
            token,
            PUBLIC_KEY,
            algorithms=[ALGORITHM],  # never what the token itself says
            issuer=ISSUER,
            options={"require": ["exp", "iss", "sub"]},
        )
    except jwt.InvalidTokenError:
        raise unauthorized() from None
    with pool.connection() as connection:
        user = connection.execute(USER, (int(claims["sub"]),)).fetchone()
    if user is None:
        raise unauthorized()
    return user


def admin(user: Annotated[dict[str, Any], Depends(current_user)]) -> dict[str, Any]:
    if user["role"] != "admin":
        raise HTTPException(403, "only for admins")
    return user


User = Annotated[dict[str, Any], Depends(current_user)]
Admin = Annotated[dict[str, Any], Depends(admin)]

# -- accounts ----------------------------------------------------------------------------------


@app.post("/signup", status_code=201)
def sign_up(new: Credentials):
    insert = """
    INSERT INTO users (name, password_hash) VALUES (%s, %s) RETURNING id, name, role
    """
    try:
        with pool.connection() as connection:
            return connection.execute(insert, (new.name, hasher.hash(new.password))).fetchone()
    except UniqueViolation:
        raise HTTPException(409, "this name is taken") from None


@app.post("/login")
def log_in(attempt: Attempt, response: Response):
    note_attempt(attempt.name)
    with pool.connection() as connection:
        select = "SELECT id, password_hash FROM users WHERE name = %s"
        user = connection.execute(select, (attempt.name,)).fetchone()
    try:
        hasher.verify(user["password_hash"] if user else NOBODYS_HASH, attempt.password)
    except VerifyMismatchError:
        raise HTTPException(401, "name or password is wrong") from None
    with pool.connection() as connection:
        connection.execute("DELETE FROM failed_logins WHERE name = %s", (attempt.name,))
        return issue(connection, user["id"], uuid.uuid4(), response)


def note_attempt(name: str) -> None:
    """Counts each attempt as failed before it is looked at: many at once must not all pass."""
    with pool.connection() as connection:
        connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (name,))
        count = """
        SELECT count(*) AS failures FROM failed_logins
        WHERE name = %s AND at > now() - make_interval(secs => %s)
        """
        failures = connection.execute(count, (name, WINDOW_SECONDS)).fetchone()["failures"]
        if failures >= LOGIN_FAILURES:
            again = {"Retry-After": str(WINDOW_SECONDS)}
            raise HTTPException(429, "too many attempts", headers=again)
        connection.execute("INSERT INTO failed_logins (name) VALUES (%s)", (name,))


@app.post("/refresh")
def refresh(given: Refresh, response: Response):
    take = """
    UPDATE refresh_tokens SET used = true
    WHERE token_hash = %s AND NOT used AND expires_at > now() RETURNING family, user_id
    """
    hashed = token_hash(given.refresh_token)
    with pool.connection() as connection:
        row = connection.execute(take, (hashed,)).fetchone()
        if row is not None:
            return issue(connection, row["user_id"], row["family"], response)
        revoke(connection, hashed)
    raise unauthorized()


def revoke(connection, hashed: str) -> None:
    """Ends the session that a token belongs to, whichever of its tokens that is."""
    delete = """
    DELETE FROM refresh_tokens WHERE family =
        (SELECT family FROM refresh_tokens WHERE token_hash = %s)
    """
    connection.execute(delete, (hashed,))


@app.post("/logout", status_code=204)
def log_out(given: Refresh) -> None:
    with pool.connection() as connection:
        revoke(connection, token_hash(given.refresh_token))


@app.get("/me")
def me(user: User):
    return user


@app.put("/users/{user_id}/role")
def change_role(user_id: Id, new: Role, _: Admin):
    update = "UPDATE users SET role = %s WHERE id = %s RETURNING id, name, role"
    with pool.connection() as connection:
        user = connection.execute(update, (new.role, user_id)).fetchone()
    if user is None:
        raise HTTPException(404, "there is no such user")
    return user


# -- notes -------------------------------------------------------------------------------------


@app.post("/notes", status_code=201)
def add_note(new: NewNote, user: User):
    insert = "INSERT INTO notes (user_id, text) VALUES (%s, %s) RETURNING id, text"
    with pool.connection() as connection:
        return connection.execute(insert, (user["id"], new.text)).fetchone()


@app.get("/notes")
def list_notes(user: User):
    select = "SELECT id, text FROM notes WHERE user_id = %s ORDER BY id"
    with pool.connection() as connection:
        return connection.execute(select, (user["id"],)).fetchall()


@app.get("/notes/{note_id}")
def get_note(note_id: Id, user: User):
    select = "SELECT id, text FROM notes WHERE id = %s AND (user_id = %s OR %s)"
    with pool.connection() as connection:
        row = connection.execute(select, (note_id, user["id"], user["role"] == "admin")).fetchone()
    if row is None:
        raise HTTPException(404, "there is no such note")
    return row


@app.delete("/notes/{note_id}", status_code=204)
def delete_note(note_id: Id, user: User) -> None:
    delete = "DELETE FROM notes WHERE id = %s AND user_id = %s"
    with pool.connection() as connection:
        if connection.execute(delete, (note_id, user["id"])).rowcount == 0:
            raise HTTPException(404, "there is no such note")
