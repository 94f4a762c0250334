"""Questions in, judgments out: from the cache, else from the endpoint, as many at a time and at all as the config lets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import cached_property
from typing import Any

from agpis_vlm.answers import Judgment, none_judged, read_answer
from agpis_vlm.cache import AnswerCache, KeptAnswer, key_of
from agpis_vlm.config import VlmConfig
from agpis_vlm.endpoint import Endpoint, NoAnswerError
from agpis_vlm.questions import Question, most_usage, request_of
from agpis_vlm.spending import SPENDING

DRY_RUN = "not asked: this is a dry run"


class Judge:
    """Answers questions; raises `ConfigError` where nothing can be asked: no endpoint, or no key."""

    def __init__(self, settings: VlmConfig) -> None:
        self._settings = settings
        self._cache = AnswerCache(settings.cache)
        self._endpoint = None if settings.dry_run else Endpoint(settings)

    def judge(self, questions: Sequence[Question]) -> list[Judgment]:
        """Return the judgment of each question; what is not there after `patience` seconds is a fault."""
        bodies = [request_of(question, self._settings) for question in questions]
        keys = [key_of(self._settings.endpoint, body) for body in bodies]
        known: dict[str, Judgment] = {}
        waiting: dict[str, tuple[Question, dict[str, Any]]] = {}
        # All places in the books are taken before the first request: which ones fit does not depend on how fast they are.
        for question, key, body in zip(questions, keys, bodies, strict=True):
            if key not in known and key not in waiting:
                judgment = self._known(question, key) or self._refused(question, body)
                if judgment is None:
                    waiting[key] = (question, body)
                else:
                    known[key] = judgment
        known |= self._asked(waiting)
        return [known[key] for key in keys]

    def _asked(self, waiting: Mapping[str, tuple[Question, dict[str, Any]]]) -> dict[str, Judgment]:
        """Ask questions side by side and return their judgments by key."""
        asked: dict[str, Future[Judgment]] = {}
        try:
            for key, (question, body) in waiting.items():
                asked[key] = self._threads.submit(self._ask, question, key, body)
            wait(asked.values(), timeout=self._settings.patience)
        finally:
            for key, future in asked.items():
                if future.cancel():  # it had not begun
                    SPENDING.release(most_usage(waiting[key][1], self._settings), self._settings)
        return {key: self._result(asked[key], question) for key, (question, _) in waiting.items()}

    @cached_property
    def _threads(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self._settings.concurrency, thread_name_prefix="agpis-vlm")

    def _known(self, question: Question, key: str) -> Judgment | None:
        """Return the judgment that the cache has."""
        kept = self._cache.get(key)
        if kept is None:
            return None
        SPENDING.count_cached()
        return read_answer(kept.text, list(question.rules), len(question.images), kept.usage)

    def _refused(self, question: Question, body: dict[str, Any]) -> Judgment | None:
        """Return the judgment of a question that must not be asked; None, and a place in the books, where it may."""
        most = most_usage(body, self._settings)
        if self._settings.dry_run:
            SPENDING.plan(most, self._settings)
            return none_judged(list(question.rules), DRY_RUN)
        reason = SPENDING.reserve(most, self._settings)
        return none_judged(list(question.rules), reason) if reason else None

    def _ask(self, question: Question, key: str, body: dict[str, Any]) -> Judgment:
        """Ask in a thread of its own; an answer that comes too late for its batch is still kept for the next run."""
        most, codes = most_usage(body, self._settings), list(question.rules)
        if self._endpoint is None or SPENDING.broken:
            SPENDING.release(most, self._settings)
            return none_judged(codes, SPENDING.broken)
        try:
            reply = self._endpoint.ask(body)
        except NoAnswerError as error:
            SPENDING.fail(most, self._settings, error.reason, billed=error.billed, for_good=error.for_good)
            return none_judged(codes, error.reason)
        usage = reply.usage or most
        SPENDING.settle(most, usage, self._settings)
        judgment = read_answer(reply.text, codes, len(question.images), usage)
        if judgment.final:
            self._cache.put(key, KeptAnswer(reply.text, usage))
        return judgment

    def _result(self, future: Future[Judgment], question: Question) -> Judgment:
        if future.done() and not future.cancelled():
            return future.result()
        limit = self._settings.patience
        return none_judged(list(question.rules), f"no answer after {limit:g} s (components.vlm.patience)")
