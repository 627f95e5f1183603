"""How the lessons of the built-in model are made; no part of the package."""
