"""Ollama's own API: addresses, what it says of a model, requests, replies, the context in force, pulls."""
