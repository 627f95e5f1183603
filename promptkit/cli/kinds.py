"""The kinds of model there are, and whether each could be used now. Nothing here touches the network."""

from __future__ import annotations

from typing import Any

_NEEDS = {
    "builtin": ("builtin", "nothing"),
    "groq": ("groq:MODEL", "a key: promptkit keys set groq"),
    "langchain": ("langchain:PROVIDER:MODEL", "a partner package: pip install langchain-PROVIDER"),
    "llamacpp": ("llamacpp:PATH", "a GGUF file, or hf://owner/repo/file.gguf"),
    "ollama": ("ollama:MODEL", "a server: ollama serve; ollama pull MODEL"),
    "openai": ("openai:MODEL", "a key: promptkit keys set openai, or -o base_url=… of a compatible server"),
    "openai-compatible": ("openai-compatible:MODEL", "a server: -o base_url=http://…/v1"),
    "scripted": ("scripted:FILE", "a YAML or JSON file of replies"),
}


def kinds() -> list[dict[str, Any]]:
    """Every kind of model: how it is named, what it needs, and its state."""
    from promptkit import registry
    from promptkit.settings import origin

    kind = str(origin("model")[0]).partition(":")[0]
    found: list[dict[str, Any]] = []
    for name in registry.names("provider"):
        form, needs = _NEEDS.get(name, (f"{name}:MODEL", "see its own documentation"))
        found.append({"provider": name, "form": form, "needs": needs, "default": name == kind, **_state(name)})
    return found


def _state(name: str) -> dict[str, Any]:
    """Whether the provider could be used now, and what is known of it without asking anyone."""
    from promptkit.errors import PromptkitError

    try:
        match name:
            case "builtin":
                return _builtin()
            case "llamacpp":
                from promptkit.providers.llama import server

                device = server.gpu() or server.cpu().split(";")[0]
                build = {"xllamacpp": server.version(), "device": device}
                return {"ready": True, "state": f"xllamacpp {server.version()} on {device}", **build}
            case "scripted":
                return {"ready": True, "state": "ready; replies are written down, no model runs"}
            case "groq" | "openai":
                from promptkit import keys

                found = keys.find(name)
                return {"ready": bool(found), "state": f"key in {found.where}" if found else "no key"}
            case _:
                return {"ready": None, "state": "not checked: that would take a call"}
    except PromptkitError as error:
        return {"ready": False, "state": error.message}


def _builtin() -> dict[str, Any]:
    from importlib import resources

    from promptkit.providers.builtin import PACKS, open_builtin
    from promptkit.types import plain

    model = open_builtin("builtin", {})  # checks the file; its weights are not loaded
    with resources.as_file(resources.files("promptkit") / "_data" / "builtin.gguf") as path:
        size = path.stat().st_size
    device = str(getattr(model, "device", "")).split(";")[0]
    packs = ", ".join(f"-P {pack}" for pack in PACKS)
    state = f"{size / 1e6:.1f} MB on board, {device}; knows {packs} only"
    return {"ready": True, "state": state, "bytes": size, "device": device, "capabilities": plain(model.capabilities)}
