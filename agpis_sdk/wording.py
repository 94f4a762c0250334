"""How counts, shares, durations and rates are put in words, in notices, reports and tables alike."""

from __future__ import annotations


def counted(count: int, noun: str) -> str:
    """Return a count with its noun in the singular or plural.

    >>> counted(1, "image"), counted(1200, "image")
    ('1 image', '1,200 images')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def percent(share: float) -> str:
    """Return a share in 0..1 as a whole percentage; only exactly 0 and 1 are 0% and 100%.

    >>> percent(0.9996), percent(0.5), percent(1.0)
    ('>99%', '50%', '100%')
    """
    if 0.0 < share < 0.005:
        return "<1%"
    if 0.995 <= share < 1.0:
        return ">99%"
    return f"{share * 100:.0f}%"


def duration(seconds: float) -> str:
    """Return seconds as people say them.

    >>> duration(7.25), duration(192), duration(7260)
    ('7.2 s', '3 min 12 s', '2 h 1 min')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def rate(per_second: float) -> str:
    """Return a rate with as many digits as it deserves.

    >>> rate(0.00123), rate(0.1234), rate(12.34), rate(1234.5)
    ('0.0012', '0.12', '12.3', '1,234')
    """
    if per_second < 0.1:
        return f"{per_second:.2g}"
    if per_second < 10:
        return f"{per_second:.2f}"
    return f"{per_second:.1f}" if per_second < 100 else f"{per_second:,.0f}"
