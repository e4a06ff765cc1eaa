"""A posting: the numbers of the documents that have one key at one path.

One rule: a posting of one number is that ``int``; more are a roaring bitmap. A registry has many values that one
document alone has, and a bitmap for each would weigh more than the documents.
"""

from collections.abc import Iterable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

Posting: TypeAlias = int | BitMap

EMPTY = BitMap()

BLOCK = 1 << 16
ARRAY_CONTAINER_MAX = 4096
COOKIE_WITHOUT_RUNS = 12346


def bitmap_of(posting: Posting | None) -> BitMap:
    """The posting as a bitmap, to read only: it may be the posting itself."""
    if posting is None:
        return EMPTY
    return BitMap((posting,)) if isinstance(posting, int) else posting


def union_of(postings: Iterable[Posting]) -> BitMap:
    """The numbers in any of the postings; a new bitmap."""
    single: list[int] = []
    bitmaps: list[BitMap] = []
    for posting in postings:
        if isinstance(posting, int):
            single.append(posting)
        else:
            bitmaps.append(posting)
    if single:
        bitmaps.append(BitMap(single))
    return BitMap.union(*bitmaps) if bitmaps else BitMap()


def bitmap_of_mask(mask: NDArray[np.bool_]) -> BitMap:
    """The places where ``mask`` is true.

    Written in roaring's portable format, block by block: its constructor would take 3 ns for each number.
    """
    keys, containers = [], []
    for start in range(0, len(mask), BLOCK):
        block = mask[start : start + BLOCK]
        count = int(np.count_nonzero(block))
        if count:
            keys.append((start // BLOCK, count - 1))
            containers.append(_container(block, count))
    if not keys:
        return BitMap()
    header = np.array([COOKIE_WITHOUT_RUNS, len(keys)], dtype="<u4").tobytes() + np.array(keys, dtype="<u2").tobytes()
    ends = len(header) + 4 * len(keys) + np.cumsum([0, *map(len, containers)])
    return BitMap.deserialize(b"".join([header, ends[:-1].astype("<u4").tobytes(), *containers]))


def numbers_in(bitmap: BitMap) -> NDArray[np.uint32]:
    """The numbers of a bitmap, ascending."""
    return np.frombuffer(bitmap.to_array(), dtype=np.uint32)


def _container(block: NDArray[np.bool_], count: int) -> bytes:
    if count <= ARRAY_CONTAINER_MAX:
        return np.flatnonzero(block).astype("<u2").tobytes()
    packed: NDArray[Any] = np.packbits(block, bitorder="little")
    return packed.tobytes().ljust(BLOCK // 8, b"\0")
