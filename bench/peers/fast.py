"""FastAPI, asyncpg and orjson by hand: the same key look-up, throttle, policies and page.

The look-up leaves the line on the connection (set_config(..., false)), which no transaction
pooler would bear; but it makes two round trips of prepared statements the whole request.
"""

import base64
import hashlib
import hmac
import os
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
FIND_KEY = """
SELECT k.scopes, used, resets_in, set_config('app.phone_id', k.phone_id, false)
FROM app.find_api_key($1, $2) AS k
CROSS JOIN LATERAL app.count_request(ARRAY['key:' || k.id, 'line:' || k.phone_id], $3)
"""
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


@app.get("/calls/")
async def calls(
    authorization: Annotated[str, Header()],
    limit: Annotated[int, Query(ge=1, le=200)] = 20,
    cursor: str | None = None,
) -> Response:
    prefix, _, secret = authorization.removeprefix("Api-Key ").partition(".")
    hashed = hashlib.sha256(secret.encode()).hexdigest()
    async with app.state.pool.acquire() as connection:
        key = await connection.fetchrow(FIND_KEY, prefix, hashed, WINDOW)
        if key is None:
            raise HTTPException(401)
        if "read" not in key["scopes"]:
            raise HTTPException(403)
        if max(key["used"]) > 1_000_000:
            raise HTTPException(429, headers={"Retry-After": str(key["resets_in"])})
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
