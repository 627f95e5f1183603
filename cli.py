"""promptkit from a checkout: `python cli.py run tot -P game24 "2 3 5 12"`."""

from promptkit.cli import main

if __name__ == "__main__":
    main()
