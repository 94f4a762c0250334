"""The kinds of non-compliant content that the head classifies, in the order of its outputs."""

from __future__ import annotations

# kind → (rule code, message to the seller, whether it has a place in the picture)
KINDS: dict[str, tuple[str, str, bool]] = {
    "banner": ("AGP119", "a banner lies over the picture", True),
    "promotional-text": ("AGP120", "text is laid over the picture", True),
    "watermark": ("AGP121", "a watermark lies over the picture", True),
    "logo-overlay": ("AGP122", "a logo is laid over the picture", True),
    "qr-or-barcode": ("AGP123", "a QR code or barcode lies over the picture", True),
    "price-badge": ("AGP124", "a price or discount badge lies over the picture", True),
    "contact-information": ("AGP125", "contact details stand in the picture", True),
    "collage": ("AGP112", "several pictures are put together in one", False),
    "screenshot": ("AGP113", "the picture looks like a screenshot", False),
    "border": ("AGP111", "a border runs around the picture", False),
    "placeholder": ("AGP114", "a placeholder stands where the product should be", False),
    "unnatural-artifact": ("AGP109", "traces of a bad cut-out or retouch are left", True),
    "blur": ("AGP103", "the picture is blurred", False),
}
UNSURE = ("AGP128", "something does not belong in the picture", False)
