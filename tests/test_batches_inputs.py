"""What is found to be read, and the shards it is parted into."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch_reading import SCANS
from pendigit.batches.inputs import Shard, fetch, find_inputs
from pendigit.errors import ImageError, UsageError


def paths(*sources: str) -> list[str]:
    return [each.path for each in sorted(find_inputs(sources))]


def test_folders_patterns_lists_and_files_are_found_in_order(scans: Path) -> None:
    (scans / ".hidden.png").write_bytes(b"")
    (scans / "notes.md").write_text("no image")
    assert paths("scans") == SCANS
    assert paths("scans/**/[2-4].png") == ["scans/3.png", "scans/4.png", "scans/more/2.png"]
    Path("list.txt").write_text("scans/5.png\n\nscans/0.png\r\nnowhere.png\n", encoding="utf-8-sig")
    assert paths("list.txt") == ["scans/5.png", "scans/0.png", "nowhere.png"]
    assert paths("scans/4.png", "scans/more") == ["scans/4.png", "scans/more/2.png"]
    url = f"file://{scans.resolve()}"
    assert paths(url) == [f"{url}/{path.removeprefix('scans/')}" for path in SCANS]
    assert fetch(f"{url}/0.png") == (scans / "0.png").read_bytes()
    for empty in ("nowhere", "scans/*.gif", "nowhere.txt"):
        with pytest.raises(ImageError, match=r"no images found|cannot read the list"):
            paths(empty)
    with pytest.raises(UsageError, match="foo://"):
        paths("foo://bucket/scans")


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), unique=True), st.integers(1, 9))
def test_shards_part_the_images(names: list[str], count: int) -> None:
    shards = [Shard.parse(f"{index}/{count}") for index in range(1, count + 1)]
    assert all(sum(shard.holds(name) for shard in shards) == 1 for name in names)


@pytest.mark.parametrize("count", [2, 3, 8])
def test_shards_are_about_as_large(count: int) -> None:
    for names in ([f"scans/{number}.png" for number in range(count * 8)], [f"{n:05}.tif" for n in range(count * 8)]):
        sizes = [sum(map(Shard(index + 1, count).holds, names)) for index in range(count)]
        assert min(sizes) >= 1
        assert max(sizes) <= 20


@pytest.mark.parametrize("text", ["0/3", "4/3", "1", "a/b", "-1/2", "1/0", ""])
def test_shards_that_are_none(text: str) -> None:
    with pytest.raises(UsageError, match="--shard"):
        Shard.parse(text)
