"""EuroSAT and anything else that keeps its images in folders by class."""

from __future__ import annotations

import io
import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from ..core.checks import count
from ..core.files import as_path
from ..core.optional import optional_import
from .image_set import ImageSet

_SUFFIXES = {".jpg", ".jpeg", ".png", ".tif", ".tiff"}
_FORMATS = ("JPEG", "PNG", "TIFF")

_MOST_BYTES = 64 << 20
"""Of an image file, before and after a zip file's own compression [B]."""

_MOST_PX = 1 << 24
"""Of an image: a few kilobytes of a hostile file could ask for any number."""

# What Pillow and zipfile raise for damaged or hostile content.
_DAMAGED = (
    OSError,
    SyntaxError,
    ValueError,
    RuntimeError,
    EOFError,
    struct.error,
    zlib.error,
    zipfile.BadZipFile,
)

_SAMPLE = Path(__file__).parent / "data" / "eurosat" / "sample.zip"


def load(path: str | os.PathLike[str], *, split: str | None = None, max_bytes: int = 4 << 30) -> ImageSet:
    """Images from ``<class>/<image>`` folders, or ``<split>/<class>/<image>``; in a folder or a zip file.

    This is how EuroSAT RGB is published (Helber et al., IEEE JSTARS 2019, arXiv 1709.00029): 64 × 64 px of
    Sentinel-2, ten classes of land use. Folders above the classes (``EuroSAT_RGB/``, ``2750/``) do not
    matter. Files that are no JPEG, PNG or TIFF by name, and hidden ones, are passed over.

    Parameters
    ----------
    path : path
        Folder or ``.zip``. A zip file is read in place, an image at a time; what it holds need not be
        trusted.
    split : str, optional
        Read only what lies below a folder of this name, such as ``"train"`` or ``"test"``.
    max_bytes : int
        Most that all pixels together may take [B]. Every name in a zip file counts as an image, so that a
        small one could ask for any memory.

    Returns
    -------
    ImageSet
        Classes and, within them, files in order of their names, numbers by value.

    Raises
    ------
    FileNotFoundError
        If there is nothing at `path`.
    ValueError
        If no image is found, a file is no image of 8 bits a channel, is larger than 64 MiB or 2²⁴ px,
        images differ in size, or all would take more than `max_bytes`; names the file.
    ImportError
        If Pillow is absent.

    Examples
    --------
    >>> from pathlib import Path
    >>> from PIL import Image
    >>> from constellm import images
    >>> for name in ("forest", "river"):
    ...     Path("photos", name).mkdir(parents=True)
    ...     Image.new("RGB", (32, 32)).save(f"photos/{name}/1.png")
    >>> images.load("photos").classes
    ('forest', 'river')
    """
    pillow = optional_import("PIL.Image", extra="images", purpose="reading image files needs Pillow")
    max_bytes = count("max_bytes", max_bytes)
    place = as_path(path)
    if not place.exists():
        raise FileNotFoundError(f"path: nothing at {os.fspath(path)!r}")
    if place.is_dir():
        found = (file.relative_to(place) for file in place.rglob("*") if file.is_file())
        names = [PurePosixPath(file.as_posix()) for file in found]
        return _read(place, split, names, lambda name: _content(open(place / name, "rb")), pillow, max_bytes)
    if not zipfile.is_zipfile(place):
        raise ValueError(f"path: {os.fspath(path)!r} is neither a folder nor a zip file")
    try:
        archive = zipfile.ZipFile(place)
    except _DAMAGED as error:
        raise ValueError(f"{place}: {error}") from None
    with archive:
        entries = {PurePosixPath(name): name for name in archive.namelist()}  # paths forget "./" and "//"
        return _read(
            place, split, entries, lambda name: _content(archive.open(entries[name])), pillow, max_bytes
        )


def sample() -> ImageSet:
    """The part of EuroSAT that comes with the package: 300 test images, 30 a class.

    None of them was trained on by the shipped models. Classes take turns, so that any first part of the set
    is balanced.

    Returns
    -------
    ImageSet

    Raises
    ------
    ImportError
        If Pillow is absent.

    Examples
    --------
    >>> from constellm import images
    >>> images.sample()
    ImageSet('eurosat-sample', 300 images of 64 × 64 px, 10 classes)
    """
    stored = load(_SAMPLE)
    turns = stored.per_class(len(stored))
    return ImageSet(turns.pixels, turns.labels, turns.classes, "eurosat-sample")


def _content(file: Any) -> bytes:
    with file:
        # One byte more than is allowed shows that there is more, whatever a zip file claims of itself.
        content: bytes = file.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise ValueError(f"more than {_MOST_BYTES >> 20} MiB")
    return content


def _files(place: Path, split: str | None, names: Iterable[PurePosixPath]) -> list[PurePosixPath]:
    """Image files in order: by class, then name, numbers by value."""
    files = [
        name
        for name in names
        if name.suffix.lower() in _SUFFIXES and len(name.parts) >= 2 and not name.name.startswith(".")
    ]
    if split is not None:
        splits = sorted({part for name in files for part in name.parts[:-2]})
        files = [name for name in files if split in name.parts[:-2]]
        if not files:
            raise ValueError(f"split: {split!r} is not among the folders of {place}: {', '.join(splits)}")
    if not files:
        raise ValueError(f"path: no image in folders by class in {place}")
    return sorted(files, key=lambda name: (name.parent.name, len(name.name), str(name)))


def _read(
    place: Path,
    split: str | None,
    names: Iterable[PurePosixPath],
    content: Callable[[PurePosixPath], bytes],
    image: Any,
    max_bytes: int,
) -> ImageSet:
    files = _files(place, split, names)
    classes = tuple(sorted({name.parent.name for name in files}))
    label = {name: i for i, name in enumerate(classes)}
    size: tuple[int, int] | None = None
    for i, name in enumerate(files):
        try:
            with image.open(io.BytesIO(content(name)), formats=_FORMATS) as opened:
                if size is None:
                    size = opened.size
                    if size[0] * size[1] > _MOST_PX:
                        raise ValueError(f"{size[0]} × {size[1]} px are more than {_MOST_PX}")
                    needed = len(files) * size[0] * size[1] * 3
                    if needed > max_bytes:
                        raise ValueError(
                            f"{len(files)} images of this size take {needed} B, max_bytes is {max_bytes}"
                        )
                    pixels = np.empty((len(files), size[1], size[0], 3), dtype=np.uint8)
                if opened.size != size:
                    raise ValueError(
                        f"{opened.size[0]} × {opened.size[1]} px, but {files[0]} has {size[0]} × {size[1]}"
                    )
                if opened.mode[0] in "IF":  # would be clipped to 8 bits
                    raise ValueError(f"expected 8 bits a channel, got an image of mode {opened.mode}")
                pixels[i] = np.asarray(opened.convert("RGB"))
        except (*_DAMAGED, image.DecompressionBombError) as error:
            raise ValueError(f"{place}: {name}: {error}") from None
    pixels.setflags(write=False)  # so that the set need not copy them
    labels = np.array([label[name.parent.name] for name in files])
    return ImageSet(pixels, labels, classes, place.stem + ("" if split is None else f"/{split}"))
