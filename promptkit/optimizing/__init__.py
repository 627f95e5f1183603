"""Better versions of a prompt: candidates, a race on training questions, the difference on held-out ones."""
