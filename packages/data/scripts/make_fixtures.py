"""Makes the test pictures in fixtures/ and what PIL and TensorFlow make of them.

Needs numpy, pillow and tensorflow; only needed again when a fixture is added. All pictures are computed, none is
anyone's. Run from packages/data:  python scripts/make_fixtures.py
"""

import io
import json
import struct
import zlib
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image, ImageOps

HERE = Path(__file__).resolve().parent.parent / "fixtures"
DECODE, RESIZE = HERE / "decode", HERE / "resize"
DECODE.mkdir(parents=True, exist_ok=True)
RESIZE.mkdir(parents=True, exist_ok=True)
random = np.random.RandomState(7)


def picture(height=29, width=37, channels=3):
    """Smooth waves with a hard-edged box and some noise: unlike at every place and under every rotation."""
    y, x, c = np.mgrid[0:height, 0:width, 0:channels].astype(float)
    waves = 128 + 70 * np.sin(x / 5 + c) + 50 * np.cos(y / 3 - 2 * c)
    waves[3:9, 5:14] = [250, 20, 60, 128][:channels]
    return np.clip(waves + random.normal(0, 4, waves.shape), 0, 255).astype(np.uint8)


def save(name, image, **options):
    image.save(DECODE / name, **options)
    expect(name)


def expect(name):
    """What Keras would load, except that the picture is first turned as its EXIF says."""
    with Image.open(DECODE / name) as image:
        np.save(DECODE / f"{name}.npy", np.asarray(ImageOps.exif_transpose(image).convert("RGB")))


def png(name, array, color_type, depth, extra=b""):
    """Sixteen bit RGB, which PIL cannot write."""
    height, width = array.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in array)
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    header = struct.pack(">IIBBBBB", width, height, depth, color_type, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    (DECODE / name).write_bytes(data)


rgb = Image.fromarray(picture())
grey = Image.fromarray(picture(channels=1)[..., 0])
rgba = Image.fromarray(np.dstack([picture(), random.randint(0, 256, (29, 37)).astype(np.uint8)]))
save("rgb.png", rgb)
save("grey.png", grey)
save("rgba.png", rgba)
save("grey_alpha.png", Image.merge("LA", [grey, rgba.getchannel("A")]))
save("palette.png", rgb.quantize(16))
save("palette_transparent.png", rgb.quantize(16), transparency=3)
save("one_bit.png", grey.convert("1"))
save("rgb.jpg", rgb, quality=90)
save("rgb_444.jpg", rgb, quality=95, subsampling=0)
save("progressive.jpg", rgb, quality=90, progressive=True)
save("grey.jpg", grey, quality=90)
save("cmyk.jpg", Image.fromarray(picture(channels=4), "CMYK"), quality=95)
save("lossy.webp", rgb, quality=80)
save("alpha.webp", rgba, lossless=True, exact=True)
save("palette.gif", rgb.quantize(32))
save("rgb.tif", rgb)
save("cmyk.tif", Image.fromarray(picture(channels=4), "CMYK"))
save("rgb.bmp", rgb)
save("rgba.bmp", rgba)
save("palette.bmp", rgb.quantize(16))
save("grey.bmp", grey)
save("one_bit.bmp", grey.convert("1"))
top_down = bytearray((DECODE / "rgb.bmp").read_bytes())
rows = (37 * 3 + 3) // 4 * 4
top_down[22:26] = struct.pack("<i", -29)
top_down[54:] = b"".join(bytes(top_down[54 + r * rows : 54 + (r + 1) * rows]) for r in reversed(range(29)))
(DECODE / "top_down.bmp").write_bytes(top_down)
expect("top_down.bmp")


def bmp(name, bits, rows, compression=0, palette=b"", masks=b""):
    """Bit depths that PIL reads but cannot write; rows from the top, each padded to four bytes."""
    padded = [row + b"\0" * (-len(row) % 4) for row in rows]
    offset = 54 + len(palette) + len(masks)
    body = b"".join(reversed(padded))
    head = b"BM" + struct.pack("<IHHI", offset + len(body), 0, 0, offset)
    info = struct.pack("<IiiHHIIiiII", 40, 37, 29, 1, bits, compression, len(body), 2835, 2835, len(palette) // 4, 0)
    (DECODE / name).write_bytes(head + info + masks + palette + body)
    expect(name)


colors = b"".join(bytes([i * 16, 255 - i * 9, i * 5, 0]) for i in range(16))
nibbles = random.randint(0, 16, (29, 38))
bmp("palette_4_bit.bmp", 4, [bytes(row[0::2] * 16 + row[1::2]) for row in nibbles.astype(np.uint8)], palette=colors)
words = random.randint(0, 32768, (29, 37)).astype("<u2")
bmp("rgb555.bmp", 16, [row.tobytes() for row in words])
masks565 = struct.pack("<III", 0xF800, 0x7E0, 0x1F)
bmp("rgb565.bmp", 16, [(row * 2).tobytes() for row in words], compression=3, masks=masks565)
masks32 = struct.pack("<III", 0xFF000000, 0xFF0000, 0xFF00)
bmp("masks32.bmp", 32, [row.tobytes() for row in random.randint(0, 2**31, (29, 37)).astype("<u4")], 3, masks=masks32)

for orientation in range(1, 9):
    exif = Image.Exif()
    exif[0x0112] = orientation
    save(f"exif_{orientation}.jpg", rgb, quality=95, subsampling=0, exif=exif)

wide = random.randint(0, 65536, (29, 37, 3))
png("rgb16.png", wide, 2, 16)
expect("rgb16.png")  # PIL keeps the high byte
png("grey16.png", wide[..., 0], 0, 16)
high = (wide[..., :1] >> 8).astype(np.uint8)  # PIL would clip at 255, which leaves white
np.save(DECODE / "grey16.png.npy", np.repeat(high, 3, axis=2))

source = picture(23, 31)
np.save(RESIZE / "source.npy", source)
image = Image.fromarray(source)
for height, width in [(10, 17), (48, 48), (24, 31), (23, 31), (23, 40), (1, 1), (7, 64), (46, 62), (5, 3)]:
    size = f"{height}x{width}"
    np.save(RESIZE / f"nearest_{size}.npy", np.asarray(image.resize((width, height), Image.NEAREST)))
    np.save(RESIZE / f"pil-bilinear_{size}.npy", np.asarray(image.resize((width, height), Image.BILINEAR)))
    exact = tf.image.resize(source, (height, width), method="bilinear", antialias=False).numpy()
    np.save(RESIZE / f"bilinear_{size}.npy", np.floor(exact + 0.5).astype(np.uint8))
    if height >= 23 and width >= 31:
        np.save(RESIZE / f"pad_{size}.npy", tf.image.resize_with_crop_or_pad(source, height, width).numpy())

# Which source column PIL's NEAREST takes, for many pairs of sizes: a checksum of each list of columns.
columns = []
pairs = [(1, 7), (7, 1), (500, 150), (375, 150), (150, 150), (3, 1000), (4000, 224)]
pairs += [tuple(int(v) for v in random.randint(1, 800, 2)) for _ in range(400)]
for before, after in pairs:
    line = Image.fromarray(np.arange(before, dtype=np.int32)[None])
    taken = np.asarray(line.resize((after, 1), Image.NEAREST))[0].astype("<u2")
    columns.append([before, after, zlib.crc32(taken.tobytes())])
(RESIZE / "nearest_columns.json").write_text(json.dumps(columns) + "\n")
