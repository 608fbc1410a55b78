"""Scalar SQL expressions of a metrics file, parsed into a whitelisted tree: no sub-query, no DDL, no text templates.

Only node types listed here can reach a statement, so an expression cannot read another table, call a table function or
run a second statement. Each text is parsed once and its tree is shared: copy a tree before changing it.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import cast

from sqlglot import Dialect, exp
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import Token, TokenType

from semantic.whitelist import MAX_ROLES as MAX_ROLES
from semantic.whitelist import OF_A_FORMULA, OF_A_POLICY, OF_A_ROW, TRUTH, Types, why_not

_STARTS_A_QUERY = (TokenType.SELECT, TokenType.WITH, TokenType.FROM, TokenType.L_PAREN)
_QUOTED = (TokenType.STRING, TokenType.IDENTIFIER)
_DIALECT = Dialect.get_or_raise("duckdb")
_TRIPS = (TypeError, ValueError, AttributeError, LookupError)
"""What the parser raises, by accident, for some texts that are no SQL, such as `->` alone."""
MAX_CHARACTERS = 2_000
MAX_LEVELS = 100
"""Of a tree; what follows a tree calls itself once a level."""
_MAX_PARENTHESES = 30


class ExpressionError(ValueError):
    """An expression that is not allowed; `column` is its 1-based place inside the text."""

    def __init__(self, message: str, column: int = 1) -> None:
        self.column = column
        super().__init__(message)


@lru_cache(maxsize=4096)
def parse_predicate(text: str) -> exp.Expression:
    """A condition over columns and dimensions, such as `class = 'idle' and cost_usd > 0`."""
    return _parse(text, OF_A_ROW, "a condition")


@lru_cache(maxsize=1024)
def parse_policy(text: str) -> exp.Expression:
    """A condition that may compare with what is known of the caller, such as `team in :caller.teams`.

    A claim is `Dot(Placeholder('caller'), Identifier)`; after IN it is the one expression of the list.
    """
    return _parse(text, OF_A_POLICY, "a policy")


@lru_cache(maxsize=4096)
def parse_column(text: str) -> exp.Expression:
    """A scalar over columns of one model, such as `lower(model)` or `input_tokens + output_tokens`."""
    return _parse(text, OF_A_ROW, "an expression")


@lru_cache(maxsize=4096)
def parse_formula(text: str) -> exp.Expression:
    """Arithmetic over metrics; `days_after(as_of, n)` is the one function that gives a date."""
    return _parse(text, OF_A_FORMULA, "a formula")


def is_condition(tree: exp.Expression) -> bool:
    """Whether a tree can be true or false; a number or a text cannot."""
    return isinstance(tree.unnest(), TRUTH)


def is_select(text: str) -> bool:
    """Whether a text is one query that only reads."""
    try:
        tokens = _DIALECT.tokenize(text)
        if not tokens or tokens[0].token_type not in _STARTS_A_QUERY:
            return False
        trees = _DIALECT.parser().parse(tokens, text)
    except (SqlglotError, RecursionError, *_TRIPS):
        return False
    tree = trees[0] if len(trees) == 1 else None
    return isinstance(tree, exp.Query) and tree.find(exp.DML, exp.DDL, exp.Into) in (None, tree)


def names_in(tree: exp.Expression) -> dict[str, int]:
    """The identifiers of an expression, each once, with the 1-based place of their first appearance, in that order."""
    found: dict[str, int] = {}
    for column in sorted(tree.find_all(exp.Column), key=_offset):
        found.setdefault(name_of(column), _offset(column) + 1)
    return found


def name_of(column: exp.Column) -> str:
    """A name as it is written: `cost_usd`, `session.agent`, `session.parent.agent`."""
    return ".".join(part.name for part in column.parts)


def levels(tree: exp.Expression) -> int:
    """How deep a tree nests."""
    return max((depth for _, depth in _walk(tree)), default=0)


def _walk(tree: exp.Expression) -> Iterator[tuple[exp.Expression, int]]:
    waiting = [(tree, 1)]
    while waiting:
        node, depth = waiting.pop()
        yield node, depth
        waiting += [(child, depth + 1) for child in node.iter_expressions()]


def _offset(column: exp.Column) -> int:
    return min(int(part.meta.get("start", 0)) for part in column.parts)


def _parse(text: str, allowed: Types, what: str) -> exp.Expression:
    if len(text) > MAX_CHARACTERS:
        raise ExpressionError(f"{what} has at most {MAX_CHARACTERS:,} characters, this has {len(text):,}")
    try:
        tokens = _DIALECT.tokenize(text)
        if not tokens:
            raise ExpressionError(f"{what} is missing")
        _check_tokens(tokens, what)
        trees = _DIALECT.parser().parse_into(exp.Condition, tokens, text)
    except SqlglotError as error:
        raise _unreadable(error, what) from error
    except RecursionError as error:
        raise ExpressionError(f"{what} is nested too deeply") from error
    except _TRIPS as error:
        if isinstance(error, ExpressionError):
            raise
        raise ExpressionError(f"{what} that cannot be read") from error
    if len(trees) != 1 or trees[0] is None:
        raise ExpressionError(f"{what} is missing")
    tree = cast(exp.Expression, trees[0])
    for node, depth in _walk(tree):
        node.comments = None
        if depth > MAX_LEVELS:
            raise ExpressionError(f"{what} is nested too deeply, more than {MAX_LEVELS} levels; split it")
        reason = why_not(node, allowed, what)
        if reason:
            raise ExpressionError(reason, _place(node))
    return tree


def _place(node: exp.Expression) -> int:
    """Where a node stands: its own place, or that of the first name in it."""
    own = node.meta.get("start")
    starts = [int(n.meta["start"]) for n in node.walk() if "start" in n.meta] if own is None else [int(own)]
    return min(starts, default=0) + 1


def _check_tokens(tokens: list[Token], what: str) -> None:
    last = len(tokens) - 1
    ends = [i for i, t in enumerate(tokens) if t.token_type is TokenType.SEMICOLON and i < last]
    if ends:
        raise ExpressionError(f"give exactly one expression, this has {len(ends) + 1}", tokens[ends[0] + 1].start + 1)
    depth = 0
    for token, following in zip(tokens, [*tokens[1:], None], strict=True):
        is_call = following is not None and following.token_type is TokenType.L_PAREN
        if token.text.lower() == "if" and token.token_type not in _QUOTED and not is_call:
            raise ExpressionError("if takes parentheses: if(condition, value, other)", token.start + 1)
        depth += (token.token_type is TokenType.L_PAREN) - (token.token_type is TokenType.R_PAREN)
        if depth > _MAX_PARENTHESES:
            raise ExpressionError(f"{what} is nested too deeply, more than {_MAX_PARENTHESES} parentheses; split it")


def _unreadable(error: SqlglotError, what: str) -> ExpressionError:
    """What the parser says, in the words of a reader who knows no parser."""
    details = getattr(error, "errors", None) or [{}]
    description, word = str(details[0].get("description") or ""), str(details[0].get("highlight") or "")
    if not description:
        description = "a quote is not closed" if "okeniz" in str(error) else str(error)
    elif description.startswith("Required keyword"):
        description = f"something is missing beside '{word}'"
    elif "nexpected token" in description:
        description = f"'{word}' is not expected here"
    column = max(int(details[0].get("col") or 1) - max(len(word) - 1, 0), 1)
    return ExpressionError(f"{what} that cannot be read: {description}", column)
