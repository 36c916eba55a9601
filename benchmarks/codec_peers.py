"""The activation codec beside general compressors and the same pipeline in numpy and PyTorch, in one run.

``python benchmarks/codec_peers.py [--activations FILE.npy | --boundary K] [--images N] [--small N]
[--docs docs]`` keeps 20 % of every token by magnitude, quantises to 8 bits and codes, in one thread. All rows
carry the same values, so the same error:

* constellm: the whole way from the float array to bytes, and back to an array.
* zstd, lz4, blosc2: the same symbols, once dense (a byte an element, 0 where nothing is kept), once packed
  (mask bits, then the kept symbols). Their time is that of the compressor alone: selecting and quantising
  come free, and so does putting the array together again.
* numpy and PyTorch pipelines: select, quantise and pack with array operations, then zstd (level 3) or zlib.
* memcpy: the floats as they are, copied.

Two tables: the whole array as one payload, and payloads of ``--small`` images (two are 64 KiB), all in turn:
one that is coded again and again is learnt by heart by the processor's branch prediction.

Speeds count uncompressed float bytes per second of the thread's processor time; the best of several runs.
Without a file the activations are those of the shipped model on the shipped images, after block 8. Of these
our own ratios after other blocks and with other schemes follow; no peer takes part in those tables.
``--docs`` writes all tables into codec.md there, and the rows of the peers beside it.
"""

from __future__ import annotations

import argparse
import csv
import sys
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from constellm import codec, images, infer

KEEP = 0.2
BLOCKS = (1, 4, 8, 11)
MARKS = ("<!-- tables of benchmarks/codec_peers.py -->", "<!-- end of tables -->")
SCHEMES = {
    "8 bits": codec.Scheme(),
    "4 bits, clipped": codec.Scheme(bits=4, clip="laplace"),
    "8 bits, scale by token": codec.Scheme(scale="token"),
    "top-k 20 %, 4 bits, clipped": codec.Scheme(sparsify="top-k", keep=KEEP, bits=4, clip="laplace"),
    "slicer 20 %, 4 bits": codec.Scheme(sparsify="slicer", keep=KEEP, bits=4),
    "block-top-k 20 % of 32, 8 bits": codec.Scheme(sparsify="block-top-k", keep=KEEP, block=32),
    "values as they are": codec.Scheme(bits=None),
}


@dataclass(frozen=True)
class Row:
    """One line of the table: what all payloads take together."""

    name: str
    bytes: int
    encode_s: float
    decode_s: float


Coder = tuple[Callable[[Any], Any], Callable[[Any], Any]]


def row_of(name: str, coder: Coder, payloads: list[Any]) -> Row:
    """Times of coding all payloads in turn."""
    encode, decode = coder
    coded = [encode(payload) for payload in payloads]
    encode_s = best_s(lambda: [encode(payload) for payload in payloads])
    decode_s = best_s(lambda: [decode(data) for data in coded])
    return Row(name, sum(len(data) for data in coded), encode_s, decode_s)


def best_s(action: Callable[[], Any], *, least_s: float = 0.3) -> float:
    """The fastest of at least three runs that together take `least_s`."""
    seconds: list[float] = []
    while len(seconds) < 3 or sum(seconds) < least_s:
        start = time.thread_time()
        action()
        seconds.append(time.thread_time() - start)
    return min(seconds)


def real(boundary: int, images_: int) -> np.ndarray:
    """What crosses a boundary of the shipped model on the shipped images."""
    return infer.load().activations(images.sample().pixels[:images_], [boundary])[boundary]


def own(payloads: list[np.ndarray]) -> list[Row]:
    """Our rows."""
    rows = []
    top_k = codec.Scheme(sparsify="top-k", keep=KEEP)
    masked = [(x, codec.decode(codec.encode(x, top_k)) != 0) for x in payloads]
    for entropy in ("none", "zero-order", "context"):
        scheme = top_k.replace(entropy=entropy)
        given = codec.Scheme(sparsify="mask", entropy=entropy)
        encode = partial(codec.encode, scheme=scheme)
        rows.append(row_of(f"constellm {entropy}, top-k", (encode, codec.decode), payloads))
        coder = (lambda pair, s=given: codec.encode(pair[0], s, mask=pair[1]), codec.decode)
        rows.append(row_of(f"constellm {entropy}, given mask", coder, masked))
    return rows


def by_block(images_: int) -> list[str]:
    """Ratios of the bound and of both coders after other blocks, of all images and of two."""
    lines = [
        "| after block | bound | zero-order | context | 64 KiB: bound | zero-order | context |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    scheme = codec.Scheme(sparsify="top-k", keep=KEEP)
    for block in BLOCKS:
        cells = []
        for x in (real(block, images_), real(block, 2)):
            sizes = [codec.entropy_bound_bytes(x, scheme)["total_bytes"]]
            sizes += [len(codec.encode(x, scheme.replace(entropy=e))) for e in ("zero-order", "context")]
            cells += [f"{x.nbytes / size:.2f}" for size in sizes]
        lines.append(f"| {block} | {' | '.join(cells)} |")
    return lines


def by_scheme(x: np.ndarray) -> list[str]:
    """Error, and ratios with the speeds of encoding and decoding, of other schemes."""
    lines = [
        "| scheme | relative error | bound | zero-order | context |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for name, scheme in SCHEMES.items():
        error = np.linalg.norm(codec.decode(codec.encode(x, scheme)) - x) / np.linalg.norm(x)
        cells = [f"{x.nbytes / codec.entropy_bound_bytes(x, scheme)['total_bytes']:.2f}"]
        for entropy in ("zero-order", "context"):
            of = scheme.replace(entropy=entropy)
            data = codec.encode(x, of)
            encode_s = best_s(lambda s=of: codec.encode(x, s))
            decode_s = best_s(lambda d=data: codec.decode(d))
            speeds = f"{x.nbytes / encode_s / 1e9:.2f} / {x.nbytes / decode_s / 1e9:.2f}"
            cells.append(f"{x.nbytes / len(data):.2f} ({speeds})")
        lines.append(f"| {name} | {f'{error:.4f}' if error else '0'} | {' | '.join(cells)} |")
    return lines


def symbols_of(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mask, and the numbers of the cells (from 0) of what is kept, found from the decoded values."""
    decoded = codec.decode(codec.encode(x, codec.Scheme(sparsify="top-k", keep=KEEP)))
    mask = decoded != 0
    _, symbols = np.unique(decoded[mask], return_inverse=True)
    return mask, symbols.astype(np.uint8)


def compressors() -> dict[str, Coder]:
    """Name to compress and decompress, for those that are installed."""
    found: dict[str, Coder] = {}
    try:
        import zstandard

        for level in (1, 3, 19):
            found[f"zstd -{level}"] = (
                zstandard.ZstdCompressor(level=level).compress,
                zstandard.ZstdDecompressor().decompress,
            )
    except ImportError:
        print("zstandard is not installed", file=sys.stderr)
    try:
        import lz4.frame

        found["lz4"] = (lz4.frame.compress, lz4.frame.decompress)
        found["lz4 -9"] = (lambda b: lz4.frame.compress(b, compression_level=9), lz4.frame.decompress)
    except ImportError:
        print("lz4 is not installed", file=sys.stderr)
    try:
        import blosc2

        blosc2.set_nthreads(1)

        def pack(data: bytes) -> bytes:
            return blosc2.compress2(
                data,
                codec=blosc2.Codec.ZSTD,
                clevel=5,
                typesize=1,
                filters=[blosc2.Filter.BITSHUFFLE],
                nthreads=1,
            )

        found["blosc2 bitshuffle+zstd"] = (pack, blosc2.decompress2)
    except ImportError:
        print("blosc2 is not installed", file=sys.stderr)
    return found


def dense_of(mask: np.ndarray, symbols: np.ndarray) -> bytes:
    """A byte an element, 0 where nothing is kept."""
    dense = np.zeros(mask.shape, dtype=np.uint8)
    dense[mask] = symbols + 1 if symbols.max() < 255 else np.maximum(symbols, 1)
    return dense.tobytes()


def packed_of(mask: np.ndarray, symbols: np.ndarray) -> bytes:
    """Mask bits, then the kept symbols."""
    return np.packbits(mask).tobytes() + symbols.tobytes()


def general(payloads: list[np.ndarray]) -> list[Row]:
    """Rows of the general compressors, and of copying."""
    coded = [symbols_of(x) for x in payloads]
    kinds = {"dense": dense_of, "packed": packed_of}
    rows = []
    for name, coder in compressors().items():
        for kind, bytes_of in kinds.items():
            data = [bytes_of(mask, symbols) for mask, symbols in coded]
            assert all(coder[1](coder[0](one)) == one for one in data)
            rows.append(row_of(f"{name}, {kind}", coder, data))
    copies = [np.empty_like(x) for x in payloads]

    def copy() -> None:
        for to, x in zip(copies, payloads):
            np.copyto(to, x)

    copy_s = best_s(copy)
    return [*rows, Row("memcpy", sum(x.nbytes for x in payloads), copy_s, copy_s)]


def numpy_pipeline(x: np.ndarray, compress: Callable[[bytes], bytes]) -> bytes:
    """Top-k, uniform quantisation of both tails, mask bits and symbols, compressed."""
    flat = x.reshape(-1, x.shape[-1])
    k = int(np.ceil(KEEP * flat.shape[1]))
    order = np.argpartition(-np.abs(flat), k - 1, axis=1)[:, :k]
    mask = np.zeros(flat.shape, dtype=bool)
    np.put_along_axis(mask, order, True, axis=1)
    values = flat[mask]
    below = values < 0
    low, low_end, high_end, high = values.min(), values[below].max(), values[~below].min(), values.max()
    cells = round(256 * float((low_end - low) / ((low_end - low) + (high - high_end))))
    negative = np.minimum((values - low) * (cells / (low_end - low)), cells - 1)
    positive = cells + np.minimum((values - high_end) * ((256 - cells) / (high - high_end)), 255 - cells)
    symbols = np.where(below, negative, positive).astype(np.uint8)
    return compress(np.packbits(mask).tobytes() + symbols.tobytes())


def numpy_back(data: bytes, shape: tuple[int, ...], decompress: Callable[[bytes], bytes]) -> np.ndarray:
    """Mask and symbols to an array; the levels' scale does not change the time."""
    raw = np.frombuffer(decompress(data), dtype=np.uint8)
    bits = int(np.prod(shape)) // 8
    out = np.zeros(shape, dtype=np.float32)
    levels = np.arange(256, dtype=np.float32)
    out[np.unpackbits(raw[:bits]).view(bool).reshape(shape)] = levels[raw[bits:]]
    return out


def pipelines(payloads: list[np.ndarray]) -> list[Row]:
    """Rows of the array libraries."""
    coders: dict[str, Coder] = {"zlib": (lambda b: zlib.compress(b, 6), zlib.decompress)}
    installed = compressors()
    if "zstd -3" in installed:
        coders["zstd -3"] = installed["zstd -3"]
    shape = payloads[0].shape

    def row(name: str, pipeline: Callable[[np.ndarray, Any], bytes], coder: Coder) -> Row:
        compress, decompress = coder
        both = (lambda x: pipeline(x, compress), lambda data: numpy_back(data, shape, decompress))
        return row_of(name, both, payloads)

    rows = [row(f"numpy + {name}", numpy_pipeline, coder) for name, coder in coders.items()]
    try:
        import torch
    except ImportError:
        print("torch is not installed", file=sys.stderr)
        return rows
    torch.set_num_threads(1)

    def torch_pipeline(x: np.ndarray, compress: Callable[[bytes], bytes]) -> bytes:
        flat = torch.from_numpy(x).reshape(-1, x.shape[-1])
        k = int(np.ceil(KEEP * flat.shape[1]))
        mask = torch.zeros(flat.shape, dtype=torch.bool)
        mask.scatter_(1, flat.abs().topk(k, dim=1, sorted=False).indices, True)
        values = flat[mask]
        below = values < 0
        low, low_end = values.min(), values[below].max()
        high_end, high = values[~below].min(), values.max()
        cells = round(256 * float((low_end - low) / ((low_end - low) + (high - high_end))))
        negative = ((values - low) * (cells / (low_end - low))).clamp_(max=cells - 1)
        positive = cells + ((values - high_end) * ((256 - cells) / (high - high_end))).clamp_(max=255 - cells)
        symbols = torch.where(below, negative, positive).to(torch.uint8)
        return compress(np.packbits(mask.numpy()).tobytes() + symbols.numpy().tobytes())

    return rows + [row(f"PyTorch + {name}", torch_pipeline, coder) for name, coder in coders.items()]


def measure(payloads: list[np.ndarray]) -> list[dict[str, str]]:
    """A row for every coder; speeds to three digits."""
    raw = sum(x.nbytes for x in payloads)
    return [
        {
            "coder": row.name,
            "bytes": str(row.bytes),
            "ratio": f"{raw / row.bytes:.2f}",
            "encode_gb_per_s": f"{raw / row.encode_s / 1e9:.3g}",
            "decode_gb_per_s": f"{raw / row.decode_s / 1e9:.3g}",
        }
        for row in own(payloads) + general(payloads) + pipelines(payloads)
    ]


def of_peers(payloads: list[np.ndarray], rows: list[dict[str, str]]) -> list[str]:
    """What was coded, and the table of all coders."""
    raw = sum(x.nbytes for x in payloads)
    scheme = codec.Scheme(sparsify="top-k", keep=KEEP)
    bound = sum(codec.entropy_bound_bytes(x, scheme)["total_bytes"] for x in payloads)
    several = f"{len(payloads)} payloads" if len(payloads) > 1 else "One payload"
    entropy = f"zero-order entropy {bound:.0f} bytes (ratio {raw / bound:.2f})"
    return [
        f"{several} of {payloads[0].nbytes // 1024} KiB, {entropy}:",
        "",
        "| coder | bytes | ratio | encode GB/s | decode GB/s |",
        "| --- | ---: | ---: | ---: | ---: |",
        *(f"| {' | '.join(row.values())} |" for row in rows),
    ]


def write(docs: Path, tables: str, rows: dict[str, list[dict[str, str]]]) -> None:
    """Put the tables between the marks of the page, and rows into files."""
    page = docs / "codec.md"
    before, _, rest = page.read_text(encoding="utf-8").partition(MARKS[0])
    _, end, after = rest.partition(MARKS[1])
    if not end:
        raise ValueError(f"{page}: {MARKS[0]} and {MARKS[1]} are not there, between which the tables belong")
    page.write_text(f"{before}{MARKS[0]}\n\n{tables}\n\n{MARKS[1]}{after}", encoding="utf-8")
    for name, some in rows.items():
        with (docs / "results" / "codec" / name).open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(some[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(some)


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--activations", help="a .npy file of shape (images, tokens, features), float32")
    parser.add_argument("--boundary", type=int, default=8, help="of the shipped model, without a file")
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--small", type=int, default=2, help="images of a small payload")
    parser.add_argument("--docs", type=Path, help="write the tables of the documentation in this folder")
    arguments = parser.parse_args()
    if arguments.activations and arguments.docs:
        parser.error("--docs: the documentation's tables are those of the shipped model")
    if arguments.activations:
        x = np.load(arguments.activations)
    else:
        x = real(arguments.boundary, arguments.images)
    x = np.ascontiguousarray(x[: arguments.images])
    rows = {"peers.csv": measure([x])}
    blocks = [of_peers([x], rows["peers.csv"])]
    whole = len(x) // arguments.small * arguments.small
    if whole > 0:
        small = list(x[:whole].reshape(-1, arguments.small, *x.shape[1:]))
        rows["peers-small.csv"] = measure(small)
        blocks.append(of_peers(small, rows["peers-small.csv"]))
    if not arguments.activations:
        blocks.append(
            ["Ratios after other blocks, header and tables included:", "", *by_block(arguments.images)]
        )
        told = f"After block {arguments.boundary}, other schemes (ratio; GB/s encode / decode):"
        blocks.append([told, "", *by_scheme(x)])
    tables = "\n\n".join("\n".join(lines) for lines in blocks)
    print(tables)
    if arguments.docs:
        write(arguments.docs, tables, rows)


if __name__ == "__main__":
    main()
