"""Starlette without models, everything async, bcrypt in threads, rows locked by hand."""

import functools
import hashlib
import json
import os
import re
import secrets
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import bcrypt
import jwt
from anyio.to_thread import run_sync
from cryptography.hazmat.primitives import serialization
from psycopg_pool import AsyncConnectionPool
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

env = os.environ
KEY = serialization.load_pem_private_key(env["SIGNING_KEY"].encode(), None)
NAME, PASSWORD = re.compile("[a-z0-9-]{1,30}"), re.compile("[ -~]{12,64}")
DUMMY = bcrypt.hashpw(b"nobody", bcrypt.gensalt(10))
pool = AsyncConnectionPool(env["DATABASE_URL"], min_size=1, max_size=10, open=False)


@asynccontextmanager
async def lifespan(_):
    async with pool:
        yield


async def query(connection, statement, *values):
    cursor = await connection.execute(statement, values)
    return await cursor.fetchone() if cursor.description else None


async def query_once(statement, *values):
    async with pool.connection() as connection:
        return await query(connection, statement, *values)


async def fields(request, **kinds):
    """The values of the body, which has exactly these fields."""
    try:
        body = json.loads(await request.body())
    except ValueError:
        raise HTTPException(422, "this is not JSON") from None
    if not isinstance(body, dict) or body.keys() != kinds.keys():
        raise HTTPException(422, f"these fields are wanted: {', '.join(kinds)}")
    for name, allowed in kinds.items():
        if not isinstance(body[name], str) or not allowed(body[name]):
            raise HTTPException(422, f"{name} is not allowed like this")
    return [body[name] for name in kinds]


def number_in(request):
    text = request.path_params["id"]
    if not re.fullmatch("[0-9]{1,18}", text):
        raise HTTPException(404, "nothing is here")
    return int(text)


def anything(text):
    return "\0" not in text


def nobody():
    return HTTPException(401, "who are you?", {"WWW-Authenticate": 'Bearer realm="notes"'})


def for_users(endpoint):
    @functools.wraps(endpoint)
    async def wrapped(request):
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.casefold() != "bearer":
            raise nobody()
        try:
            claims = jwt.decode(token, KEY.public_key(), algorithms=["ES256"])
        except jwt.PyJWTError:
            raise nobody() from None
        if claims.get("iss") != "accounts" or not {"exp", "sub"} <= claims.keys():
            raise nobody()
        user = await query_once("SELECT id, name, role FROM users WHERE id = %s", claims["sub"])
        if user is None:
            raise nobody()
        return await endpoint(request, *user)

    return wrapped


def as_user(row):
    return dict(zip(("id", "name", "role"), row, strict=True))


async def sign_up(request):
    name, password = await fields(request, name=NAME.fullmatch, password=PASSWORD.fullmatch)
    hashed = await run_sync(bcrypt.hashpw, password.encode(), bcrypt.gensalt(10))
    insert = """
    INSERT INTO users (name, password_hash) VALUES (%s, %s)
    ON CONFLICT (name) DO NOTHING RETURNING id, name, role
    """
    user = await query_once(insert, name, hashed.decode())
    if user is None:
        raise HTTPException(409, "somebody has this name")
    return JSONResponse(as_user(user), 201)


async def log_in(request):
    name, password = await fields(request, name=anything, password=anything)
    attempt = await begin_attempt(name)
    user = await query_once("SELECT id, password_hash FROM users WHERE name = %s", name)
    hashed = user[1].encode() if user else DUMMY
    if not await run_sync(bcrypt.checkpw, password.encode()[:72], hashed) or not user:
        raise HTTPException(401, "this is not right")
    async with pool.connection() as connection:
        await query(
            connection, "DELETE FROM failed_logins WHERE ctid = %s AND name = %s", attempt, name
        )
        return await tokens(connection, user[0], secrets.token_hex(16))


async def begin_attempt(name):
    """A row for this attempt, which counts as failed until it is taken away."""
    async with pool.connection() as connection:
        await query(connection, "LOCK TABLE failed_logins IN SHARE ROW EXCLUSIVE MODE")
        since = "at >= now() - %s * interval '1 second'"
        select = f"SELECT count(*), now() - min(at) FROM failed_logins WHERE name = %s AND {since}"
        seconds = int(env["WINDOW_SECONDS"])
        count, oldest = await query(connection, select, name, seconds)
        if count >= int(env["LOGIN_FAILURES"]):
            wait = max(1, seconds - int(oldest.total_seconds()))
            raise HTTPException(429, "slow down", {"Retry-After": str(wait)})
        insert = "INSERT INTO failed_logins VALUES (%s) RETURNING ctid"
        return (await query(connection, insert, name))[0]


def digest(token):
    return hashlib.blake2b(token.encode(), digest_size=32).hexdigest()


async def tokens(connection, user_id, family):
    now, lives = datetime.now(UTC), timedelta(seconds=int(env["ACCESS_SECONDS"]))
    claims = {"iss": "accounts", "sub": str(user_id), "iat": now, "exp": now + lives}
    token = secrets.token_hex(32)
    insert = """
    INSERT INTO refresh_tokens VALUES (%s, %s, %s, now() + %s * interval '1 second')
    """
    seconds = int(env["REFRESH_SECONDS"])
    await query(connection, insert, digest(token), family, user_id, seconds)
    body = {
        "access_token": jwt.encode(claims, KEY, algorithm="ES256"),
        "refresh_token": token,
        "token_type": "bearer",
        "expires_in": int(env["ACCESS_SECONDS"]),
    }
    return JSONResponse(body, headers={"Cache-Control": "no-store"})


async def refresh(request):
    (token,) = await fields(request, refresh_token=anything)
    select = """
    SELECT family, user_id, used, expires_at < now() FROM refresh_tokens
    WHERE token_hash = %s FOR UPDATE
    """
    async with pool.connection() as connection:
        row = await query(connection, select, digest(token))
        if row is not None and not any(row[2:]):
            update = "UPDATE refresh_tokens SET used = true WHERE token_hash = %s"
            await query(connection, update, digest(token))
            return await tokens(connection, row[1], row[0])
        if row is not None:
            await query(connection, "DELETE FROM refresh_tokens WHERE family = %s", row[0])
    raise nobody()


async def log_out(request):
    (token,) = await fields(request, refresh_token=anything)
    delete = """
    DELETE FROM refresh_tokens AS mine USING refresh_tokens AS shown
    WHERE mine.family = shown.family AND shown.token_hash = %s
    """
    await query_once(delete, digest(token))
    return Response(status_code=204)


@for_users
async def me(_, *user):
    return JSONResponse(as_user(user))


@for_users
async def change_role(request, _id, _name, role):
    if role != "admin":
        raise HTTPException(403, "ask an admin")
    (wanted,) = await fields(request, role={"member", "admin"}.__contains__)
    update = "UPDATE users SET role = %s WHERE id = %s RETURNING id, name, role"
    user = await query_once(update, wanted, number_in(request))
    if user is None:
        raise HTTPException(404, "nobody is here")
    return JSONResponse(as_user(user))


@for_users
async def notes(request, user_id, *_):
    if request.method == "POST":
        (text,) = await fields(request, text=anything)
        insert = "INSERT INTO notes (user_id, text) VALUES (%s, %s) RETURNING id"
        (key,) = await query_once(insert, user_id, text)
        return JSONResponse({"id": key, "text": text}, 201)
    async with pool.connection() as connection:
        select = "SELECT id, text FROM notes WHERE user_id = %s"
        rows = await (await connection.execute(select, (user_id,))).fetchall()
    return JSONResponse([{"id": key, "text": text} for key, text in rows])


@for_users
async def note(request, user_id, _, role):
    key = number_in(request)
    row = await query_once("SELECT user_id, text FROM notes WHERE id = %s", key)
    mine = row is not None and row[0] == user_id
    if request.method == "DELETE" and mine:
        await query_once("DELETE FROM notes WHERE id = %s", key)
        return Response(status_code=204)
    if request.method == "DELETE" or not (mine or (row and role == "admin")):
        raise HTTPException(404, "nothing is here")
    return JSONResponse({"id": key, "text": row[1]})


async def refused(_, error):
    return JSONResponse({"error": error.detail}, error.status_code, headers=error.headers)


app = Starlette(
    lifespan=lifespan,
    exception_handlers={HTTPException: refused},
    routes=[
        Route("/signup", sign_up, methods=["POST"]),
        Route("/login", log_in, methods=["POST"]),
        Route("/refresh", refresh, methods=["POST"]),
        Route("/logout", log_out, methods=["POST"]),
        Route("/me", me),
        Route("/users/{id}/role", change_role, methods=["PUT"]),
        Route("/notes", notes, methods=["GET", "POST"]),
        Route("/notes/{id}", note, methods=["GET", "DELETE"]),
    ],
)
