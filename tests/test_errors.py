"""Every error says which item, what happened and what to do (agpis_sdk/errors.py)."""

from __future__ import annotations

import pickle

import pytest
from pydantic import ValidationError

from agpis_sdk import errors
from agpis_sdk.errors import AgpisError, ConfigError, RecordError, first_problem, nearest
from agpis_sdk.records import Outcome

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, AgpisError)]


def test_an_error_reads_code_item_what_and_remedy() -> None:
    error = RecordError("has no images", item='line 3, product "P1"', remedy='list some under "images"')

    assert str(error) == '[E300] line 3, product "P1": has no images (list some under "images")'


def test_an_error_without_item_and_remedy_has_no_empty_brackets() -> None:
    assert str(ConfigError("is wrong")) == "[E100] is wrong"


def test_an_error_is_one_line_without_control_characters_whatever_a_name_holds() -> None:
    error = RecordError("is\x07odd", item='product "a\x1b[2J\n\u202eb\udcff"')

    assert str(error) == r'[E300] product "a\x1b[2J\n\u202eb\udcff": is\x07odd'


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_survives_the_way_to_another_process(kind: type[AgpisError]) -> None:
    error = pickle.loads(pickle.dumps(kind("what", item="item", remedy="remedy")))

    assert type(error) is kind
    assert (error.what, error.item, error.remedy) == ("what", "item", "remedy")
    assert str(error) == f"[{kind.code}] item: what (remedy)"


def test_no_two_errors_share_a_code() -> None:
    codes = [kind.code for kind in KINDS]

    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize(
    ("known", "remedy"),
    [
        (["threshold", "length"], 'did you mean "threshold"?'),
        (["width", "length"], "known: length, width"),
        ([], "none is known"),
    ],
)
def test_a_remedy_suggests_the_nearest_name_or_lists_what_there_is(known: list[str], remedy: str) -> None:
    assert nearest("thresold", known) == remedy


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"product_id": "P1"}, "line.3.status: is missing"),
        ({"product_id": "P1", "status": "hold", "color": "red"}, "line.3.color: is no known field"),
        (
            {"product_id": "P1", "status": "hold", "images": [{"id": 7, "state": "kept"}]},
            "line.3.images.0.id: Input should be a valid string",
        ),
    ],
)
def test_a_validation_error_is_put_in_our_words(data: dict[str, object], text: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Outcome.model_validate(data)

    assert str(first_problem(caught.value, "line", 3)) == text
