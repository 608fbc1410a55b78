"""Who may ask: the tokens that were given out, by their hash, in a small SQLite file beside the store."""

from store.tokens.file import KeptToken, NewToken, Tokens

__all__ = ["KeptToken", "NewToken", "Tokens"]
