"""A vote as one step of a LangChain chain, its samples streamed as they are written; one trace for all of it.

    pip install promptkit
    python langchain_chain.py "1 4 9 11"

Every sample is a chat model's run under the vote's: LangSmith, Langfuse or any other tracer of LangChain's shows it so.
"""

from __future__ import annotations

import asyncio
import os
import sys

from langchain_core.prompts import ChatPromptTemplate

import promptkit as pk

MODEL = os.environ.get("PROMPTKIT_MODEL", "builtin")


async def main(numbers: str) -> None:
    """Print each sample as it ends, and then the outcome."""
    prompt = ChatPromptTemplate.from_template("{numbers}")
    chain = prompt | pk.as_runnable("sc", n=5, pack="game24", model=MODEL).with_outcome()
    async for event in chain.astream_events({"numbers": numbers}, version="v2"):
        depth = "  " * len(event["parent_ids"])
        if event["event"] == "on_chat_model_end":
            reply = event["data"]["output"]
            free = " (free)" if reply.response_metadata["cached"] else ""
            last = reply.text.strip().splitlines()[-1] if reply.text.strip() else "(nothing)"
            print(f"{depth}{last}   {reply.usage_metadata['output_tokens']} tokens{free}")
        if event["event"] == "on_chain_end" and not event["parent_ids"]:
            print(f"{event['data']['output']}")


if __name__ == "__main__":
    asyncio.run(main(" ".join(sys.argv[1:]) or "1 4 9 11"))
