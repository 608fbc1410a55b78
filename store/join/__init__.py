"""One call that several sources saw is one row: by a key or a name that they share, or because nothing else fits.

`names` finds what shares a name (by `marks`), `alike` what has none to share, `calls` says what the one row has,
`settle` writes it.
"""

from store.join.alike import match_alike
from store.join.calls import merged_calls
from store.join.marks import keep_marks
from store.join.names import set_apart
from store.join.settle import JOINED_COPY, keep_former, keep_sightings, make_calls, merge_again

__all__ = [
    "JOINED_COPY",
    "keep_former",
    "keep_marks",
    "keep_sightings",
    "make_calls",
    "match_alike",
    "merge_again",
    "merged_calls",
    "set_apart",
]
