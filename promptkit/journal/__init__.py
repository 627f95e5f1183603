"""One SQLite file that is the cache, the checkpoint, the trace, the replay cassette and the ledger.

journal.py      the face: everything callers use
writer.py       the one thread that writes, gathered.py: by the hundred; schema.py: the file; values.py: what lies in it
claims.py       one buyer a completion; lease.py: who lives
retention.py  holdings.py  nearest.py    what goes, what is there, what came near
calls.py  ledger.py  runs.py  portable.py     the tables, one idea each
programs.py  answers.py    what programs came to and people answered, in the same tables; beside.py: both of them
pins.py         which templates a run used
"""

from promptkit.journal.journal import Journal
from promptkit.journal.keys import key
from promptkit.journal.retention import Freed, Keep
from promptkit.journal.rows import Answered, Executed, NewRun, Pinned, RunRow, Spent, Stored

__all__ = ["Answered", "Executed", "Freed", "Journal", "Keep", "NewRun", "Pinned", "RunRow", "Spent", "Stored", "key"]
