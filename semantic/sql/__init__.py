"""A plan, written down as SQL."""
