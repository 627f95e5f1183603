"""A web app on promptkit: outcomes as JSON, events as they happen (server-sent events), one journal for everybody.

    pip install promptkit fastapi uvicorn
    uvicorn fastapi_app:app

    curl -N 'http://127.0.0.1:8000/stream?strategy=tot&question=1+8+11+13&pack=game24'

A client that goes away takes its run with it: the provider call is cancelled, the slot is free, the journal says so.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

import promptkit as pk
from promptkit.types import plain

app = FastAPI(title="promptkit")
log = logging.getLogger(__name__)
MODEL = os.environ.get("PROMPTKIT_MODEL")
SLOTS = asyncio.Semaphore(int(os.environ.get("SLOTS", "4")))  # runs at once; the others wait for their turn


@app.exception_handler(pk.PromptkitError)
async def refused(_: Request, error: pk.PromptkitError) -> Response:
    """What went wrong, as JSON. What to type about it is for whoever runs this app: it goes into the log."""
    log.warning("%s (%s)", error.message, "; ".join(error.hint.splitlines()))
    status = 400 if error.exit_code == 2 else 502
    return JSONResponse({"error": error.message, "run": error.run}, status)


@app.get("/run")
async def run(request: Request, question: str, strategy: str = "cot", pack: str = "general") -> Any:
    """The outcome of a strategy on a question."""

    async def in_turn() -> pk.Outcome:
        async with SLOTS:
            return await pk.arun(strategy, question, pack=pack, model=MODEL)

    outcome = await while_connected(request, asyncio.create_task(in_turn()))
    return plain(outcome) if outcome else Response(status_code=499)


@app.get("/stream")
async def stream(question: str, strategy: str = "cot", pack: str = "general") -> Response:
    """The events of the same run, the text as it is written among them."""
    records = pk.stream(strategy, question, pack=pack, model=MODEL)  # raises what /run would answer with a 400

    async def lines() -> AsyncIterator[str]:  # the response cancels it when the client goes away
        async with SLOTS, aclosing(records):
            try:
                async for record in records:
                    yield f"data: {json.dumps(record.to_json())}\n\n"
            except pk.PromptkitError as error:
                log.warning("%s (%s)", error.message, "; ".join(error.hint.splitlines()))
                yield f"event: error\ndata: {json.dumps({'error': error.message})}\n\n"

    return StreamingResponse(lines(), media_type="text/event-stream", headers={"cache-control": "no-cache"})


async def while_connected(request: Request, work: asyncio.Task[Any]) -> Any:
    """The result of the work, or None when the client went away before it: the work is cancelled then."""
    gone = asyncio.create_task(_gone(request))
    try:
        await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
        return work.result() if work.done() else None
    finally:
        work.cancel()
        gone.cancel()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
