"""What happens beside and in the sandbox: a process of its own, the standard library only, loaded with no site.

keeper.py       starts the program, watches it, ends it, reports
lowered.py      root's keeper becomes a user whose processes are counted
bubblewrap.py  namespaces.py  bare.py     three ways to start it
landlock.py  seccomp.py  rlimits.py  credentials.py      what it gives up before its first instruction
mounts.py       the root it sees without bubblewrap
watch.py        what the whole tree uses
trial.py        each rung tried by a first program, probes.py
kernel.py       calls that Python has no name for
"""
