"""EuroSAT and anything else that keeps its images in folders by class."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath

import numpy as np

from .image_set import ImageSet

_SUFFIXES = {".jpg", ".jpeg", ".png", ".tif", ".tiff"}


def load(path: str | os.PathLike[str], *, split: str | None = None) -> ImageSet:
    """Images from ``<class>/<image>`` folders, or ``<split>/<class>/<image>``; in a folder or a zip file.

    This is how EuroSAT RGB is published (Helber et al., IEEE JSTARS 2019, arXiv 1709.00029): 64 × 64 px of
    Sentinel-2, ten classes of land use. Folders above the classes (``EuroSAT_RGB/``, ``2750/``) do not
    matter.

    Parameters
    ----------
    path : path
        Folder or ``.zip``.
    split : str, optional
        Read only what lies below a folder of this name, such as ``"train"`` or ``"test"``.

    Returns
    -------
    ImageSet
        Classes and, within them, files in order of their names, numbers by value.

    Raises
    ------
    FileNotFoundError
        If there is nothing at `path`.
    ValueError
        If no image is found, a file is no image, or images differ in size; names the file.
    ImportError
        If Pillow is absent.
    """
    try:
        from PIL import Image
    except ImportError:
        raise ImportError("reading image files needs Pillow: pip install 'constellm[images]'") from None
    place = Path(path)
    if not place.exists():
        raise FileNotFoundError(f"path: nothing at {os.fspath(path)!r}")
    if place.is_dir():
        names = (PurePosixPath(file.relative_to(place).as_posix()) for file in place.rglob("*"))
        return _read(place, split, names, lambda name: (place / name).read_bytes(), Image)
    if not zipfile.is_zipfile(place):
        raise ValueError(f"path: {os.fspath(path)!r} is neither a folder nor a zip file")
    with zipfile.ZipFile(place) as archive:
        names = map(PurePosixPath, archive.namelist())
        return _read(place, split, names, lambda name: archive.read(str(name)), Image)


def _read(
    place: Path,
    split: str | None,
    names: Iterable[PurePosixPath],
    content: Callable[[PurePosixPath], bytes],
    image: object,
) -> ImageSet:
    files = [name for name in names if name.suffix.lower() in _SUFFIXES and len(name.parts) >= 2]
    if split is not None:
        splits = sorted({part for name in files for part in name.parts[:-2]})
        files = [name for name in files if split in name.parts[:-2]]
        if not files:
            raise ValueError(f"split: {split!r} is not among the folders of {place}: {', '.join(splits)}")
    if not files:
        raise ValueError(f"path: no image in folders by class in {place}")
    files.sort(key=lambda name: (name.parent.name, len(name.name), name.name))
    classes = tuple(sorted({name.parent.name for name in files}))
    label = {name: i for i, name in enumerate(classes)}
    pixels: np.ndarray | None = None
    for i, name in enumerate(files):
        try:
            with image.open(io.BytesIO(content(name))) as opened:  # type: ignore[attr-defined]
                one = np.asarray(opened.convert("RGB"))
        except OSError as error:
            raise ValueError(f"{place}: {name}: {error}") from None
        if pixels is None:
            pixels = np.empty((len(files), *one.shape), dtype=np.uint8)
        if one.shape != pixels.shape[1:]:
            raise ValueError(
                f"{place}: {name}: {one.shape[1]} × {one.shape[0]} px, "
                f"but {files[0]} has {pixels.shape[2]} × {pixels.shape[1]}"
            )
        pixels[i] = one
    assert pixels is not None
    labels = np.array([label[name.parent.name] for name in files])
    return ImageSet(pixels, labels, classes, place.stem + ("" if split is None else f"/{split}"))
