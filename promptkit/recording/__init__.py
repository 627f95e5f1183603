"""Code that calls a model by its own SDK, journaled, budgeted and replayed as it is.

recording.py    the block: what it may spend, what it spent
transports.py   where the SDKs' requests leave the process; tape.py: replies that come in pieces
exchange.py     one call: looked up, reserved, settled, kept
asked.py  told.py  reply.py     the request; what the reply says; the reply as it lies in the journal
caps.py  refusal.py  active.py  the caps of a block; saying no through an SDK; which block this is
"""

from promptkit.recording.recording import Recording, record

__all__ = ["Recording", "record"]
