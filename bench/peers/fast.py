"""FastAPI, asyncpg and orjson by hand: the same key look-up, rate limit, policies and page.

As ours it looks a key up once a second and spends leases of the rate limit. A statement of its own
leaves the line on the connection (set_config(..., false)), which no transaction pooler would bear;
so a request is two round trips of prepared statements, where ours is one message.
"""

import base64
import hashlib
import hmac
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import asyncpg
import orjson
from fastapi import FastAPI, Header, HTTPException, Query, Response

SECRET = os.environ["SECRET_KEY"].encode()
WINDOW = 60
LIMITS = [1_000_000, 1_000_000]  # of the key and of its line
MAX_CREDENTIALS = 10_000
FIND_KEY = "SELECT id::text, phone_id, scopes FROM app.find_api_key($1, $2)"
RESERVE = """
SELECT granted, resets_in FROM app.reserve_requests($1, $2, $3, $4, $5, 0)
"""
ENTER_LINE = "SELECT set_config('app.phone_id', $1, false)"
COLUMNS = """id::text, phone_id, caller_number, call_sid, status, duration, recording_url,
    transcript, ai_summary, created_at, updated_at, ai_confidence, provider_status"""
FIRST = f"SELECT {COLUMNS} FROM calls ORDER BY created_at DESC, id DESC LIMIT $1"
NEXT = f"""SELECT {COLUMNS} FROM calls WHERE (created_at, id) < ($2, $3::text::uuid)
ORDER BY created_at DESC, id DESC LIMIT $1"""


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async def no_reset(connection: Any) -> None:
        """Each request sets the line anew."""

    app.state.pool = await asyncpg.create_pool(
        os.environ["DATABASE_URL"], min_size=8, max_size=8, reset=no_reset
    )
    yield
    await app.state.pool.close()


app = FastAPI(lifespan=lifespan)
keys: dict[tuple[str, str], tuple[float, Any]] = {}  # when it was looked up, the row
leases: dict[str, list[float]] = {}  # requests left, size, end


async def find_key(connection: Any, prefix: str, hashed: str) -> Any:
    now = time.monotonic()
    found_at, key = keys.get((prefix, hashed), (0.0, None))
    if key is None or now - found_at >= 1:
        key = await connection.fetchrow(FIND_KEY, prefix, hashed)
        if key is None:
            raise HTTPException(401)
        if len(keys) >= MAX_CREDENTIALS:
            keys.clear()
        keys[prefix, hashed] = now, key
    return key


async def count_request(connection: Any, key: Any) -> None:
    now = time.monotonic()
    left, size, ends = leases.get(key["id"], [0, 0, 0])
    if not left or now >= ends:
        subjects = [f"key:{key['id']}", f"line:{key['phone_id']}"]
        wanted = min(2 * int(size) or 1, 1_000_000)
        size, resets_in = await connection.fetchrow(RESERVE, subjects, LIMITS, WINDOW, wanted, 0)
        if not size:
            raise HTTPException(429, headers={"Retry-After": str(int(resets_in) + 1)})
        if len(leases) >= MAX_CREDENTIALS:
            leases.clear()
        left, ends = size, now + resets_in
    leases[key["id"]] = [left - 1, size, ends]


@app.get("/calls/")
async def calls(
    authorization: Annotated[str, Header()],
    limit: Annotated[int, Query(ge=1, le=200)] = 20,
    cursor: str | None = None,
) -> Response:
    prefix, _, secret = authorization.removeprefix("Api-Key ").partition(".")
    hashed = hashlib.sha256(secret.encode()).hexdigest()
    async with app.state.pool.acquire() as connection:
        key = await find_key(connection, prefix, hashed)
        await count_request(connection, key)
        if "read" not in key["scopes"]:
            raise HTTPException(403)
        await connection.fetchrow(ENTER_LINE, key["phone_id"])
        if cursor is None:
            rows = await connection.fetch(FIRST, limit + 1)
        else:
            rows = await connection.fetch(NEXT, limit + 1, *read_cursor(cursor))
    following = write_cursor(rows[limit - 1]) if len(rows) > limit else None
    body = {"results": [dict(row) for row in rows[:limit]], "next": following}
    return Response(orjson.dumps(body, default=as_number), media_type="application/json")


def as_number(value: Any) -> float:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError


def write_cursor(row: Any) -> str:
    place = f"{row['created_at'].isoformat()} {row['id']}".encode()
    return base64.urlsafe_b64encode(hmac.digest(SECRET, place, "sha256") + place).decode()


def read_cursor(cursor: str) -> tuple[datetime, str]:
    raw = base64.urlsafe_b64decode(cursor)
    if not hmac.compare_digest(raw[:32], hmac.digest(SECRET, raw[32:], "sha256")):
        raise HTTPException(400)
    at, pk = raw[32:].decode().split()
    return datetime.fromisoformat(at), pk
