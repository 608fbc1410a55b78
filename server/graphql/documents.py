"""Documents that were read, and the questions that were asked of them; what is wrong with them is kept as well.

A text is parsed, measured, validated and compiled once; validation alone takes longer than a small answer. Clients that
write values into the text instead of variables pay for it with each new text.
"""

from collections.abc import Hashable
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import count
from typing import Any, Self

import orjson
import strawberry
from graphql import DocumentNode, GraphQLError, GraphQLSchema, parse, validate

from server.graphql.errors import Told, code_of, request_errors, told
from server.graphql.kept import Kept
from server.graphql.limits import MAX_BODY_BYTES, MAX_COMMENTS, MAX_TOKENS, check_size
from server.graphql.operations import Operation, Question, operations_of
from server.telemetry import CacheMeter

MOST_DOCUMENTS = 256
MOST_QUESTIONS = 1_024
MOST_CHARACTERS = 4_000_000
"""Of the texts of all documents, and of the texts and variables of all questions."""
MAX_VALIDATION_ERRORS = 10
MOST_SUGGESTING = 2
"""Of these, errors with suggestions."""
Key = tuple[str, str | None, bytes | None]
"""Text, the name of the operation, and the variables as one text: None where they are not JSON's."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A body that says what is wrong with a request."""

    content: bytes
    is_mutation: bool = False
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Document:
    operations: dict[str | None, Operation]


@dataclass(frozen=True)
class Documents:
    """Of one schema. Safe to use from many threads: what two threads make at once is made twice and kept once."""

    schema: strawberry.Schema
    _documents: Kept[str, Document | Refused] = field(default_factory=lambda: Kept(MOST_DOCUMENTS, MOST_CHARACTERS))
    _questions: Kept[object, Question | Refused] = field(default_factory=lambda: Kept(MOST_QUESTIONS, MOST_CHARACTERS))
    _number: int = field(default_factory=count().__next__)
    """Of these documents alone: the same text means something else to another schema."""

    def counted(self, documents: CacheMeter, questions: CacheMeter) -> Self:
        """The same, with meters that hear of every look-up."""
        self._documents.meter, self._questions.meter = documents, questions
        return self

    def question(self, key: Key, variables: dict[str, Any] | None) -> Question | Refused:
        """What is asked, ready to run; `key` is that of these variables."""
        text, name, written = key
        if written is None:  # no client can send such a value; a test or a command may
            return self._question(text, name, variables, object())
        found = self._questions.get(key)
        if found is None:
            found = self._question(text, name, variables, (self._number, _digest(text, name, written)))
            found = self._questions.put(key, found, len(text) + len(written))
        return found

    def has(self, key: Key) -> bool:
        """Whether the question costs no more than to read its variables."""
        return key[0] in self._documents or key in self._questions

    def known(self, key: Key) -> Question | None:
        """As `question`, where it was asked before; nothing is read."""
        found = self._questions.peek(key)
        return found if isinstance(found, Question) else None

    def _question(
        self, text: str, name: str | None, variables: dict[str, Any] | None, key: Hashable
    ) -> Question | Refused:
        document = self._document(text)
        if isinstance(document, Refused):
            return document
        operation = document.operations.get(name)
        if operation is None:
            return _refused([_not_found(name)])
        question = operation.question(variables, key)
        if isinstance(question, Question):
            return question
        return _refused(request_errors("INVALID_VARIABLES", question), is_mutation=operation.is_mutation)

    def _document(self, text: str) -> Document | Refused:
        found = self._documents.get(text)
        if found is None:
            read = prepared(self.schema._schema, text)
            found = _refused(read) if isinstance(read, list) else Document(operations_of(self.schema, read))
            found = self._documents.put(text, found, len(text))
        return found


def prepared(schema: GraphQLSchema, text: str) -> DocumentNode | list[Told]:
    """A document that is ready to be executed, or what is wrong with it."""
    try:
        document = parse(
            text, max_lexical_tokens=MAX_TOKENS, max_comments=MAX_COMMENTS, max_source_length=MAX_BODY_BYTES
        )
        check_size(document)
    except GraphQLError as error:
        return request_errors("SYNTAX_ERROR", [error])
    errors = validate(schema, document, max_errors=MAX_VALIDATION_ERRORS, hide_suggestions=True)
    return request_errors("INVALID_QUERY", _with_suggestions(schema, document, errors)) if errors else document


def _with_suggestions(schema: GraphQLSchema, document: DocumentNode, errors: list[GraphQLError]) -> list[GraphQLError]:
    """The first of the errors say what may have been meant. To compare a wrong name with all names of a large type or
    enum takes some 10 ms, and whoever is refused pays nothing for it.
    """
    suggesting = validate(schema, document, max_errors=MOST_SUGGESTING)[:MOST_SUGGESTING]
    return [*suggesting, *errors[len(suggesting) :]]


_JSON_ONLY = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_SUBCLASS


def key_of(text: str, name: str | None, variables: dict[str, Any] | None) -> Key:
    """In another order variables are another text: the order of keys shows in what is said of several mistakes."""
    try:
        return text, name, orjson.dumps(variables, option=_JSON_ONLY)
    except TypeError:
        return text, name, None


def _digest(text: str, name: str | None, written: bytes) -> bytes:
    """Stands for a question where what is long must not be held. What orjson writes has no line break in it."""
    return sha256(orjson.dumps([text, name]) + b"\n" + written).digest()


def _not_found(name: str | None) -> Told:
    problem = f"there is no operation '{name}'" if name else "the document has several operations"
    return told(f"{problem}; name one of them in operationName", "BAD_REQUEST")


def _refused(errors: list[Told], *, is_mutation: bool = False) -> Refused:
    return Refused(orjson.dumps({"errors": errors}), is_mutation, code_of(errors))
