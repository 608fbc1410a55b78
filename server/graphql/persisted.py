"""Documents that clients know by an id: loaded once at start, every one of them valid, or the server does not start.

A manifest is one JSON object, id -> text, as GraphQL Code Generator and others write it. Ids are those of the
GraphQL-over-HTTP draft, appendix A: `sha256:` with the hash of the text, `x-` and a prefix of one's own, or a plain
name without a colon.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Any

import orjson

from server.alerts.settings import SettingsError
from server.graphql.refusal import RefusalError

MAX_MANIFEST_BYTES = 16 * 1024 * 1024
MAX_ID = 200
NO_DOCUMENTS: Mapping[str, str] = MappingProxyType({})

Check = Callable[[str], list[dict[str, Any]]]
"""What is wrong with a document, as clients are told it; nothing where it is valid."""


class ManifestError(SettingsError):
    """A manifest that cannot be served: the file, the id and the reason."""


@dataclass(frozen=True, slots=True)
class Documents:
    texts: Mapping[str, str] = field(default_factory=lambda: NO_DOCUMENTS)
    are_the_only_ones: bool = False
    """Text of a client's own is then refused, introspection included."""

    def named(self, document_id: str) -> str:
        """`RefusalError` where there is none of that id."""
        text = self.texts.get(document_id)
        if text is None:
            shown = document_id if re.fullmatch(r"[\w:.-]{1,100}", document_id, re.ASCII) else "of that id"
            raise RefusalError(None, f"there is no document {shown}; its server knows others", "DOCUMENT_NOT_FOUND")
        return text

    def check_free_text(self, *, is_operator: bool) -> None:
        """`RefusalError` where only known documents are answered. A known operator asks what he likes."""
        if self.are_the_only_ones and not is_operator:
            raise RefusalError(
                None,
                "this server answers documents that it knows; send documentId in place of query",
                "DOCUMENT_REQUIRED",
            )


def read_documents(path: Path, check: Check) -> dict[str, str]:
    """Id -> text of a manifest. `ManifestError` with the first thing that is wrong."""
    if path.stat().st_size > MAX_MANIFEST_BYTES:
        raise ManifestError(f"{path} has more than {MAX_MANIFEST_BYTES:,} bytes")
    try:
        manifest = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as error:
        raise ManifestError(f"{path} is not JSON: {error}") from error
    if not isinstance(manifest, dict) or not all(isinstance(text, str) for text in manifest.values()):
        raise ManifestError(f"{path} is no manifest; that is one JSON object, id -> text of the document")
    for document_id, text in manifest.items():
        if problem := _wrong_id(document_id, text):
            raise ManifestError(f"{path}: {document_id}: {problem}")
        if errors := check(text):
            raise ManifestError(f"{path}: {document_id}: {errors[0]['message']}")
    return manifest


def _wrong_id(document_id: str, text: str) -> str | None:
    prefix, colon, rest = document_id.partition(":")
    if len(document_id) > MAX_ID or not (rest if colon else prefix):
        return f"an id has 1 to {MAX_ID} characters"
    if prefix == "sha256" and colon:
        true = sha256(text.encode()).hexdigest()
        return None if rest == true else f"is not the hash of its text, which is sha256:{true}"
    if colon and not prefix.startswith("x-"):
        return f"the prefix '{prefix}:' is not known; use sha256:, one that begins with x-, or none"
    return None
