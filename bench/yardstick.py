"""The same three requests, written by hand: FastAPI, PyJWT and asyncpg.

A yardstick for ``run.py``. It checks what the rendered project checks at login, refresh
and an authenticated GET, by the same rules: session and user are read for each request,
a refresh is one compare-and-swap, a used token ends its session after a grace period,
a new password ends every session. Logins are not throttled.
``python yardstick.py`` creates the tables and the users.
"""

import asyncio
import os
import uuid
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated

import asyncpg
import jwt
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel

KEY, ISSUER = os.environ["JWT_SIGNING_KEY"], "my_api"
LIFETIMES = {"access": timedelta(minutes=5), "refresh": timedelta(days=1)}
TABLES = """
CREATE TABLE users (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    username text NOT NULL UNIQUE,
    password text NOT NULL,
    is_active boolean NOT NULL DEFAULT true
);
CREATE TABLE sessions (
    id uuid PRIMARY KEY,
    user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    auth_hash bytea NOT NULL,
    seq integer NOT NULL DEFAULT 0,
    rotated timestamptz NOT NULL DEFAULT now(),
    created timestamptz NOT NULL DEFAULT now(),
    expires timestamptz NOT NULL DEFAULT now() + interval '30 days',
    revoked timestamptz
);
CREATE INDEX ON sessions (user_id);
CREATE INDEX ON sessions (expires);
"""
USER = "SELECT id, username, password FROM users WHERE username = $1 AND is_active"
START = """
INSERT INTO sessions (id, user_id, auth_hash)
SELECT $1, id, sha256(password::bytea) FROM users WHERE id = $2
"""
LIVE = """
s.id = $1 AND u.id = s.user_id AND u.is_active AND s.revoked IS NULL
AND s.expires > now() AND s.auth_hash = sha256(u.password::bytea)
"""
READ = f"""
SELECT u.id, u.username, s.seq, s.rotated > now() - interval '10 seconds' AS recent
FROM sessions s, users u WHERE {LIVE}
"""
ROTATE = f"""
UPDATE sessions s SET seq = s.seq + 1, rotated = now() FROM users u
WHERE {LIVE} AND s.seq = $2 RETURNING u.id, u.username, s.seq
"""
REVOKE = "UPDATE sessions SET revoked = now() WHERE id = $1 AND revoked IS NULL"

hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
unauthorized = HTTPException(401, headers={"WWW-Authenticate": "Bearer"})


@asynccontextmanager
async def lifespan(app):
    async with asyncpg.create_pool(os.environ["DATABASE_URL"], max_size=16) as pool:
        app.state.pool = pool
        yield


app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None)
bearer = HTTPBearer(auto_error=False)


class Credentials(BaseModel):
    username: str
    password: str


class Refresh(BaseModel):
    refresh: str


def encode(kind, sid, user, **claims):
    now = datetime.now(UTC)
    claims |= {"token_type": kind, "iss": ISSUER, "aud": ISSUER, "sub": str(user["id"])}
    claims |= {"iat": now, "exp": now + LIFETIMES[kind], "jti": uuid.uuid4().hex}
    return jwt.encode({**claims, "sid": str(sid)}, KEY, "HS256")


def pair(sid, user, seq, **shown):
    access = encode("access", sid, user, username=user["username"])
    return {"access": access, "refresh": encode("refresh", sid, user, seq=seq), **shown}


def decode(kind, token):
    """Return session and claims of a token of that kind; raise 401 otherwise."""
    try:
        claims = jwt.decode(token, KEY, ["HS256"], audience=ISSUER, issuer=ISSUER)
        if claims["token_type"] != kind:
            raise unauthorized
        return uuid.UUID(claims["sid"]), claims
    except (jwt.InvalidTokenError, KeyError, ValueError):
        raise unauthorized from None


async def current_user(
    header: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
):
    if header is None:
        raise unauthorized
    sid, claims = decode("access", header.credentials)
    user = await app.state.pool.fetchrow(READ, sid)
    if user is None or claims["sub"] != str(user["id"]):
        raise unauthorized
    return user


@app.get("/closed/")
async def closed(user: Annotated[asyncpg.Record, Depends(current_user)]):
    return {"id": user["id"]}


@app.post("/api/token/")
async def login(body: Credentials):
    user = await app.state.pool.fetchrow(USER, body.username)
    known = user["password"] if user else UNKNOWN
    try:
        await asyncio.to_thread(hasher.verify, known, body.password)
    except VerifyMismatchError:
        raise unauthorized from None
    sid = uuid.uuid4()
    await app.state.pool.execute(START, sid, user["id"])
    return pair(sid, user, 0, username=user["username"])


@app.post("/api/token/refresh/")
async def refresh(body: Refresh):
    sid, claims = decode("refresh", body.refresh)
    pool, seq = app.state.pool, claims["seq"]
    session = await pool.fetchrow(ROTATE, sid, seq) or await pool.fetchrow(READ, sid)
    if session is None or claims["sub"] != str(session["id"]):
        raise unauthorized
    if session["seq"] != seq + 1 or not session.get("recent", True):
        await pool.execute(REVOKE, sid)  # it was used before, so somebody has a copy
        raise unauthorized
    return pair(sid, session, session["seq"])


UNKNOWN = hasher.hash(uuid.uuid4().hex)


async def make_tables():
    connection = await asyncpg.connect(os.environ["DATABASE_URL"])
    await connection.execute(TABLES)
    password = hasher.hash(os.environ["BENCH_PASSWORD"])
    users = [(name, password) for name in os.environ["BENCH_USERS"].split(",")]
    insert = "INSERT INTO users (username, password) VALUES ($1, $2)"
    await connection.executemany(insert, users)


if __name__ == "__main__":
    asyncio.run(make_tables())
