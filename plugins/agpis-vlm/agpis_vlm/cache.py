"""Answers kept on disk, by everything that they depend on."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agpis_sdk.errors import ConfigError
from agpis_vlm.spending import Usage

PROMPT_VERSION = 1
"""Raised whenever an answer is read in another way; the prompt itself is part of the key."""


@dataclass(frozen=True)
class KeptAnswer:
    """The text of an answer, and what it cost when it was asked for."""

    text: str
    usage: Usage


def key_of(endpoint: str, body: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a request: endpoint, model, prompt, rules, examples, title and the pictures' content."""
    asked = json.dumps([PROMPT_VERSION, endpoint, body], sort_keys=True)
    return hashlib.sha256(asked.encode()).hexdigest()


class AnswerCache:
    """A SQLite file of answers; with an empty path nothing is kept. Threads may share it, and so may processes."""

    def __init__(self, path: str) -> None:
        self._lock = threading.Lock()
        try:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(path or ":memory:", timeout=30, check_same_thread=False)
            with self._database:
                self._database.execute(
                    "CREATE TABLE IF NOT EXISTS answers "
                    "(key TEXT PRIMARY KEY, text TEXT NOT NULL, input_tokens INTEGER, output_tokens INTEGER)"
                )
        except (OSError, sqlite3.Error) as error:
            raise ConfigError(
                f"cannot be used: {error}", item=f"components.vlm.cache = {path}", remedy="name another file"
            ) from None

    def get(self, key: str) -> KeptAnswer | None:
        """Return the answer to a request, None where it was never asked."""
        with self._lock:
            row = self._database.execute(
                "SELECT text, input_tokens, output_tokens FROM answers WHERE key = ?", (key,)
            ).fetchone()
        return KeptAnswer(row[0], Usage(row[1], row[2])) if row else None

    def put(self, key: str, answer: KeptAnswer) -> None:
        """Keep an answer."""
        row = (key, answer.text, answer.usage.input_tokens, answer.usage.output_tokens)
        with self._lock, self._database:
            self._database.execute("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?)", row)
