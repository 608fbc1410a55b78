"""The intake: what agents, collectors and the proxy send over HTTP is on the disk before it is acknowledged.

    a body
      |  received              receiving.py   in pieces, unpacked, within the limits, into a file of the spool
      |  Spool.keep            spool.py       on the disk under its name; from here on it is not lost
      |  Intake.read           intake.py      in its turn, by a process of its own (reader.py, reading.py)
      |  Verdict               answers.py     what was accepted and what was not, in the sender's encoding
    a stage
      |  apply_load            intake.py      one load for all that was read since the last one; the bodies are removed
    rows

A server that is killed anywhere on this road reads the bodies that are left anew when it starts. Records have keys, so
what was stored already is stored once.
"""
