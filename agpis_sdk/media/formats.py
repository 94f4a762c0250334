"""Which files are read, and what the others are, recognized by their first bytes and never by their names."""

from __future__ import annotations

import functools
import importlib
import re

from PIL import Image

# The allow-list. A JPEG with further pictures behind it (MPO) is opened as JPEG; what Pillow or its plugin does not
# read in this environment is left out. Everything else that Pillow knows stays closed: EPS would start Ghostscript.
READ = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF")
READ_REMEDY = "use JPEG, PNG or WebP"
HEAD_BYTES = 1024
_HEIF_PLUGINS = ("pillow_heif", "pi_heif")

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (rb"\xff\xd8\xff", "JPEG"),
    (rb"\x89PNG\r\n\x1a\n", "PNG"),
    (rb"RIFF....WEBP", "WebP"),
    (rb"GIF8[79]a", "GIF"),
    (rb"II\*\0.{4}CR", "a camera's raw file (CR2)"),
    (rb"(?:II\*\0|MM\0\*|II\+\0|MM\0\+)", "TIFF"),
    (rb"BM.{4}\0\0\0\0", "BMP"),
    (rb"....ftypavi[fs]", "AVIF"),
    (rb"....ftyp(?:hei[cxms]|hev[cxms]|mif1|msf1)", "HEIC"),
    (rb"....ftypcrx ", "a camera's raw file (CR3)"),
    (rb"....ftypqt  ", "a QuickTime video"),
    (rb"....ftyp", "an MP4 video"),
    (rb"\x1aE\xdf\xa3", "a WebM or Matroska video"),
    (rb"RIFF....AVI ", "an AVI video"),
    (rb"(?:%!PS-Adobe-[\d.]+ EPSF|\xc5\xd0\xd3\xc6)", "EPS"),
    (rb"\s*%!", "PostScript"),
    (rb"\s*%PDF-", "PDF"),
    (rb"8BP[SB]", "PSD"),
    (rb"gimp xcf", "a GIMP picture (XCF)"),
    (rb"(?:\0\0\0\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51)", "JPEG 2000"),
    (rb"(?:\xff\x0a|\0\0\0\x0cJXL \r\n\x87\n)", "JPEG XL"),
    (rb"II\xbc", "JPEG XR"),
    (rb"\0\0[\x01\x02]\0[\x01-\x40]\0", "ICO"),
    (rb"icns", "ICNS"),
    (rb"DDS ", "DDS"),
    (rb"qoif", "QOI"),
    (rb"P[1-7fF]\s", "PPM"),
    (rb"v/1\x01", "OpenEXR"),
    (rb"#\?R(?:ADIANCE|GBE)", "Radiance HDR"),
    (rb"(?:\xd7\xcd\xc6\x9a|\x01\0\x09\0\0\x03)", "WMF"),
    (rb"\x01\0\0\0.{36} EMF", "EMF"),
    (rb"PK\x03\x04", "a ZIP archive"),
    (rb"Rar!", "a RAR archive"),
    (rb"7z\xbc\xaf", "a 7-Zip archive"),
    (rb"\x1f\x8b", "a gzip archive"),
    (rb"version https://git-lfs", "a pointer of Git LFS, not the file itself"),
    (rb"<\?php", "a PHP script"),
    (rb"\{", "JSON"),
)  # fmt: skip
_MAGIC_PATTERNS = tuple((re.compile(pattern, re.DOTALL), name) for pattern, name in _MAGIC)
_TEXTS = (
    (re.compile(r"<!doctype html|<html|<head|<body", re.IGNORECASE), "an HTML page"),
    (re.compile(r"<svg", re.IGNORECASE), "SVG"),
    (re.compile(r"\s*<\?xml", re.IGNORECASE), "XML"),
)


def recognized(data: bytes) -> str | None:
    """Return what a file is by its first bytes, as it reads after "is"; None where nothing is recognized.

    >>> recognized(b"%!PS-Adobe-3.0 EPSF-3.0"), recognized(b"<!DOCTYPE html><title>404</title>"), recognized(b"?")
    ('EPS', 'an HTML page', None)
    """
    head = data[:HEAD_BYTES]
    for pattern, name in _MAGIC_PATTERNS:
        if pattern.match(head):
            return name
    encoding = "utf-16" if head.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    text = head.decode(encoding, errors="replace")
    if "<" not in text[:64]:
        return None
    found = ((match.start(), name) for pattern, name in _TEXTS[:2] if (match := pattern.search(text)))
    # An HTML page may hold a drawing, and a drawing may hold HTML: what comes first is the file.
    return min(found, default=(0, _TEXTS[2][1] if _TEXTS[2][0].match(text) else None))[1]


def opener_of(name: str) -> str:
    """Return what Pillow calls a format that `recognized` has named.

    >>> opener_of("HEIC"), opener_of("WebP")
    ('HEIF', 'WEBP')
    """
    return "HEIF" if name == "HEIC" else name.upper()


@functools.cache
def readable_formats() -> tuple[str, ...]:
    """Return the formats of the allow-list that Pillow reads here, as `Image.open` takes them."""
    Image.init()
    for plugin in _HEIF_PLUGINS:
        try:
            importlib.import_module(plugin).register_heif_opener()
            break
        except (ImportError, AttributeError):
            continue
    return tuple(name for name in READ if name in Image.OPEN)
