"""A case for every strategy, one file a room."""
