"""What words in a picture are about: promotion, a price, contact data, a marketplace. Regular expressions by language.

They are matched against a line in lower case, with single spaces; a space in an expression also fits none, as readers lose
spaces between capitals. Our own lists, from common use; a shop adds to them in its settings.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Literal

Kind = Literal["promotional", "price", "contact", "platform"]
EVERY_LANGUAGE = "any"

PHRASES: Mapping[Kind, Mapping[str, tuple[str, ...]]] = {
    "promotional": {
        EVERY_LANGUAGE: (r"(^|\s)[-–−] ?\d{1,2} ?%", r"\d ?% ?(off|less|rabatt|descuento|di sconto|de réduction|korting|rea)\b", r"\bup to \d{1,2} ?%", r"\b1 ?\+ ?1\b"),
        "en": (
            r"\bsales?\b", r"\bdeals?\b", r"\boffers?\b", r"\bdiscounts?\b", r"\d ?% ?off\b", r"\bfree (shipping|delivery|returns?|gift)\b",
            r"\b(same|next) day (shipping|delivery)\b", r"\bfast (shipping|delivery)\b", r"\bships? (free|fast|today)\b", r"\bbest ?sell(er|ing)\b",
            r"\bbest (price|choice|value|quality|deal)\b", r"\b(top|high|highest|premium|super) (rated|quality|seller|choice|value|grip|grade)\b",
            r"\bnew (arrivals?|collection|season|model|style|in|now)?\b", r"\bnow (only|just|from)\b", r"\bonly (today|now|left|\d)", r"\bjust \d",
            r"\blimited (time|edition|stock|offer)\b", r"\bwhile stocks? lasts?\b", r"\b(few|only \d+) left\b", r"\bhurry\b", r"\blast (chance|pieces?|day)\b",
            r"\b(buy|order|shop|click|call|visit|join|subscribe) (now|today|here|us|online|one|to)\b", r"\bbuy \d\b", r"\b(add|click) to (cart|order|buy)\b",
            r"\bmoney back\b", r"\bguaranteed?\b", r"\b\d+ ?(year|month|day)s? (warranty|return|guarantee)\b", r"\bwarranty\b", r"\bclearance\b",
            r"\bspecial (offer|price|edition|deal)\b", r"\b(save|was|now) ?[$€£]? ?\d", r"\b(low|top|best|great|special|reduced) (price|deal|offer)s?\b", r"\bhot (item|sale|deal|price)?\b$", r"\btrending\b", r"\bexclusive\b", r"\bcoupon\b", r"\bpromo(tion|code)?\b",
            r"\bblack friday\b", r"\bcyber (monday|week)\b", r"\bsingles'? day\b", r"\bprime day\b", r"\b(summer|winter|spring|autumn|christmas|easter|holiday) (sale|deals?|special|savings)\b",
            r"\bavailable in \d+ (colou?rs|sizes)\b", r"\bmore colou?rs\b", r"\b(customer|editor)'?s'? (choice|favou?rite|pick)\b", r"\b(ideal|perfect|great|made) for \w+", r"\bgift idea\b",
            r"\bas seen on\b", r"\brecommended\b", r"\b(5|five) stars?\b", r"\bin stock\b", r"\bofficial (store|shop)\b", r"\bauthentic\b", r"\boriginal product\b", r"\bwater ?proof\b",
            r"\bmust ?have\b", r"\b(buy|get) (one|two|\d)\b", r"\bfree\b$", r"\bofficial\b", r"\b100 ?% (original|genuine|authentic|new)\b", r"\bbuy more\b", r"\bextra \d", r"\bfrom \d", r"\bless$",
        ),
        "de": (
            r"\bangebote?\b", r"\brabatt\b", r"\bsonder(preis|angebot|aktion)\b", r"\baktion\b", r"\bgratis\b", r"\b(kosten|versandkosten)(los|frei)\w*", r"\bschlussverkauf\b", r"\bausverkauf\b",
            r"\bneu(heit|e kollektion)?\b", r"\bbestseller\b", r"\btop ?(preis|qualität|qualitat|angebot)\b", r"\bhochwertige?\b", r"\bjetzt (kaufen|bestellen|neu|nur|sparen|zugreifen)\b", r"\bnur (heute|noch|jetzt)\b",
            r"\bsparen\b", r"\breduziert\b", r"\bschnelle(r|) (versand|lieferung)\b", r"\b\d+ jahre garantie\b", r"\bgarantie\b", r"\bgeprüft\b", r"\btestsieger\b", r"\bsolange der vorrat\b", r"\bpreis(hit|knaller|sturz)\b",
        ),
        "fr": (
            r"\bsoldes?\b", r"\bpromo(tion)?s?\b", r"\bofferts?\b", r"\boffre\b", r"\blivraison (gratuite|offerte|rapide|en \d)", r"\bgratuite?s?\b", r"\bnouveau(té)?s?\b", r"\bnouvelle collection\b", r"\bmeilleur(e|es)? (vente|prix|qualité)\b",
            r"\b(haute|bonne|top) qualité\b", r"\bachetez\b", r"\bcommandez\b", r"\bprix (bas|choc|réduit)\b", r"\bréduction\b", r"\bremise\b", r"\bgaranti(e|)\b", r"\bsatisfait ou remboursé\b", r"\bdernières? (pièces|chance)\b", r"\bexclusi(f|vité)\b",
        ),
        "es": (
            r"\boferta\b", r"\brebajas?\b", r"\bdescuento\b", r"\benv[ií]o (gratis|gratuito|rápido)\b", r"\bgratis\b", r"\bnuev[oa]s?\b", r"\bnueva colección\b", r"\bmás vendido\b", r"\b(alta|mejor|máxima) calidad\b", r"\bmejor precio\b",
            r"\b(compra|ordena|pide|llama) (ya|ahora|hoy)\b", r"\búltimas (unidades|piezas)\b", r"\bgarant[ií]a\b", r"\bpromoción\b", r"\bahorra\b", r"\bsolo hoy\b", r"\bexclusiv[oa]\b",
        ),
        "it": (
            r"\bofferta\b", r"\bsaldi\b", r"\bsconto\b", r"\bspedizione (gratuita|gratis|veloce)\b", r"\bgratis\b", r"\bnuov[oa]\b", r"\bpiù vendut[oi]\b", r"\balta qualità\b", r"\bmiglior prezzo\b", r"\bacquista (ora|subito)\b", r"\bgaranzia\b", r"\bultimi pezzi\b",
        ),
        "nl": (r"\baanbieding\b", r"\bkorting\b", r"\bgratis\b", r"\buitverkoop\b", r"\bnieuw\b", r"\bbestel nu\b", r"\bvandaag besteld\b", r"\bgarantie\b", r"\bop ?= ?op\b"),
        "zh": ("包邮", "特价", "促销", "新品", "爆款", "热卖", "热销", "折扣", r"\d折", "优惠", "满减", "限时", "秒杀", "正品", "清仓", "买一送一", "现货", "高品质", "上市", "抢购", "直降", "赠"),
    },
    "price": {
        EVERY_LANGUAGE: (
            r"[$€£¥₹₽₩￥] ?\d", r"\d ?[€£¥₹₽₩]", r"\b(usd|eur|gbp|cny|rmb|chf|sek|nok|dkk|pln|inr) ?\d", r"\d ?(usd|eur|gbp|cny|rmb|chf|sek|nok|dkk|pln|inr|kr|zł|kč|元)\b", r"(^|\s)\d{1,4}[.,]\d\d( ?[-–])?$", r"\b\d+[.,]- ?$",
        ),
    },
    "contact": {
        EVERY_LANGUAGE: (
            r"https?:", r"\bwww ?\.", r"\b[\w-]{2,}\.(com|net|org|shop|store|de|fr|es|it|nl|co\.uk|cn|eu|io)\b", r"[\w.+-]+@[\w-]+\.\w+", r"(^|\s)@\w{3,}", r"\b(tel|phone|mobile|hotline|fax|call us|call)\b ?[.:@]? ?[+\d@]",
            r"(^|\s)\+?\d{2,4}[ /().-]{1,2}\d{2,4}[ .-]?\d{2,5}[ .-]?\d{0,5}($|\s)", r"\bwhats ?app\b", r"\bwe ?chat\b", r"\btelegram\b", r"微信", r"\bqq ?[:：]? ?\d{5}", r"\be-?mail\b", r"\bfollow us\b", r"\bcall us\b",
        ),
    },
    "platform": {
        EVERY_LANGUAGE: (
            r"\bamazon\b", r"\be ?bay\b", r"\bali ?express\b", r"\bali ?baba\b", r"\btao ?bao\b", r"\bt ?mall\b", r"\bwalmart\b", r"\betsy\b", r"\bshopee\b", r"\blazada\b", r"\btemu\b", r"\bshein\b", r"\bmercado ?libre\b", r"\botto\.de\b",
            r"\bzalando\b", r"\brakuten\b", r"\bflipkart\b", r"\bozon\b", r"\bwildberries\b", r"\ballegro\b", r"\btik ?tok( shop)?\b", r"\bfacebook\b", r"\binstagram\b", r"\bshopify\b", "淘宝", "天猫", "京东", "拼多多", "抖音",
        ),
    },
}  # fmt: skip


def normalised(text: str) -> str:
    """Return a line as it is matched: full-width forms folded, lower case, single spaces.

    >>> normalised("  ５０％  OFF ")
    '50% off'
    """
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


class Wording:
    """The phrases of some languages, and a shop's own, as one expression per kind."""

    def __init__(self, languages: Iterable[str], added: Mapping[Kind, Iterable[str]] | None = None) -> None:
        chosen = (EVERY_LANGUAGE, *languages)
        self._expressions: dict[Kind, re.Pattern[str]] = {}
        for kind, by_language in PHRASES.items():
            phrases = [phrase for language in chosen for phrase in by_language.get(language, ())]
            phrases += (added or {}).get(kind, ())
            # Readers drop the spaces between capitals: "BESTSELLING" and "BEST SELLING" are one.
            self._expressions[kind] = re.compile("|".join(phrase.replace(" ", " ?") for phrase in phrases))

    def kinds_of(self, text: str) -> list[Kind]:
        """Return what a line is about; nothing for other words.

        >>> Wording(["en"]).kinds_of("Free shipping over $50")
        ['promotional', 'price']
        """
        line = normalised(text)
        return [kind for kind, expression in self._expressions.items() if expression.search(line)]


def languages() -> list[str]:
    """Return the languages that there are phrases for."""
    known = {language for by_language in PHRASES.values() for language in by_language}
    return sorted(known - {EVERY_LANGUAGE})
