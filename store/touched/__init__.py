"""The facts that a load has touched, written down without all others.

What is sent comes in loads of a few calls, every second, beside millions that they do not touch. Each module knows what
a row of its facts follows from, and so which rows a load can have changed:

- `calls`: the facts of calls, by their sessions; what has changed among them;
- `days`: sums of days, by the days of the calls that changed;
- `prepaid`: plans, credits and fees of bills, where a changed call has to do with one: they are for all who used them;
- `machines`: infrastructure, which is spread over the sessions of a day;
- `trees`: who is below whom, by families;
- `sessions`: the facts of sessions, by all of these.

What cannot be told is written down whole, and so is everything where a load has touched too much. A table whose rows
rest on more than requests, sessions, their outcomes and scores (bills, credits, the allocation) changes seldom: then,
too, everything else is written down whole.
"""

from store.touched.touched import refresh_touched

__all__ = ["refresh_touched"]
