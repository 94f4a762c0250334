"""Uris as messages show them: without passwords and tokens, and of bounded length."""

from __future__ import annotations

import re

MASK = "***"
LONGEST = 300

_USER = re.compile(r"(?<=//)[^/?#\\]*@")
# A password with a slash in it, which ends the authority early: "//user:pa/ss@host".
_BROKEN_USER = re.compile(r"(?<=//)[^/@:\s]+:(?!\d+(?:[/?#]|$))[^@]*@")
# What would break or turn a line, and halves of emoji, which cannot be written at all.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_PARAMETER = re.compile(r"([?&#;])([^=&#;?]+)=([^&#;]*)")
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
_SECRET_WORDS = frozenset(
    {"apikey", "auth", "authorization", "code", "credential", "credentials", "hdnea", "hdnts", "hmac", "jwt", "key"}
    | {"pass", "passwd", "password", "policy", "pwd", "secret", "session", "sid", "sig", "sign", "signature", "token"}
)
_SECRET_ENDINGS = ("key", "password", "secret", "signature", "token")


def masked(uri: str) -> str:
    """Return a uri for a message: without secrets, and what is long cut.

    >>> masked("https://me:secret@shop.example/a.jpg?w=80&X-Amz-Signature=abc#token=1")
    'https://***@shop.example/a.jpg?w=80&X-Amz-Signature=***#token=***'
    """
    text = without_secrets(uri)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text):,} characters)"


def without_secrets(uri: str) -> str:
    """Return a uri for a file: userinfo and the values of signature-like parameters masked, the bytes of "data:" left out.

    >>> without_secrets("https://shop.example/a.jpg?w=80"), without_secrets("ftp://me:secret@shop.example/a.jpg")
    ('https://shop.example/a.jpg?w=80', 'ftp://***@shop.example/a.jpg')
    """
    if uri.lstrip()[:5].lower() == "data:":
        return f"{uri.strip()[:40]}… ({len(uri):,} characters)" if len(uri) > 40 else uri
    text = _BROKEN_USER.sub(f"{MASK}@", _USER.sub(f"{MASK}@", uri))
    text = _PARAMETER.sub(lambda found: _parameter(*found.groups()), text)
    return _UNPRINTABLE.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def _parameter(before: str, key: str, value: str) -> str:
    words = {word.lower() for word in _WORD.findall(key)}
    secret = bool(words & _SECRET_WORDS) or key.lower().endswith(_SECRET_ENDINGS)
    return f"{before}{key}={MASK if secret and value else value}"
