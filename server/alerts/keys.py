"""The key that posts are signed with, out of the secret that a person states."""

import base64
import binascii

SECRET_PREFIX = "whsec_"  # noqa: S105 - the mark of a secret, not one


def key_of(secret: str) -> bytes:
    """A secret that begins with whsec_ is base64, any other is taken as it is. ValueError where it is not base64."""
    if not secret.startswith(SECRET_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error:
        raise ValueError(f"a secret that begins with {SECRET_PREFIX} must go on in base64") from None
