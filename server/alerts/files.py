"""Files that other programs watch: each appears whole or not at all."""

import os
from contextlib import suppress
from pathlib import Path
from tempfile import mkstemp


def write_whole(path: Path, text: str, mode: int) -> None:
    """Puts a file in its place in one step. Raises OSError; nothing is left behind then.

    The temporary name begins with a dot and does not end like the file, so that nobody who collects `*.prom` reads it.
    """
    handle, temporary = mkstemp(prefix=f".{path.name}.", suffix=".new", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:  # whatever happened, Ctrl-C too: half a file stays nowhere
        with suppress(OSError):
            Path(temporary).unlink()
        raise
