"""llama.cpp in-process: the file, the server, a pool of them, and a model over the pool."""
