"""Reading one list of a repository, from the newest change back to the last one that is known."""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from datetime import datetime

from loaders.cell import CellError
from loaders.github.api import Api
from loaders.github.cursor import Mark
from loaders.github.entry import Entry, Lens, Object
from loaders.item import Ignored, Item, Location, Rejected
from loaders.web_json import shown

REPEATED = "the same entry again: it moved to the front while the pages were read"
KNOWN = "not changed since the last load"


@dataclass(frozen=True, slots=True)
class Listing:
    """A list to be read, and how one of its entries is."""

    what: str
    url: str
    read: Callable[[Object, Lens], Entry]
    since: datetime | None
    """Entries that were last changed before are known."""
    ignored: Callable[[Object], str | None] = lambda _: None
    """The rule by which an entry is none of this list."""


def read_list(
    api: Api, listing: Listing, mark: Mark, lens: Lens
) -> Generator[Item, None, tuple[dict[int, Entry], Mark]]:
    """Yields an item for every entry that is not kept; gives those that are, and how far the list was read."""
    kept: dict[int, Entry] = {}
    newest, etag = mark.updated_at, None
    known_etag = mark.etag if mark.url == listing.url else None
    for number, page in enumerate(api.pages(listing.url, known_etag, listing.what), start=1):
        if page.is_unchanged:
            return kept, mark
        if page.is_switched_off:
            yield Ignored(Location(api.repository), f"{listing.what} are switched off in the repository")
            return kept, mark
        etag = page.etag if number == 1 else etag
        oldest: datetime | None = None
        for place, raw in enumerate(page.entries, start=1):
            entry = _entry(raw, Location(f"{api.repository} {listing.what}, page {number}", place), listing, lens)
            if not isinstance(entry, Entry):
                yield entry
                continue
            oldest = entry.updated_at
            # A clock that is ahead must not hide what happens until then.
            newest = min(lens.now, entry.updated_at) if newest is None else max(newest, min(lens.now, oldest))
            yield from _keep(entry, kept, api.repository, listing.since)
        if oldest is not None and listing.since is not None and oldest < listing.since:
            break
    return kept, Mark(newest, listing.url, etag)


def place_of(repository: str, entry: Entry) -> Location:
    return Location(f"{repository}#{entry.number}")


def _entry(raw: object, place: Location, listing: Listing, lens: Lens) -> Entry | Item:
    if not isinstance(raw, dict):
        return Rejected(place, "must be a JSON object like {'number': 17, ...}", shown(raw))
    rule = listing.ignored(raw)
    if rule is not None:
        return Ignored(place, rule)
    try:
        return listing.read(raw, lens)
    except CellError as error:
        return Rejected(place, str(error), shown(raw))


def _keep(entry: Entry, kept: dict[int, Entry], repository: str, since: datetime | None) -> Generator[Item, None, None]:
    earlier = kept.get(entry.number)
    if since is not None and entry.updated_at < since:
        yield Ignored(place_of(repository, entry), KNOWN)
        return
    if earlier is not None:
        yield Ignored(place_of(repository, entry), REPEATED)
    if earlier is None or entry.updated_at >= earlier.updated_at:
        kept[entry.number] = entry
