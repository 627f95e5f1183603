"""Events as text on a terminal."""
