"""What a run does for the journal when it ends: the retention that was set, once a day, after everything else."""

from __future__ import annotations

from promptkit.errors import PromptkitError
from promptkit.journal import Journal, Keep
from promptkit.settings import journal_path, setting


def tidy(journal: Journal) -> None:
    """Have old runs removed as promptkit.toml says. Without a word there everything is kept.

    Only the journal in force is touched: one that was given by hand is somebody's archive.
    """
    try:
        keep = Keep(days=setting("journal.keep_days"), bytes=setting("journal.max_size"))
        if keep and journal.path and (ours := journal_path()) and journal.path == ours.absolute():
            journal.tidy(keep)
    except PromptkitError:  # a run that has ended well does not fail for the sake of tidiness
        pass
