"""Lines in: each gives a product or a rejection with the reason and the remedy (agpis_sdk/media/json_lines.py)."""

from __future__ import annotations

import gzip
import io
import json
import random
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agpis_sdk.errors import InputFileError
from agpis_sdk.media import json_lines, packing
from agpis_sdk.media.file_formats import bare
from agpis_sdk.media.json_lines import bounded_lines, parse_lines, read_json_lines
from agpis_sdk.media.record_check import RecordCheck, RejectedRecord
from agpis_sdk.records import Product

GOOD = {"id": "P1", "images": ["a.jpg"]}
LINE = json.dumps(GOOD).encode()
OTHER = json.dumps({**GOOD, "id": "P2"}).encode()


def parsed(lines: Iterable[bytes]) -> list[Product | RejectedRecord]:
    return list(parse_lines(lines, RecordCheck(None)))


def rejected(line: object) -> str:
    """Return why one line is refused."""
    (record,) = parsed([line if isinstance(line, bytes) else json.dumps(line).encode()])
    assert isinstance(record, RejectedRecord)
    return str(record.error)


def names(data: bytes) -> list[str]:
    """Return the ids of the products, and the names of the rejections, that a stream gives."""
    records = read_json_lines(io.BytesIO(data), RecordCheck(None), "it")
    return [record.id if isinstance(record, Product) else record.product_id for record in records]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b'{"id": "P1",', "[E300] line 1: invalid JSON at column 12: "),
        (b"\xff\xfe\xfa{}", "[E300] line 1: invalid JSON: not UTF-8 (save it as UTF-8, one JSON object a line)"),
        (b"[" * 100_000, "[E300] line 1: invalid JSON: "),
        (b'{"id": ' + b"1" * 5000 + b"}", "[E300] line 1: invalid JSON: "),
        (b"[1, 2]", "[E300] line 1: is a list, not an object (one JSON object a line)"),
        (b"null", "[E300] line 1: is null, not an object"),
        (
            {"images": ["a.jpg"]},
            '[E300] line 1, product "line-1": "id" is missing (only "id" and "images" must be there)',
        ),
        ({"id": None, "images": ["a.jpg"]}, '"id" is missing'),
        ({"id": "P1"}, '[E300] line 1, product "P1": "images" is missing'),
        ({"id": "", "images": ["a.jpg"]}, '"id" is empty (give every product its own id)'),
        ({"id": 4711, "images": ["a.jpg"]}, '"id" is the number 4711, not a text (write "4711", in quotes)'),
        ({"id": 4711.0, "images": ["a.jpg"]}, '"id" is the number 4711.0, not a text (write "4711", in quotes)'),
        ({"id": True, "images": ["a.jpg"]}, '"id" is a boolean, not a text'),
        ({**GOOD, "title": 501}, '"title" is the number 501, not a text (write "501", in quotes)'),
        ({"id": "P1", "images": []}, 'product "P1": has no candidate images (list some under "images")'),
        ({"id": "P1", "images": "a.jpg"}, '"images" is "a.jpg", not a list (write ["a.jpg"])'),
        ({"id": "P1", "imagse": ["a.jpg"]}, '"images" is missing (there is "imagse": did you mean "images"?)'),
        ({"id": "P1", "images": [{"id": "a", "url": "a.jpg"}]}, 'entry 1 of "images" has no "uri", and no other names'),
        ({"id": "P1", "images": [3]}, 'entry 1 of "images" is 3, neither a string nor an object, and no other'),
        ({"id": "P1", "images": [None, ""]}, 'entry 1 of "images" is null, and no other names a file'),
        ({"id": "P1", "images": [{"id": 7, "uri": "a.jpg"}]}, '"images.0.id" is the number 7, not a text (write "7"'),
        (
            {"id": "P1", "images": [{"id": "a", "uri": "1"}, {"id": "a", "uri": "2"}]},
            'image id "a" stands twice; give every',
        ),
        ({**GOOD, "attributes": ["red"]}, '"attributes" is a list, not an object (write {}, or leave it out)'),
        (b'{"id": "P1", "x": ' + b"[" * 200 + b"]" * 200 + b', "images": ["a"]}', "is nested deeper than 100 levels"),
    ],
)
def test_a_bad_line_is_named_with_the_reason_and_the_remedy(line: object, message: str) -> None:
    assert message in rejected(line)


def test_a_message_stays_short_and_on_one_line_whatever_the_record_holds() -> None:
    message = rejected({"id": "a\n\x1b[2J" + "x" * 100_000, "images": 3})

    assert len(message) < 300
    assert message.isprintable()


def test_a_repeated_id_names_both_lines() -> None:
    _, second = parsed([LINE, b"", LINE])

    assert isinstance(second, RejectedRecord)
    assert str(second.error) == (
        '[E300] line 3, product "P1": the id stands twice, first on line 1 (give every product its own id)'
    )


class TestLinesAreReadHoweverTheyAreWritten:
    @pytest.mark.parametrize(
        "data",
        [
            LINE + b"\n" + OTHER + b"\n",
            LINE + b"\r\n" + OTHER + b"\r\n",
            LINE + b"\r" + OTHER + b"\r",
            LINE + b",\r\n" + OTHER + b",",
            b"\xef\xbb\xbf" + LINE + b"\n" + OTHER,
            b"\xef\xbb\xbf" + LINE + b"\n\xef\xbb\xbf" + OTHER,
            b"\n \n" + LINE + b"\n\n\t" + OTHER,
            gzip.compress(LINE + b"\n" + OTHER, mtime=0),
        ],
    )
    def test_by_ends_of_lines_byte_order_marks_commas_blanks_and_gzip(self, data: bytes) -> None:
        assert names(data) == ["P1", "P2"]

    def test_with_numbers_that_count_every_line(self) -> None:
        assert names(b"\r\n" + LINE + b"\r\n\r\nrubbish\r\n") == ["P1", "line-4"]


class TestAnObjectOverSeveralLinesAmongOthers:
    INNER = b'    {"id": "red", "images": ["red.jpg"]},'

    def test_costs_its_lines_and_none_of_its_inner_objects_is_a_product(self) -> None:
        lines = [LINE, b'{"id": "P9", "variants": [', self.INNER, b"]", b"}", OTHER]

        records = parsed(lines)

        assert [type(record) for record in records] == [Product, *[RejectedRecord] * 4, Product]
        assert str(records[2].error) == (  # type: ignore[union-attr]
            "[E300] line 3: belongs to the object that begins on line 2 (one JSON object a line)"
        )

    def test_that_was_cut_off_costs_that_line_alone(self) -> None:
        first, second = parsed([LINE[:20], OTHER])

        assert isinstance(first, RejectedRecord)
        assert isinstance(second, Product)


class TestALongLine:
    @pytest.fixture(autouse=True)
    def _short_limit(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(json_lines, "MAX_LINE_BYTES", 100)

    @pytest.mark.parametrize("length", [101, 102, 203, 5000])
    def test_is_rejected_and_the_next_one_read(self, length: int) -> None:
        long = b'{"id": "' + b"x" * length + b'", "images": ["a.jpg"]}'

        assert names(LINE + b"\n" + long + b"\n" + OTHER) == ["P1", "line-2", "P2"]

    def test_is_never_held_whole(self) -> None:
        lines = list(bounded_lines(io.BytesIO(b"x" * 10_000 + b"\n" + LINE)))

        assert [len(line) for line in lines] == [101, len(LINE)]

    def test_names_the_limit(self) -> None:
        assert "line 1: is longer than 100 bytes" in rejected(b'{"id": "' + b"x" * 200 + b'"}')


def test_gzip_that_unpacks_beyond_reason_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "FREE_UNPACKED_BYTES", 2**16)
    bomb = gzip.compress(LINE + b"\n" * 2**20)

    with pytest.raises(InputFileError, match="it: unpacks to more than 300 times its size"):
        names(bomb)


def test_gzip_of_a_large_catalog_is_read() -> None:
    lines = b"\n".join(json.dumps({**GOOD, "id": f"P{number}"}).encode() for number in range(5000))

    assert len(names(gzip.compress(lines))) == 5000


@given(st.lists(st.one_of(st.binary(max_size=30), st.just(LINE)), max_size=8))
def test_any_bytes_at_all_give_a_record_or_a_rejection_per_line(lines: list[bytes]) -> None:
    assert len(parsed(lines)) == sum(1 for line in lines if bare(line))


WHOLE = {
    "id": "MH01",
    "title": "Chaz Hoodie 😀",
    "category": "Men/Tops",
    "description": None,
    "images": ["a.jpg", {"id": "back", "uri": "https://shop.example/b.jpg", "alt": "back"}],
    "attributes": {"price": 9.5, "sizes": ["S", "M"], "stock": {"S": 3}},
}
ODD_VALUES = (
    None, True, 0, -1, 4711, 1e308, float("nan"), float("inf"), "", " ", "\x00", "\ud83d", "a\nb", "=1+1", "x" * 300,
    [], {}, [None], [[]], {"": None}, {"id": "x", "images": ["x"]}, ["a.jpg", None], "http://[", "data:,", "..", "//",
)  # fmt: skip


def mutated(draw: random.Random) -> bytes:
    """Return the line of a product in which values are replaced, then bytes are cut, doubled or changed."""
    record = json.loads(json.dumps(WHOLE))
    for _ in range(draw.randrange(3)):
        target = draw.choice([record, record["attributes"], record["images"], record["images"][-1]])
        if isinstance(target, dict):
            target[draw.choice([*target, "id", "uri", "new", "\ud83d"])] = draw.choice(ODD_VALUES)
        elif isinstance(target, list):
            target.insert(draw.randrange(len(target) + 1), draw.choice(ODD_VALUES))
        if not isinstance(record.get("attributes"), dict | list) or not isinstance(record.get("images"), list):
            break
        record["images"] = record["images"] or [""]
    line = bytearray(json.dumps(record, ensure_ascii=draw.random() < 0.8).encode("utf-8", "surrogatepass"))
    for _ in range(draw.choice((0, 0, 1, 3))):
        start = draw.randrange(len(line))
        piece = slice(start, start + draw.randrange(1, 12))
        line[piece] = draw.choice((b"", line[piece] * 2, draw.randbytes(4), b'"', b"{", b"]", b"\\ud83d", b"NaN"))
    return bytes(line).replace(b"\n", b" ").replace(b"\r", b" ")


@pytest.mark.parametrize("seed", range(20))
def test_a_mutated_line_gives_a_product_or_a_rejection_that_can_be_written(seed: int) -> None:
    draw = random.Random(seed)
    for _ in range(100):
        line = mutated(draw)

        (record,) = parsed([line]) or [None]

        if isinstance(record, Product):
            assert Product.model_validate_json(record.model_dump_json()) == record, line
        elif record is not None:
            assert record.product_id.encode(), line
            assert str(record.error).isprintable(), line
