"""OpenTelemetry's protocol, its content: what the bodies of traces, logs and metrics say of calls to models.

`decode` reads a body in either encoding and holds the limits; `read_batch` turns what it says into records. The HTTP
side is `server.intake`; `LOADER` reads bodies that lie in files.
"""

from loaders.otlp.around import Around
from loaders.otlp.batch import Batch, DecodeError, Encoding, Signal, Wrong
from loaders.otlp.decode import decode
from loaders.otlp.files import LOADER
from loaders.otlp.read import read_batch

__all__ = ["LOADER", "Around", "Batch", "DecodeError", "Encoding", "Signal", "Wrong", "decode", "read_batch"]
