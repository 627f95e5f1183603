"""promptkit from a checkout: `python cli.py run tot -P game24 "1 8 11 13"`."""

from promptkit.cli import main

if __name__ == "__main__":
    main()
