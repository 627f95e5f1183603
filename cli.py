"""promptkit from a checkout: `python cli.py run tot -P game24 "1 4 9 11"`."""

from promptkit.cli import main

if __name__ == "__main__":
    main()
