"""Image files in folders and zip files, the shipped sample, and files that mean harm."""

from __future__ import annotations

import io
import struct
import warnings
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest

from constellm import images

Image = pytest.importorskip("PIL.Image")


def png(value: int, side: int = 4, mode: str = "RGB") -> bytes:
    """A plain image."""
    content = io.BytesIO()
    colour = (value, value, value) if mode == "RGB" else value
    Image.new(mode, (side, side), colour).save(content, "PNG")
    return content.getvalue()


FILES = {
    "set/train/Forest/Forest_10.png": 3,
    "set/train/Forest/Forest_9.png": 2,
    "set/train/Annual Crop/b.PNG": 1,
    "set/train/Annual Crop/a.png": 0,
    "set/test/Forest/Forest_1.png": 4,
}
OTHERS = ["readme.txt", "set/train/Forest/note.md", "set/train/Forest/._Forest_9.png", "top.png"]


@pytest.fixture(params=["folder", "zip"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    contents = {**{name: png(value) for name, value in FILES.items()}, **dict.fromkeys(OTHERS, b"?")}
    if request.param == "zip":
        path = tmp_path / "set.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in contents.items():
                archive.writestr(name, content)
        return path
    for name, content in contents.items():
        file = tmp_path / "set" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return tmp_path / "set"


def values(read: images.ImageSet) -> list[int]:
    return read.pixels[:, 0, 0, 0].tolist()


def test_classes_and_files_in_order(place: Path) -> None:
    train = images.load(place, split="train")
    assert train.classes == ("Annual Crop", "Forest")
    assert values(train) == [0, 1, 2, 3]
    assert train.labels.tolist() == [0, 0, 1, 1]
    assert repr(train) == "ImageSet('set/train', 4 images of 4 × 4 px, 2 classes)"
    whole = images.load(str(place))
    assert values(whole) == [0, 1, 4, 2, 3]
    assert whole.name == "set"


def test_same_names_in_several_folders_have_one_order(tmp_path: Path) -> None:
    orders = []
    for i, splits in enumerate((("b", "a"), ("a", "b"))):
        with zipfile.ZipFile(tmp_path / f"{i}.zip", "w") as archive:
            for split in splits:
                archive.writestr(f"{split}/Forest/1.png", png(ord(split)))
        orders.append(values(images.load(tmp_path / f"{i}.zip")))
    assert orders == [[97, 98], [97, 98]]


def test_paths_may_be_written_in_any_way(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        for value, name in enumerate(["./set/Forest/1.png", "set//Forest/2.png", "/set/River/1.png"]):
            archive.writestr(name, png(value))
    read = images.load(tmp_path / "set.zip")
    assert values(read) == [0, 1, 2]
    assert read.classes == ("Forest", "River")


def test_missing_parts_are_named(place: Path) -> None:
    with pytest.raises(ValueError, match=r"split: 'val' is not among the folders of .*: set, test, train"):
        images.load(place, split="val")
    with pytest.raises(FileNotFoundError, match="path: nothing at"):
        images.load(place.with_name("none"))


def test_no_images(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="path: no image in folders by class"):
        images.load(tmp_path)
    path = tmp_path / "x.bin"
    path.write_bytes(b"nothing")
    with pytest.raises(ValueError, match="neither a folder nor a zip file"):
        images.load(path)


def zipped(path: Path, *contents: bytes, compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for i, content in enumerate(contents):
            archive.writestr(f"Forest/{i}.png", content)
    return path


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_header(width: int, height: int) -> bytes:
    """An image that claims a size and holds a few bytes."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        ([png(1), png(1, side=5)], r"Forest/1\.png: 5 × 5 px, but Forest/0\.png has 4 × 4"),
        ([png(1), b"no image"], r"Forest/1\.png: cannot identify image file"),
        ([b""], r"Forest/0\.png: cannot identify image file"),
        ([png(1)[:50]], r"Forest/0\.png: "),
        ([png(1, mode="I;16")], r"Forest/0\.png: expected 8 bits a channel, got an image of mode I"),
        ([png_header(5000, 5000)], r"Forest/0\.png: 5000 × 5000 px are more than 16777216"),
        ([png(1), png_header(5000, 5000)], r"Forest/1\.png: 5000 × 5000 px, but"),
        ([bytes((64 << 20) + 1)], r"Forest/0\.png: more than 64 MiB"),
    ],
)
def test_wrong_files_are_named(tmp_path: Path, contents: list[bytes], message: str) -> None:
    path = zipped(tmp_path / "set.zip", *contents)
    assert path.stat().st_size < 1 << 17
    with pytest.raises(ValueError, match=message):
        images.load(path)


def test_a_claim_of_any_size_reserves_nothing(tmp_path: Path) -> None:
    path = zipped(tmp_path / "set.zip", png_header(2**31 - 1, 2**31 - 1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's own word on it, where it only warns
        with pytest.raises(ValueError, match=r"Forest/0\.png: "):
            images.load(path)


def test_damaged_archives_raise_value_errors(tmp_path: Path) -> None:
    """Any byte may be wrong: what comes is images, or a ValueError that names the file."""
    whole = zipped(tmp_path / "set.zip", png(1), png(2), png(3)).read_bytes()
    random = np.random.Generator(np.random.PCG64(0))
    path = tmp_path / "damaged.zip"
    outcomes = {"read": 0, "refused": 0}
    for trial in range(400):
        content = bytearray(whole)
        for place in random.integers(len(whole), size=1 + trial % 3):
            content[place] = random.integers(256)
        if trial % 5 == 0:
            content = content[: random.integers(len(whole))]
        path.write_bytes(content)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                read = images.load(path)
            assert read.pixels.shape[1:] == (4, 4, 3)
            outcomes["read"] += 1
        except ValueError as error:
            assert str(path) in str(error)
            outcomes["refused"] += 1
    assert outcomes["refused"] > 200


def test_sample_is_balanced_from_the_start() -> None:
    sample = images.sample()
    assert sample.pixels.shape == (300, 64, 64, 3)
    assert sample.classes == (
        "AnnualCrop",
        "Forest",
        "HerbaceousVegetation",
        "Highway",
        "Industrial",
        "Pasture",
        "PermanentCrop",
        "Residential",
        "River",
        "SeaLake",
    )
    assert sample.labels.tolist() == list(range(10)) * 30
    assert len({image.tobytes() for image in sample.pixels}) == 300
    # Decoders may differ in the last bit; colours do not.
    assert np.round(sample.pixels.mean(axis=(0, 1, 2))).tolist() == [85.0, 96.0, 104.0]


def test_sample_comes_with_its_licence() -> None:
    folder = Path(images.__file__).parent / "data" / "eurosat"
    assert "Patrick Helber" in (folder / "LICENSE").read_text(encoding="utf-8")
    assert "arXiv 1709.00029" in (folder / "SOURCE").read_text(encoding="utf-8")
    assert (folder / "sample.zip").stat().st_size < 1.2e6


def test_few_bytes_cannot_ask_for_any_memory(tmp_path: Path) -> None:
    """Names cost little in a zip file, and each would be given the space of the first image."""
    path = zipped(tmp_path / "many.zip", png(1, side=512), *[b""] * 30_000)
    with pytest.raises(ValueError, match=r"0\.png: 30001 images of this size take 23593746432 B, max_bytes"):
        images.load(path)
    path = zipped(tmp_path / "two.zip", png(1), png(2))
    assert len(images.load(path, max_bytes=96)) == 2
    with pytest.raises(ValueError, match="take 96 B, max_bytes is 95"):
        images.load(path, max_bytes=95)
