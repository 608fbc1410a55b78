"""The `.json` files of the first releases: one document a session, with what was said and without any usage."""

from collections.abc import Iterator
from datetime import datetime

from loaders.codex.identity import read_identity
from loaders.codex.speech import speech_of
from loaders.codex.story import Story
from loaders.item import Ignored, Item, Location, Parsed, Rejected
from loaders.openclaw.values import FieldError, as_json, as_object, object_in, parse, text
from loaders.source import excerpt
from store import RecordError

WITHOUT_USAGE = "entry of a release that wrote no usage"


def read_old_document(content: bytes, shown_as: str, named: str, now: datetime) -> Iterator[Item]:
    """The session first, then one item for each entry."""
    location = Location(shown_as)
    try:
        document = parse(content)
        entries = document.get("items")
        if not isinstance(entries, list):
            raise FieldError("items is missing; a rollout of this form has a session and a list of items")
        identity = read_identity(object_in(document, "session") or {}, named, now)
        story, items = _tell(entries, location)
        if identity.started_at is not None:
            story.pass_through(identity.started_at)
        session = story.session(identity, now, is_archived=False)
    except (FieldError, RecordError) as error:
        yield Rejected(location, str(error), excerpt(content))
        return
    yield Parsed(location, (session,)) if session else Ignored(location, "session in which nothing was asked")
    yield from items


def _tell(entries: list[object], location: Location) -> tuple[Story, list[Item]]:
    story = Story()
    items: list[Item] = []
    for entry in entries:
        try:
            said = as_object(entry)
            speech = speech_of("response_item", text(said, "type"), said)
        except FieldError as error:
            items.append(Rejected(location, str(error), excerpt(as_json(entry))))
            continue
        if speech is not None:
            speech.tell(story)
        items.append(Ignored(location, WITHOUT_USAGE))
    return story, items
