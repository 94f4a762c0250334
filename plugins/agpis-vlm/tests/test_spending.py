"""The books: a budget is never exceeded, whatever requests come to cost, as long as none costs more than reserved."""

from __future__ import annotations

from agpis_vlm.config import VlmConfig
from agpis_vlm.spending import Spending, Usage
from hypothesis import given
from hypothesis import strategies as st

USAGES = st.builds(Usage, st.integers(0, 500), st.integers(0, 500))
REQUESTS = st.lists(st.tuples(USAGES, st.floats(0, 1), st.sampled_from(["answer", "failure", "time-out", "late"])))


@given(REQUESTS, st.integers(0, 20), st.integers(1, 3000), st.floats(0.001, 3))
def test_no_limit_is_exceeded(requests: list[tuple[Usage, float, str]], calls: int, tokens: int, cost: float) -> None:
    settings = VlmConfig(max_calls=calls, max_tokens=tokens, max_cost=cost, input_price=500, output_price=900)
    books = Spending()

    for most, share, end in requests:
        if books.reserve(most, settings):
            continue
        if end == "answer":
            used = Usage(int(most.input_tokens * share), int(most.output_tokens * share))
            books.settle(most, used, settings)
        elif end != "late":
            books.fail(most, settings, "no", billed=end == "time-out", for_good=False)

        assert books.calls <= calls
        assert books.tokens <= tokens
        assert books.cost <= cost + 1e-9


def test_what_a_request_did_not_cost_is_free_again() -> None:
    settings = VlmConfig(max_tokens=100)
    books = Spending()

    assert not books.reserve(Usage(60, 40), settings)
    books.settle(Usage(60, 40), Usage(30, 10), settings)

    assert not books.reserve(Usage(50, 10), settings)
    assert books.reserve(Usage(1, 0), settings) == "the budget is spent: components.vlm.max_tokens = 100"


def test_failures_in_a_row_end_the_asking_and_an_answer_between_them_does_not() -> None:
    settings = VlmConfig(max_failures=2)
    books = Spending()

    books.fail(Usage(), settings, "no", billed=False, for_good=False)
    books.settle(Usage(), Usage(), settings)
    books.fail(Usage(), settings, "no", billed=False, for_good=False)
    assert books.stopped == ""

    books.fail(Usage(), settings, "HTTP 500", billed=False, for_good=False)
    assert books.stopped == "no more is asked after 2 failed requests in a row, the last: HTTP 500"
