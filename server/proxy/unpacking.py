"""A copy of an answer, unpacked piece by piece: what the client gets stays packed as it came."""

import zlib
from collections.abc import Iterator
from typing import Protocol

import zstandard

_STEP = 256
"""Packed bytes at a time. Four bytes of zstd can stand for 128 KiB, so a step yields at most 8 MiB."""
_PIECE = 1 << 20
_WINDOW = 1 << 23
"""What RFC 9659 allows `zstd` to look back."""
MOST_UNPACKED = 256 * 2**20


class PackingError(Exception):
    """What cannot be unpacked; the message is the reason why no usage is known."""


class Unpacker(Protocol):
    def feed(self, packed: bytes) -> Iterator[bytes]: ...


class _Plain:
    def feed(self, packed: bytes) -> Iterator[bytes]:
        yield packed


class _Deflated:
    """gzip and deflate: of the latter both forms, with zlib's header as it should be, and without."""

    def __init__(self, wbits: int) -> None:
        self._wbits, self._inflater, self._size = wbits, zlib.decompressobj(wbits), 0

    def feed(self, packed: bytes) -> Iterator[bytes]:
        while packed and not self._inflater.eof:
            try:
                piece = self._inflater.decompress(packed, _PIECE)
            except zlib.error:
                if self._size or self._wbits != zlib.MAX_WBITS:
                    raise PackingError("the answer is not packed as it says") from None
                self._wbits, self._inflater = -zlib.MAX_WBITS, zlib.decompressobj(-zlib.MAX_WBITS)
                continue
            packed, self._size = self._inflater.unconsumed_tail, _counted(self._size + len(piece))
            if piece:
                yield piece


class _Zstandard:
    def __init__(self) -> None:
        self._inflater = zstandard.ZstdDecompressor(max_window_size=_WINDOW).decompressobj()
        self._size = 0

    def feed(self, packed: bytes) -> Iterator[bytes]:
        for begin in range(0, len(packed), _STEP):
            if self._inflater.eof:
                return
            try:
                piece = self._inflater.decompress(packed[begin : begin + _STEP])
            except zstandard.ZstdError:
                raise PackingError("the answer is not packed as it says") from None
            self._size = _counted(self._size + len(piece))
            if piece:
                yield piece


def unpacker_of(coding: str) -> Unpacker:
    """Raises `PackingError` for a content coding that cannot be read here."""
    match coding.strip().lower():
        case "" | "identity":
            return _Plain()
        case "gzip" | "x-gzip":
            return _Deflated(zlib.MAX_WBITS | 16)
        case "deflate":
            return _Deflated(zlib.MAX_WBITS)
        case "zstd":
            return _Zstandard()
        case other:
            raise PackingError(f"the answer is packed as {other[:40]!r}, which the proxy cannot read")


def _counted(size: int) -> int:
    if size > MOST_UNPACKED:
        raise PackingError(f"the answer unpacks to over {MOST_UNPACKED:,} bytes")
    return size
