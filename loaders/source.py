"""Files into lines, for every loader: plain, gzip and zstd, told apart by their first bytes and not by their names.

A file is somebody else's: memory stays bounded whatever it holds, and what cannot be read is an item that says why.
"""

import errno
import os
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import zstandard

from loaders.item import Location, Rejected

OnBytes = Callable[[int], None]
"""Told how many bytes of the file, as it lies on disk, were consumed since the last call."""

RAW_CHARACTERS = 2_000
_CHUNK = 1 << 18
_STEP = 256
"""Compressed bytes per step. Four bytes of zstd can stand for 128 KiB, so one step yields at most 8 MiB."""
_GZIP, _ZSTD, _BYTE_ORDER_MARK = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is read before a line, a document or an archive is taken for broken or hostile."""

    line_bytes: int = 10_000_000
    document_bytes: int = 256 * 2**20
    archive_bytes: int = 4 * 2**30
    """Of the content of one compressed file."""
    archive_ratio: int = 200
    """Content per compressed byte; transcripts reach about 20."""
    archive_ratio_from: int = 128 * 2**20
    """Content below this size is never judged by its ratio: a small file may be one line repeated."""


DEFAULT_LIMITS = Limits()


class _BrokenFileError(Exception):
    """No more of this file can be read; the message says why."""


@dataclass(frozen=True, slots=True)
class _Overlong:
    beginning: bytes
    size: int


class _Inflater(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /) -> bytes: ...


def read_lines(
    path: Path, shown_as: str, on_bytes: OnBytes | None = None, limits: Limits = DEFAULT_LIMITS
) -> Iterator[tuple[Location, bytes] | Rejected]:
    """Every line that is not blank, without its ending. A break ends the file, with one `Rejected` at its line."""
    number = 0
    try:
        for number, line in enumerate(_lines(_contents(path, on_bytes, limits), limits.line_bytes), start=1):
            if isinstance(line, _Overlong):
                reason = f"the line is {line.size:,} bytes long; a line may have {limits.line_bytes:,}"
                yield Rejected(Location(shown_as, number), reason, excerpt(line.beginning))
            elif line and not line.isspace():
                yield Location(shown_as, number), line
    except _BrokenFileError as broken:
        yield Rejected(Location(shown_as, number + 1), str(broken))
    except OSError as error:
        yield Rejected(Location(shown_as), f"cannot be read: {error.strerror or error}")


def read_document(
    path: Path, shown_as: str, on_bytes: OnBytes | None = None, limits: Limits = DEFAULT_LIMITS
) -> bytes | Rejected:
    """A whole file that is one document (JSON over many lines)."""
    document = bytearray()
    try:
        for block in _contents(path, on_bytes, limits):
            document += block
            if len(document) > limits.document_bytes:
                return Rejected(
                    Location(shown_as), f"is over {limits.document_bytes:,} bytes, the most that is read at once"
                )
    except _BrokenFileError as broken:
        return Rejected(Location(shown_as), str(broken))
    except OSError as error:
        return Rejected(Location(shown_as), f"cannot be read: {error.strerror or error}")
    return bytes(document)


def total_bytes(paths: Iterable[Path]) -> int:
    """The sum that `on_bytes` will reach; a file that is gone counts nothing."""
    return sum(path.stat().st_size for path in paths if path.is_file())


def refusal(path: Path, root: Path) -> str | None:
    """Why `path` must not be opened: it leads out of `root`, or to nothing that can be read as a file or a folder."""
    try:
        target, home = path.resolve(strict=True), root.resolve(strict=True)
    except (OSError, RuntimeError):  # RuntimeError: links in a circle, before Python 3.13
        return "is a link that leads nowhere"
    if not target.is_relative_to(home):
        return f"is a link to {target}, which is outside of {root}; links out of the directory are not followed"
    if not (target.is_file() or target.is_dir()):
        return "is not a regular file"
    return None


def excerpt(line: bytes) -> str:
    """The beginning of a line, to be kept beside the reason why it was rejected."""
    text = line[: 4 * RAW_CHARACTERS].decode("utf-8", "replace")
    return text[:RAW_CHARACTERS].replace("\x00", "\ufffd")


def _contents(path: Path, on_bytes: OnBytes | None, limits: Limits) -> Iterator[bytes]:
    if path.exists() and not path.is_file():  # opening a pipe would wait for its writer
        raise OSError(errno.EINVAL, "not a regular file")
    with path.open("rb") as file:
        chunks = _chunks(file.fileno(), on_bytes)
        head = next(chunks, b"")
        if head.startswith(_GZIP):
            yield from _inflated(head, chunks, lambda: zlib.decompressobj(wbits=31), limits)
        elif head.startswith(_ZSTD):
            # 128 MiB is the window that zstd itself accepts by default; a frame may ask for gigabytes.
            zstd = zstandard.ZstdDecompressor(max_window_size=2**27)
            yield from _inflated(head, chunks, zstd.decompressobj, limits)
        else:
            yield head.removeprefix(_BYTE_ORDER_MARK)
            yield from chunks


def _chunks(descriptor: int, on_bytes: OnBytes | None) -> Iterator[bytes]:
    while chunk := os.read(descriptor, _CHUNK):
        if on_bytes is not None:
            on_bytes(len(chunk))
        yield chunk


def _inflated(head: bytes, rest: Iterator[bytes], new: Callable[[], _Inflater], limits: Limits) -> Iterator[bytes]:
    stream, taken, given = new(), 0, 0
    for piece in _steps(head, rest):
        taken += len(piece)
        left = piece
        while left:
            if stream.eof:
                left = left.lstrip(b"\x00")  # padding behind the last part of an archive
                if not left:
                    break
                stream = new()
            try:
                content = stream.decompress(left)
            except (zlib.error, zstandard.ZstdError) as error:
                raise _BrokenFileError(
                    f"the archive is damaged near its byte {taken:,} ({error}); lines before it were read"
                ) from error
            given += len(content)
            _check_size(given, taken, limits)
            yield content
            left = stream.unused_data if stream.eof else b""
    if not stream.eof:
        raise _BrokenFileError(f"the archive is cut off after {taken:,} bytes; complete lines before the cut were read")


def _steps(head: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    chunk = head
    while chunk:
        for start in range(0, len(chunk), _STEP):
            yield chunk[start : start + _STEP]
        chunk = next(rest, b"")


def _check_size(given: int, taken: int, limits: Limits) -> None:
    if given > limits.archive_bytes:
        raise _BrokenFileError(f"the archive holds more than {limits.archive_bytes:,} bytes; the rest is not read")
    if given > limits.archive_ratio_from and given > taken * limits.archive_ratio:
        raise _BrokenFileError(
            f"the archive holds {given:,} bytes in {taken:,}, over {limits.archive_ratio} times its size; "
            "this looks like a decompression bomb and the rest is not read"
        )


def _lines(contents: Iterator[bytes], limit: int) -> Iterator[bytes | _Overlong]:
    """Lines without their endings. At most `limit` bytes are held; of a longer line only its size is learned."""
    held = bytearray()
    size = 0
    for block in contents:
        for start in range(0, len(block), _CHUNK):
            *ended, rest = block[start : start + _CHUNK].split(b"\n")
            for piece in ended:
                if size or len(piece) > limit:
                    held += piece[: limit - len(held)]
                    yield _line(held, size + len(piece))
                    held.clear()
                    size = 0
                else:
                    yield piece[:-1] if piece.endswith(b"\r") else piece
            held += rest[: limit - len(held)]
            size += len(rest)
    if size:
        yield _line(held, size)


def _line(held: bytearray, size: int) -> bytes | _Overlong:
    if size > len(held):
        return _Overlong(bytes(held[: 4 * RAW_CHARACTERS]), size)
    return bytes(held.removesuffix(b"\r"))
