"""What lines of text say, in several languages, and which lines read on in others."""

from __future__ import annotations

import pickle

import pytest
from agpis_text.config import TextConfig, TextReaderConfig, Wording
from agpis_text.lines import TextLine
from agpis_text.matching import Matcher, names_product, passages, plain_text
from pydantic import ValidationError


def line(text: str, x: float, y: float, wide: float = 80, high: float = 20) -> TextLine:
    return TextLine(text, 1.0, ((x, y), (x + wide, y), (x + wide, y + high), (x, y + high)))


def said(text: str, **settings: object) -> set[str]:
    return set(Matcher(TextConfig.model_validate(settings)).kinds(text))


class TestKinds:
    @pytest.mark.parametrize(
        "text",
        [
            "FREE SHIPPING", "FREESHIPPING", "Up to 70% off", "Best Seller!", "BIG SALE -50%", "Versandkostenfrei",
            "Schnäppchen der Woche", "30 % Rabatt", "LIVRAISON GRATUITE", "jusqu'à -40%", "Envío gratis", "Rebajas",
            "50% de descuento", "Spedizione gratuita", "fino al 30%", "全场包邮", "限时8折", "满300减50", "-25%",
        ],
    )  # fmt: skip
    def test_promotion_is_understood_in_six_languages(self, text: str) -> None:
        assert said(text) == {"promotion"}

    @pytest.mark.parametrize("text", ["NEW", "NEU", "Nouveau!", "Nuevo", "High  quality", "升级版"])
    def test_what_packaging_says_as_well_is_kept_apart(self, text: str) -> None:
        assert said(text) == {"printed_too"}

    @pytest.mark.parametrize(
        "text", ["$19.99", "€ 5", "1.299,00 €", "£20", "￥99", "19,90 EUR", "249 kr", "只要 39元", "NOW 95.50", "7.95"]
    )
    def test_a_price_is_a_number_with_a_currency_or_the_look_of_one(self, text: str) -> None:
        assert said(text) == {"price"}

    @pytest.mark.parametrize(
        "text",
        [
            "www.shop-nova.com", "https://quivo.net", "visit quivo.shop", "hello@quivo.store", "@quivo_official",
            "Tel: 030 123 45 67", "+49 170 1234567", "555-123-4567", "WhatsApp 0170 1234567", "微信: quivo88", "加WeChat",
            "Follow us", "QQ:123456",
        ],
    )  # fmt: skip
    def test_contact_data_is_an_address_a_number_or_a_handle(self, text: str) -> None:
        assert said(text) == {"contact"}

    @pytest.mark.parametrize("text", ["Amazon's Choice", "on eBay", "TAOBAO", "天猫正品店", "AliExpress"])
    def test_marketplaces_are_known_by_name(self, text: str) -> None:
        assert "marketplace" in said(text)

    @pytest.mark.parametrize(
        "text",
        [
            "whole milk", "1.5 L", "12% fett", "2026-11-23", "7310865001818", "wholesale", "SIZE 42", "3 x 200 ml", "USB 2.0",
            "E 330", "Model 12-345", "best before 05.07", "100%", "牛奶",
        ],
    )  # fmt: skip
    def test_what_labels_say_is_none_of_them(self, text: str) -> None:
        assert said(text) == set()


class TestSettings:
    def test_languages_are_chosen(self) -> None:
        assert said("LIVRAISON GRATUITE", languages=["en"]) == set()

    def test_a_word_list_of_ones_own_adds_to_the_shipped_one(self) -> None:
        settings = {"more_wording": {"en": {"phrases": ["member price"]}}}

        assert said("Member price", **settings) == said("sale", **settings) == {"promotion"}

    def test_a_word_list_of_ones_own_replaces_the_shipped_one(self) -> None:
        settings = {"wording": {"en": {"phrases": ["member price"]}}}

        assert said("Member price", **settings) == {"promotion"}
        assert said("Limited offer", **settings) == set()

    def test_a_new_language_is_a_word_list_and_its_name(self) -> None:
        settings = {"languages": ["sv"], "wording": {"sv": {"phrases": ["fri frakt"]}}}

        assert said("FRI FRAKT", **settings) == {"promotion"}

    def test_a_language_without_words_is_refused_with_the_known_ones(self) -> None:
        with pytest.raises(ValidationError, match='no word list for the language "ed"'):
            TextConfig(languages=("ed",))

    def test_a_pattern_that_does_not_compile_is_refused(self) -> None:
        with pytest.raises(ValidationError, match="is no regular expression"):
            Wording(patterns=("(",))

    @pytest.mark.parametrize("config", [TextConfig, TextReaderConfig, Wording])
    def test_an_unknown_key_is_refused(self, config: type[TextConfig]) -> None:
        with pytest.raises(ValidationError, match="Extra inputs"):
            config.model_validate({"color": "red"})

    def test_settings_survive_pickling(self) -> None:
        config = TextConfig(more_wording={"en": Wording(phrases=("member price",))})

        assert pickle.loads(pickle.dumps(config)) == config


def test_plain_text_has_no_case_no_accents_and_single_spaces() -> None:
    assert plain_text("  Größe:  ＥＴＥ ") == "grosse: ete"


class TestPassages:
    def test_a_line_right_below_reads_on(self) -> None:
        assert [len(one) for one in passages([line("FREE", 10, 10), line("SHIPPING", 10, 34)])] == [1, 1, 2]

    def test_a_line_to_the_right_reads_on(self) -> None:
        texts = [[one.text for one in passage] for passage in passages([line("50%", 10, 10), line("OFF", 100, 12)])]

        assert texts[-1] == ["50%", "OFF"]

    @pytest.mark.parametrize("other", [line("b", 10, 90), line("b", 200, 10), line("b", 10, 34, 400, 90)])
    def test_a_line_far_off_or_of_another_size_does_not(self, other: TextLine) -> None:
        assert [len(one) for one in passages([line("a", 10, 10), other])] == [1, 1]


@pytest.mark.parametrize(
    ("text", "named"), [("ALPRO", True), ("alpr", True), ("Vanilla soy", True), ("Waterproof", False)]
)
def test_a_label_has_the_words_of_the_products_title(text: str, named: bool) -> None:
    assert names_product(text, "Alpro Vanilla Soyghurt") is named
