"""A body as it came -> a `Batch`, in either encoding."""

from loaders.otlp.batch import MAX_BYTES, Batch, DecodeError, Encoding, Signal
from loaders.otlp.json_body import read_json
from loaders.otlp.protobuf import read_protobuf

_READERS = {"protobuf": read_protobuf, "json": read_json}


def decode(signal: Signal, encoding: Encoding, body: bytes) -> Batch:
    """What an export request says; one without anything is empty, not wrong.

    Raises `DecodeError` where the body as a whole cannot be taken. An entry that is wrong by itself is a `Wrong` in its
    place.
    """
    if len(body) > MAX_BYTES:
        raise DecodeError(f"the body is {len(body):,} bytes; one may have {MAX_BYTES:,}: export smaller batches")
    return Batch(signal, tuple(_READERS[encoding](signal, body)))
