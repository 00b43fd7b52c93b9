"""A writer of tiny .xls files, for tests only: no library that is installed writes them.

The workbook is BIFF 2 (records of the OpenOffice "Excel File Format" document) in an
OLE compound file with one FAT sector, which is what the reader needs and no more.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

SECTOR = 512
END, FREE, FAT = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD


def write_xls(rows: Sequence[Sequence[object]]) -> bytes:
    """Return a workbook of one sheet; cells are numbers, text, or None for empty."""
    records = [struct.pack("<HHHH", 0x0009, 4, 2, 0x0010)]  # BOF: BIFF 2, worksheet
    for r, row in enumerate(rows):
        for c, cell in enumerate(row):
            at = struct.pack("<HHBBB", r, c, 0, 0, 0)
            if isinstance(cell, str):
                body = at + struct.pack("<B", len(cell)) + cell.encode("ascii")
                records.append(struct.pack("<HH", 0x0004, len(body)) + body)
            elif cell is not None:
                body = at + struct.pack("<d", float(str(cell)))
                records.append(struct.pack("<HH", 0x0003, len(body)) + body)
    records.append(struct.pack("<HH", 0x000A, 0))
    return _compound_file(b"".join(records))


def _compound_file(stream: bytes) -> bytes:
    """Wrap a stream as the "Book" of a compound file: FAT, directory, then the stream."""
    size = max(len(stream), 4096)  # shorter streams would need the short-sector table
    n = -(-size // SECTOR)
    stream = stream.ljust(n * SECTOR, b"\0")
    # The first two sectors swap places: xlrd reads an unbroken BIFF 2 stream from the
    # file's first byte instead of the stream's.
    stream = stream[SECTOR : 2 * SECTOR] + stream[:SECTOR] + stream[2 * SECTOR :]
    chain = [FAT, END, 4, 2, *range(5, 2 + n), END]
    fat = struct.pack("<128I", *chain, *[FREE] * (128 - len(chain)))
    header = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16)
    header += struct.pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
    header += struct.pack("<9I", 0, 1, 1, 0, 4096, END, 0, END, 0)
    header += struct.pack("<109I", 0, *[FREE] * 108)
    directory = _entry("Root Entry", 5, child=1, start=END, size=0)
    directory += _entry("Book", 2, child=FREE, start=3, size=size)
    directory += bytes(256)
    return header + fat + directory + stream


def _entry(name: str, kind: int, *, child: int, start: int, size: int) -> bytes:
    text = name.encode("utf-16-le") + b"\0\0"
    head = text.ljust(64, b"\0") + struct.pack("<HBB", len(text), kind, 1)
    links = struct.pack("<III", FREE, FREE, child)
    return head + links + bytes(36) + struct.pack("<II4x", start, size)
