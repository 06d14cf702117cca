"""Takes from a folder of pictures what docs/screenshots shows, in as few bytes as their colours need.

Arguments: the folder that BrowserTests wrote, and docs/screenshots. One view of each page is kept, in turns, and both
of those that docs/pages.md shows. A picture of a page has few colours, so a palette holds them; those of soft edges are
rounded until they fit.
"""

import pathlib
import struct
import sys
import zlib

BOTH = ("sign-in", "account-linked")


def read(data):
    """Width, height and rows of RGB bytes of a PNG as Chromium writes it."""
    chunks, at, pixels = {}, 8, b""
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + size]
        chunks[kind] = body
        if kind == b"IDAT":
            pixels += body
        at += size + 12
    width, height, depth, color = struct.unpack(">IIBB", chunks[b"IHDR"][:10])
    if depth != 8 or color not in (2, 6):
        raise ValueError(f"a picture has depth {depth} and colour type {color}")
    step = 3 if color == 2 else 4
    return width, height, unfiltered(zlib.decompress(pixels), width * step, height, step), step


def unfiltered(raw, stride, height, step):
    """The rows of a picture (PNG specification, section 9)."""
    rows, before = [], bytearray(stride)
    for y in range(height):
        kind = raw[y * (stride + 1)]
        row = bytearray(raw[y * (stride + 1) + 1:(y + 1) * (stride + 1)])
        if kind == 2:
            row = bytearray((a + b) & 255 for a, b in zip(row, before))
        elif kind:
            for x in range(stride):
                left = row[x - step] if x >= step else 0
                up, corner = before[x], before[x - step] if x >= step else 0
                if kind == 1:
                    guess = left
                elif kind == 3:
                    guess = (left + up) // 2
                else:
                    a, b, c = abs(up - corner), abs(left - corner), abs(left + up - 2 * corner)
                    guess = left if a <= b and a <= c else up if b <= c else corner
                row[x] = (row[x] + guess) & 255
        rows.append(row)
        before = row
    return rows


def written(width, height, rows, step):
    """The picture with a palette."""
    pixels = [[bytes(row[x:x + 3]) for x in range(0, len(row), step)] for row in rows]
    counts = {}
    for row in pixels:
        for color in row:
            counts[color] = counts.get(color, 0) + 1
    for bits in range(8, 3, -1):
        places, palette = {}, {}
        # The most frequent of those that are rounded to the same colour stands for all: grounds stay as they are.
        for color in sorted(counts, key=lambda color: -counts[color]):
            rounded = bytes(channel >> (8 - bits) for channel in color)
            places[color] = palette.setdefault(rounded, (len(palette), color))[0]
        if len(palette) <= 256:
            break
    raw = b"".join(b"\0" + bytes(places[color] for color in row) for row in pixels)
    colors = b"".join(color for _, color in sorted(palette.values()))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in [
            (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)), (b"PLTE", colors),
            (b"IDAT", zlib.compress(raw, 9)), (b"IEND", b""),
        ])


def main():
    source, target = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    target.mkdir(parents=True, exist_ok=True)
    for old in target.glob("*.png"):
        old.unlink()
    pages = {}
    for file in sorted(source.glob("*.png")):
        name = file.stem.rsplit("-", 3)[0]
        pages.setdefault(name, []).append(file)
    for position, (name, files) in enumerate(sorted(pages.items())):
        for file in files if name in BOTH else [files[position % len(files)]]:
            (target / file.name).write_bytes(written(*read(file.read_bytes())))


main()
