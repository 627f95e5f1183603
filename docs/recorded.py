"""A program for the openai SDK, recorded twice. It speaks to llama.cpp's own server. `python docs/recorded.py`"""

from __future__ import annotations

from importlib.resources import files

import openai
import xllamacpp

import promptkit as pk


def existing_code(address: str) -> None:
    with openai.OpenAI(base_url=f"{address}/v1", api_key="none") as client:
        for puzzle in ("1 4 9 11", "4 5 6 10"):
            asked = f"Input: {puzzle}\nPossible next steps:"
            reply = client.chat.completions.create(
                model="builtin", temperature=0, max_tokens=40, messages=[{"role": "user", "content": asked}]
            )
            print((reply.choices[0].message.content or "").splitlines()[0])


def main() -> None:
    params = xllamacpp.CommonParams()
    params.model.path, params.verbosity = str(files("promptkit") / "_data" / "builtin.gguf"), -1
    params.n_ctx, params.cpuparams.n_threads, params.cpuparams_batch.n_threads = 2048, 1, 1
    server = xllamacpp.Server(params)
    for _ in range(2):
        with pk.record(max_calls=20) as recording:
            existing_code(server.listening_address)
        print(f"{recording.calls} calls, {recording.cached_calls} from the journal")


if __name__ == "__main__":
    main()
