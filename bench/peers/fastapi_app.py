"""GET /agents and GET /agents/{id} as they are commonly written with FastAPI and asyncpg: the same tokens, the same tables, the
same answers as the API's. Started by bench/api_peer.py: one uvicorn worker with uvloop and httptools."""
import contextlib
import json
import os
import uuid
from datetime import datetime
from typing import Any, Optional

import asyncpg
import jwt
from fastapi import Depends, FastAPI, HTTPException, Query, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel

KEY = os.environ["JWT_SECRET_KEY"]
FIELDS = """a.id, a.user_id, a.name, a.prompt_text, a.template_source, a.voice_settings, a.llm_model, a.temperature, a.max_tokens,
a.is_active, a.greeting, a.goodbye, a.language, a.first_speaker, a.turn_settings, a.knowledge_mode, a.max_duration_s, a.extraction,
a.voicemail_message, a.voicemail_policy, a.tools, a.providers, a.warnings, a.version, a.created_at, a.updated_at"""
ONE = f"SELECT {FIELDS} FROM agents a WHERE a.id = $1 AND a.user_id = $2"
ALL = f"""SELECT {FIELDS}, COALESCE(n.call_count, 0) AS call_count, n.last_used,
CASE WHEN n.timed_count > 0 THEN round(n.duration_sum::numeric / n.timed_count)::bigint ELSE 0 END AS avg_duration
FROM agents a LEFT JOIN agent_stats n ON n.agent_id = a.id WHERE a.user_id = $1 ORDER BY a.id DESC LIMIT $2"""


class Agent(BaseModel):
    id: uuid.UUID
    user_id: uuid.UUID
    name: str
    prompt_text: str
    template_source: Optional[str]
    voice_settings: Any
    llm_model: str
    temperature: float
    max_tokens: int
    is_active: bool
    greeting: Optional[str]
    goodbye: Optional[str]
    language: str
    first_speaker: str
    turn_settings: Any
    knowledge_mode: str
    max_duration_s: int
    extraction: Any
    voicemail_message: Optional[str]
    voicemail_policy: str
    tools: Any
    providers: Any
    warnings: Any
    version: int
    created_at: datetime
    updated_at: datetime


class AgentRow(Agent):
    call_count: int
    avg_duration: int
    last_used: Optional[datetime]


async def prepare(connection):
    await connection.set_type_codec("json", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")


@contextlib.asynccontextmanager
async def lifespan(app):
    app.state.pool = await asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=8, max_size=8, init=prepare)
    yield
    await app.state.pool.close()


app = FastAPI(lifespan=lifespan)
bearer = HTTPBearer()


async def user(credentials: HTTPAuthorizationCredentials = Depends(bearer)) -> uuid.UUID:
    try:
        claims = jwt.decode(credentials.credentials, KEY, algorithms=["HS256"])
    except jwt.PyJWTError:
        raise HTTPException(401, "the access token is not valid or has expired") from None
    return uuid.UUID(claims["sub"])


@app.get("/agents/{agent_id}", response_model=Agent)
async def agent_get(agent_id: uuid.UUID, user_id: uuid.UUID = Depends(user)):
    row = await app.state.pool.fetchrow(ONE, agent_id, user_id)
    if not row:
        raise HTTPException(404, "agent not found")
    return dict(row)


@app.get("/agents", response_model=list[AgentRow])
async def agents_list(response: Response, limit: int = Query(200, ge=1, le=200), user_id: uuid.UUID = Depends(user)):
    rows = await app.state.pool.fetch(ALL, user_id, limit)
    response.headers["X-Total-Count"] = str(len(rows))
    return [dict(row) for row in rows]


@app.get("/health")
async def health():
    return {"status": "ok"}
