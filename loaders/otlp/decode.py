"""A body as it came -> a `Batch`, in either encoding, whichever signal's path it came by."""

from loaders.otlp.batch import MAX_BYTES, Batch, Encoding, Signal, TooMuchError
from loaders.otlp.json_body import read_json
from loaders.otlp.meant import signal_meant
from loaders.otlp.protobuf import read_protobuf

_READERS = {"protobuf": read_protobuf, "json": read_json}


def decode(signal: Signal, encoding: Encoding, body: bytes) -> Batch:
    """What an export request says; one without anything is empty, not wrong. The batch says of which signal it is.

    Raises `DecodeError` where the body as a whole cannot be taken. An entry that is wrong by itself is a `Wrong` in its
    place.
    """
    if len(body) > MAX_BYTES:
        raise TooMuchError(f"the body is {len(body):,} bytes; one may have {MAX_BYTES:,}: export smaller batches")
    meant = signal_meant(signal, encoding, body)
    return Batch(meant, tuple(_READERS[encoding](meant, body)))
