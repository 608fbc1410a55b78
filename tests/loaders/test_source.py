"""Reading lines out of files that may be compressed, cut off, damaged, enormous or not files at all."""

import gzip
import os
import random
import tracemalloc
from pathlib import Path

import pytest
import zstandard

from loaders.item import Location, Rejected
from loaders.source import Limits, excerpt, read_document, read_lines, refusal, total_bytes

SMALL = Limits(line_bytes=100, document_bytes=1000)


def texts(path: Path, limits: Limits | None = None) -> list[bytes]:
    read = read_lines(path, "shown") if limits is None else read_lines(path, "shown", limits=limits)
    return [item[1] for item in read if isinstance(item, tuple)]


def rejections(path: Path, limits: Limits | None = None) -> list[Rejected]:
    read = read_lines(path, "shown") if limits is None else read_lines(path, "shown", limits=limits)
    return [item for item in read if isinstance(item, Rejected)]


def noise(lines: int) -> bytes:
    """Text that does not compress to nothing, so that an archive has a middle."""
    draw = random.Random(7)
    return b"".join(f"{number} {draw.getrandbits(800):x}\n".encode() for number in range(lines))


def test_each_line_comes_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"one\ntwo\r\nthree")
    assert list(read_lines(path, "home/a.jsonl")) == [
        (Location("home/a.jsonl", 1), b"one"),
        (Location("home/a.jsonl", 2), b"two"),
        (Location("home/a.jsonl", 3), b"three"),
    ]


def test_where_the_file_is_cut_into_blocks_does_not_matter(tmp_path: Path) -> None:
    """An archive comes in blocks of some hundred bytes, so lines of every length lie across their ends."""
    draw = random.Random(3)
    pieces = [draw.choice([b"", b"a" * draw.randrange(400), b"b\r", b"\r"]) for _ in range(3_000)]
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(b"\n".join(pieces), compresslevel=1))
    plain = tmp_path / "a.jsonl"
    plain.write_bytes(b"\n".join(pieces))
    kept = [piece.removesuffix(b"\r") for piece in pieces]
    expected = [line for line in kept if line and not line.isspace() and len(line) <= 100]
    whole = [piece for piece in kept if piece]
    assert texts(path) == texts(plain) == whole
    assert texts(path, SMALL) == texts(plain, SMALL) == expected
    assert len(rejections(path, SMALL)) == len(rejections(plain, SMALL)) == len(whole) - len(expected)


def test_blank_lines_are_no_items_but_they_count_as_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\none\n  \r\n\ntwo\n")
    assert list(read_lines(path, "a")) == [(Location("a", 2), b"one"), (Location("a", 5), b"two")]


def test_an_empty_file_has_no_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"")
    assert list(read_lines(path, "a")) == []


def test_a_byte_order_mark_is_no_part_of_the_first_line(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\xef\xbb\xbfone\n")
    assert texts(path) == [b"one"]


def test_the_first_bytes_tell_the_compression_and_the_name_does_not(tmp_path: Path) -> None:
    content = b"one\ntwo\n"
    for name, stored in (
        ("plain.zst", content),
        ("gzip.jsonl", gzip.compress(content)),
        ("zstd.gz", zstandard.ZstdCompressor().compress(content)),
    ):
        (tmp_path / name).write_bytes(stored)
        assert texts(tmp_path / name) == [b"one", b"two"]


def test_an_archive_written_in_several_parts_is_read_to_its_end(tmp_path: Path) -> None:
    squeeze = zstandard.ZstdCompressor().compress
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"one\ntw") + gzip.compress(b"o\n") + bytes(512))
    (tmp_path / "a.zst").write_bytes(squeeze(b"one\ntw") + squeeze(b"o\n"))
    assert texts(tmp_path / "a.gz") == [b"one", b"two"]
    assert texts(tmp_path / "a.zst") == [b"one", b"two"]


def test_a_line_over_the_limit_is_rejected_and_the_next_one_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"one\n" + b"x" * 101 + b"\ntwo\n" + b"y" * 100 + b"\n")
    assert texts(path, SMALL) == [b"one", b"two", b"y" * 100]
    assert rejections(path, SMALL) == [
        Rejected(Location("shown", 2), "the line is 101 bytes long; a line may have 100", "x" * 100)
    ]


def test_a_last_line_over_the_limit_without_an_ending_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"one\n" + b"x" * 300)
    assert [str(item.location) for item in rejections(path, SMALL)] == ["shown:2"]


def test_a_line_of_ten_million_bytes_is_read_and_one_byte_more_is_not(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"x" * 10_000_000 + b"\n" + b"y" * 10_000_001 + b"\nlast\n")
    assert [len(line) for line in texts(path)] == [10_000_000, 4]
    (rejected,) = rejections(path)
    assert rejected.reason == "the line is 10,000,001 bytes long; a line may have 10,000,000"
    assert rejected.raw == "y" * 2_000


def test_memory_stays_bounded_by_the_line_limit_and_not_by_the_line(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with path.open("wb") as file:
        for _ in range(60):
            file.write(b"x" * 1_000_000)
        file.write(b"\nlast\n")
    tracemalloc.start()
    assert texts(path, Limits(line_bytes=1_000_000)) == [b"last"]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8_000_000


@pytest.mark.parametrize("kind", ["gzip", "zstd"])
def test_an_archive_that_is_cut_off_gives_its_complete_lines_and_then_says_so(tmp_path: Path, kind: str) -> None:
    content = noise(4_000)
    whole = gzip.compress(content) if kind == "gzip" else zstandard.ZstdCompressor().compress(content)
    path = tmp_path / "a"
    path.write_bytes(whole[: len(whole) // 2])
    lines = texts(path)
    assert 1_000 < len(lines) < 2_500
    assert lines == content.splitlines()[: len(lines)]
    (rejected,) = rejections(path)
    assert rejected.location == Location("shown", len(lines) + 1)
    assert "cut off" in rejected.reason


def test_an_archive_cut_off_by_its_last_byte_still_gives_every_line(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(b"one\ntwo\n")[:-1])
    assert texts(path) == [b"one", b"two"]
    assert [item.location.line for item in rejections(path)] == [3]


@pytest.mark.parametrize("kind", ["gzip", "zstd"])
def test_a_damaged_archive_gives_the_lines_before_the_damage_and_one_rejection(tmp_path: Path, kind: str) -> None:
    content = noise(4_000)
    zstd = zstandard.ZstdCompressor(write_checksum=True)
    whole = bytearray(gzip.compress(content) if kind == "gzip" else zstd.compress(content))
    middle = len(whole) // 2
    whole[middle : middle + 64] = b"\xff" * 64
    path = tmp_path / "a"
    path.write_bytes(bytes(whole))
    assert len(texts(path)) > 1_000
    assert texts(path)[:1_000] == content.splitlines()[:1_000]
    (rejected,) = rejections(path)
    assert "damaged" in rejected.reason


def test_bytes_behind_the_end_of_an_archive_are_damage(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(b"one\n") + b"garbage")
    assert texts(path) == [b"one"]
    assert len(rejections(path)) == 1


def test_an_archive_over_the_size_cap_ends_with_one_rejection(tmp_path: Path) -> None:
    path = tmp_path / "a.zst"
    path.write_bytes(zstandard.ZstdCompressor().compress(noise(20_000)))
    (rejected,) = rejections(path, Limits(archive_bytes=1_000_000))
    assert rejected.reason == "the archive holds more than 1,000,000 bytes; the rest is not read"
    assert len(texts(path, Limits(archive_bytes=1_000_000))) > 1_000


@pytest.mark.parametrize("kind", ["gzip", "zstd"])
def test_a_decompression_bomb_ends_that_file_with_one_rejection(tmp_path: Path, kind: str) -> None:
    content = b"0" * 140_000_000
    path = tmp_path / "bomb"
    path.write_bytes(gzip.compress(content) if kind == "gzip" else zstandard.ZstdCompressor().compress(content))
    del content
    (rejected,) = list(read_lines(path, "shown"))
    assert isinstance(rejected, Rejected)
    assert "decompression bomb" in rejected.reason


def test_a_small_file_that_repeats_one_line_is_no_bomb(tmp_path: Path) -> None:
    path = tmp_path / "a.zst"
    path.write_bytes(zstandard.ZstdCompressor().compress(b"the same line again\n" * 100_000))
    assert len(texts(path)) == 100_000


def test_progress_counts_compressed_bytes_and_ends_at_the_total(tmp_path: Path) -> None:
    plain, packed = tmp_path / "a.jsonl", tmp_path / "b.zst"
    plain.write_bytes(noise(10_000))
    packed.write_bytes(zstandard.ZstdCompressor().compress(noise(10_000)))
    steps: list[int] = []
    for path in (plain, packed):
        assert sum(1 for _ in read_lines(path, "a", steps.append)) == 10_000
    assert len(steps) > 4
    assert sum(steps) == total_bytes([plain, packed]) == plain.stat().st_size + packed.stat().st_size


def test_a_file_that_is_gone_is_one_rejection_and_no_bytes(tmp_path: Path) -> None:
    path = tmp_path / "gone.jsonl"
    assert list(read_lines(path, "gone")) == [Rejected(Location("gone"), "cannot be read: No such file or directory")]
    assert total_bytes([path]) == 0


def test_a_pipe_is_rejected_and_nobody_waits_for_its_writer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.jsonl")
    assert list(read_lines(tmp_path / "a.jsonl", "a")) == [
        Rejected(Location("a"), "cannot be read: not a regular file")
    ]
    assert refusal(tmp_path / "a.jsonl", tmp_path) == "is not a regular file"


def test_a_document_is_read_whole_in_any_compression(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b'{\n"a": 1\n}')
    (tmp_path / "b.json").write_bytes(gzip.compress(b'{\n"a": 1\n}'))
    assert read_document(tmp_path / "a.json", "a") == b'{\n"a": 1\n}'
    assert read_document(tmp_path / "b.json", "b") == b'{\n"a": 1\n}'


def test_a_document_that_is_too_large_cut_off_or_gone_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"x" * 1001)
    (tmp_path / "cut").write_bytes(gzip.compress(b"x" * 500)[:-4])
    reasons = []
    for name in ("large", "cut", "gone"):
        document = read_document(tmp_path / name, name, limits=SMALL)
        assert isinstance(document, Rejected)
        reasons.append(document.reason)
    assert reasons[0] == "is over 1,000 bytes, the most that is read at once"
    assert "cut off" in reasons[1]
    assert reasons[2] == "cannot be read: No such file or directory"


def test_a_link_out_of_the_directory_is_refused_and_one_within_it_is_not(tmp_path: Path) -> None:
    home, outside = tmp_path / "home", tmp_path / "secret.jsonl"
    home.mkdir()
    outside.write_text("secret")
    (home / "real.jsonl").write_text("mine")
    (home / "out.jsonl").symlink_to(outside)
    (home / "in.jsonl").symlink_to(home / "real.jsonl")
    (home / "up.jsonl").symlink_to("../secret.jsonl")
    assert refusal(home / "real.jsonl", home) is None
    assert refusal(home / "in.jsonl", home) is None
    assert "outside of" in str(refusal(home / "out.jsonl", home))
    assert "outside of" in str(refusal(home / "up.jsonl", home))


def test_a_link_to_nothing_and_links_in_a_circle_are_refused(tmp_path: Path) -> None:
    (tmp_path / "dangling").symlink_to(tmp_path / "nothing")
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    assert refusal(tmp_path / "dangling", tmp_path) == "is a link that leads nowhere"
    assert refusal(tmp_path / "a", tmp_path) == "is a link that leads nowhere"


def test_a_directory_that_is_itself_a_link_holds_its_own_files(tmp_path: Path) -> None:
    real = tmp_path / "disk" / "home"
    real.mkdir(parents=True)
    (real / "a.jsonl").write_text("mine")
    (tmp_path / "home").symlink_to(real)
    assert refusal(tmp_path / "home" / "a.jsonl", tmp_path / "home") is None


def test_an_excerpt_is_short_text_whatever_the_bytes_were() -> None:
    assert excerpt(b"\xff\x00ok") == "\ufffd\ufffdok"
    assert len(excerpt("é".encode() * 5_000)) == 2_000
