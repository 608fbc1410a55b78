"""Names that were given to a call, so that no second call gets them: records that share a name are taken for one call.

A client may send one span, or one request id, with many calls, also before and after a restart of the proxy. So names
are remembered in a file of the spool, 8 bytes each. One that cannot be remembered is not given.
"""

import logging
import os
from collections import OrderedDict
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

MOST_NAMES = 200_000
_BYTES = 8
_LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class Once:
    path: Path
    most: int = MOST_NAMES
    _given: OrderedDict[bytes, None] = field(default_factory=OrderedDict, init=False)
    _file: int = field(default=-1, init=False)

    def open(self) -> None:
        """Reads the newest names of the file, and takes older ones out of it. Raises `OSError`."""
        content = self.path.read_bytes() if self.path.exists() else b""
        whole = content[: len(content) // _BYTES * _BYTES]
        kept = whole[-self.most * _BYTES :]
        if kept != content:
            rewritten = self.path.with_suffix(".new")
            rewritten.write_bytes(kept)
            rewritten.rename(self.path)
        self._given = OrderedDict.fromkeys(kept[at : at + _BYTES] for at in range(0, len(kept), _BYTES))
        self._file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def is_first(self, name: str) -> bool:
        """Whether this call may have the name; no later one may."""
        short = blake2b(name.encode(), digest_size=_BYTES).digest()
        if short in self._given:
            return False
        try:
            end = os.fstat(self._file).st_size
            if os.write(self._file, short) != _BYTES:
                os.ftruncate(self._file, end)  # half a name would shift all that follow
                raise OSError("the disk is full")
        except OSError as error:
            _LOG.error("the names of a call are left out, because %s cannot be written: %s", self.path, error)
            return False
        self._given[short] = None
        if len(self._given) > self.most:
            self._given.popitem(last=False)
        return True
