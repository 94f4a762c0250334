"""The endpoint: one request at a time, and every way in which it can fail put in words."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx2
import openai

from agpis_sdk.errors import ConfigError
from agpis_sdk.wording import printable, shortened
from agpis_vlm.config import VlmConfig
from agpis_vlm.spending import Usage

NO_KEY = "no-key"
MOST_BYTES = 1_000_000
FOR_GOOD = (401, 403, 404)
"""HTTP statuses that the next request would get as well: a wrong key, a wrong address, an unknown model."""


class NoAnswerError(Exception):
    """A request that brought no answer.

    `billed` says that the server may have worked for it, `for_good` that the next request would fail alike.
    """

    def __init__(self, reason: str, *, billed: bool = True, for_good: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.billed = billed
        self.for_good = for_good


@dataclass(frozen=True)
class Reply:
    """The text of an answer, and the tokens that the server says it cost: None where it does not say."""

    text: str
    usage: Usage | None


class Pace:
    """Lets so many requests begin in a minute, evenly; 0 sets no limit."""

    def __init__(self, per_minute: float) -> None:
        self._interval = 60 / per_minute if per_minute else 0.0
        self._lock = threading.Lock()
        self._next = 0.0

    def wait(self) -> None:
        """Sleep until the next request may begin."""
        with self._lock:
            begin = max(self._next, time.monotonic())
            self._next = begin + self._interval
        time.sleep(max(0.0, begin - time.monotonic()))


class Endpoint:
    """An OpenAI-compatible server; raises `ConfigError` where none is named, or its key is not in the environment."""

    def __init__(self, settings: VlmConfig) -> None:
        self._key = _key_of(settings)
        self._timeout = settings.timeout
        self._pace = Pace(settings.requests_per_minute)
        client = openai.OpenAI(
            base_url=settings.endpoint,
            api_key=self._key or NO_KEY,
            timeout=settings.timeout,
            max_retries=settings.retries,
            # Pictures go to the server that the config names, and nowhere that it points to.
            http_client=openai.DefaultHttpxClient(follow_redirects=False),
        )
        # What the environment holds for OpenAI itself is not for this server.
        client.organization = client.project = None
        # Asked for here, as the client imports it on first use, which would eat into the first answers' time.
        self._create = client.chat.completions.with_streaming_response.create

    def ask(self, body: Mapping[str, Any]) -> Reply:
        """Send a request and return its answer; raises `NoAnswerError` with the reason."""
        self._pace.wait()
        try:
            return reply_of(self._answer(body))
        except openai.APIStatusError as error:
            raise NoAnswerError(
                self._clean(f"HTTP {error.status_code}: {error.message}"),
                billed=False,
                for_good=error.status_code in FOR_GOOD,
            ) from None
        except (openai.APITimeoutError, httpx2.TimeoutException):
            raise NoAnswerError("the endpoint did not answer in time (components.vlm.timeout)") from None
        except openai.APIConnectionError as error:
            raise NoAnswerError(self._clean(f"no connection: {error.__cause__ or error}")) from None
        except httpx2.HTTPError as error:
            raise NoAnswerError(self._clean(f"the answer broke off: {error}")) from None

    def _answer(self, body: Mapping[str, Any]) -> bytes:
        """Return the bytes of an answer; raises `NoAnswerError` where they are too many or take too long."""
        fields = dict(body)
        asked = self._create(model=fields.pop("model"), messages=fields.pop("messages"), extra_body=fields)
        data = bytearray()
        with asked as response:
            deadline = time.monotonic() + self._timeout
            for piece in response.iter_bytes():
                data += piece
                if len(data) > MOST_BYTES:
                    raise NoAnswerError(f"the answer is larger than {MOST_BYTES:,} bytes")
                if time.monotonic() > deadline:
                    raise NoAnswerError("the answer took too long (components.vlm.timeout)")
        return bytes(data)

    def _clean(self, text: str) -> str:
        """Return an error's words in one short line, in which the key never appears."""
        return shortened(printable(text.replace(self._key, "***") if self._key else text), 160)


def _key_of(settings: VlmConfig) -> str:
    """Return the key from the environment, "" where none is needed."""
    if not settings.endpoint:
        raise ConfigError(
            "is not named, and rules ask a model",
            item="components.vlm.endpoint",
            remedy='name one, such as "http://localhost:8000/v1", or ignore the rules',
        )
    if not settings.model:
        raise ConfigError("is not named", item="components.vlm.model", remedy="name a model of the endpoint")
    if not settings.api_key_variable:
        return ""
    key = os.environ.get(settings.api_key_variable, "")
    if not key:
        raise ConfigError(
            "is not set in the environment",
            item=f'components.vlm.api_key_variable = "{settings.api_key_variable}"',
            remedy=f"export {settings.api_key_variable}=…",
        )
    return key


def reply_of(data: bytes) -> Reply:
    """Return what a completion says; servers leave out what the protocol promises, so nothing is taken for granted.

    Raises `NoAnswerError` where it is no completion, a refusal, empty or cut off.
    """
    try:
        completion = json.loads(data)
        choice = completion["choices"][0]
        text, refusal = choice["message"].get("content"), choice["message"].get("refusal")
        finished, usage = choice.get("finish_reason"), completion.get("usage")
        used = Usage(int(usage["prompt_tokens"]), int(usage["completion_tokens"])) if usage else None
    except (ValueError, LookupError, TypeError, AttributeError):
        raise NoAnswerError("the answer is no chat completion") from None
    if refusal or finished == "content_filter":
        raise NoAnswerError(f"the model refused: {shortened(printable(str(refusal or 'its filter said no')))}")
    if finished == "length":
        raise NoAnswerError("the answer was cut off (components.vlm.answer_tokens)")
    if not isinstance(text, str) or not text.strip():
        raise NoAnswerError("the answer is empty")
    return Reply(text, used)
