"""Settings of alerts: half of them is refused with what is missing, and no secret is repeated."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from server.alerts.settings import SettingsError
from server.cli.failures import message_of
from server.settings import Settings

MATRIX = {"matrix_url": "https://m.example.org", "matrix_room": "!a:example.org", "matrix_token": "s3cret-token"}


def refused(**given: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        Settings(**given)
    return message_of(caught.value)


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({"matrix_url": "https://m.example.org"}, "CLAWBACK_MATRIX_ROOM and CLAWBACK_MATRIX_TOKEN (or CLAWBACK_MATRIX"),
        ({"matrix_token": "s3cret-token"}, "alerts to Matrix need CLAWBACK_MATRIX_URL and CLAWBACK_MATRIX_ROOM, too"),
        ({**MATRIX, "matrix_room": ""}, "alerts to Matrix need CLAWBACK_MATRIX_ROOM, too"),
        ({"webhook_secret": "s3cret-token"}, "CLAWBACK_WEBHOOK_SECRET signs posts to CLAWBACK_WEBHOOK_URL, which is"),
    ],
)
def test_half_of_the_settings_is_refused_with_the_other_half(given: dict[str, str], missing: str) -> None:
    told = refused(**given)
    assert missing in told
    assert "s3cret" not in told


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({**MATRIX, "matrix_token_file": Path("token")}, "not both"),
        ({**MATRIX, "matrix_token": "s3cret token"}, "CLAWBACK_MATRIX_TOKEN must be one word of plain ASCII"),
        ({**MATRIX, "matrix_token": "s3crët"}, "CLAWBACK_MATRIX_TOKEN must be one word of plain ASCII"),
        ({**MATRIX, "matrix_url": "http://m.example.org"}, "CLAWBACK_MATRIX_URL must begin with https://, because"),
        ({**MATRIX, "matrix_url": "ftp://m.example.org"}, "must begin with https:// or http:// and name a host"),
        ({**MATRIX, "matrix_url": "m.example.org"}, "must begin with https:// or http:// and name a host"),
        ({**MATRIX, "matrix_url": "https://me:s3cret@m.example.org"}, "must not hold a name or a password"),
        ({**MATRIX, "matrix_url": "https://m.example.org:port"}, "is no address like https://example.org"),
        ({**MATRIX, "matrix_room": "ops"}, "must be an id like !abc:example.org or an alias like #ops:example.org"),
        ({**MATRIX, "matrix_room": "!a/../b"}, "must be an id like"),
        ({"webhook_url": "file:///etc/passwd"}, "must begin with https:// or http:// and name a host"),
        ({"webhook_url": "https://example.org/s3cret\nHost: x"}, "must not hold spaces or line breaks"),
        ({"webhook_url": "https://example.org/", "webhook_secret": "whsec_s3cret!"}, "must go on in base64"),
        ({"metrics_file": "/var/lib/clawback.txt"}, "CLAWBACK_METRICS_FILE must end in .prom"),
        ({"budget_every_s": 0}, "greater than or equal to 1"),
    ],
)
def test_what_cannot_work_is_refused_and_no_secret_is_repeated(given: dict[str, Any], says: str) -> None:
    told = refused(**given)
    assert says in told
    assert "s3cret" not in told


def test_a_homeserver_on_this_machine_needs_no_https() -> None:
    assert Settings(**{**MATRIX, "matrix_url": "http://localhost:8008"}).matrix_url == "http://localhost:8008"


def test_secrets_are_in_no_printed_form() -> None:
    settings = Settings(**MATRIX, webhook_url="https://example.org/hook-s3cret", webhook_secret="s3cret")
    assert "s3cret" not in repr(settings) + str(settings.model_dump())


def test_the_token_is_read_from_its_file_each_time_and_never_repeated(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("s3cret-token\n")
    given = {name: value for name, value in MATRIX.items() if name != "matrix_token"}
    settings = Settings(**given, matrix_token_file=file)
    assert settings.matrix_token_stated() == "s3cret-token"
    file.write_bytes(b"s3cret \xff\n")
    with pytest.raises(SettingsError) as caught:
        settings.matrix_token_stated()
    assert "s3cret" not in str(caught.value)
