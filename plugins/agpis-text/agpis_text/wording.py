"""The words that sellers lay over pictures, by language, and the patterns of prices and contact data.

Plain data: the defaults of `TextConfig`, which may replace or extend each list. Patterns are searched in lower-case text
without accents; phrases are brought to the same form.
"""

from __future__ import annotations

from collections.abc import Mapping

Lists = Mapping[str, tuple[str, ...]]

WORDING: Mapping[str, Lists] = {
    "en": {
        "phrases": (
            "sale", "big sale", "mega sale", "summer sale", "clearance", "free shipping", "free delivery", "fast delivery",
            "same day delivery", "limited time", "limited offer", "special offer", "hot deal", "flash deal", "best deal",
            "top deal", "best seller", "bestseller", "best price", "lowest price", "low price", "special price",
            "black friday", "cyber monday", "last chance", "only today", "while stocks last", "buy now", "shop now",
            "order now", "order today", "click to order", "click here", "add to cart", "money back", "new arrival",
            "new collection", "in stock", "official store", "top rated", "buy 1 get 1", "buy one get one", "fast shipping",
            "discount", "coupon", "promo code", "shop the look", "just landed", "limited edition offer", "outlet",
        ),
        "printed_too": (
            "new", "hot", "free", "exclusive", "best choice", "high quality", "premium quality", "best quality",
            "100% original", "year warranty", "limited edition", "guarantee", "offer", "save", "gift",
        ),
        "patterns": (r"\d{1,3} ?% ?(off|discount|less)\b", r"\b(up to|save|extra) ?\d{1,3} ?%", r"\bbuy \d get \d"),
    },
    "de": {
        "phrases": (
            "gratis versand", "versandkostenfrei", "kostenloser versand", "kostenlose lieferung", "sonderangebot", "angebot",
            "angebot der woche", "schnappchen", "ausverkauf", "schlussverkauf", "raumungsverkauf", "rabatt", "rabattaktion",
            "jetzt kaufen", "jetzt bestellen", "nur heute", "bestpreis", "tiefpreis", "sonderpreis", "sofort lieferbar",
            "schneller versand", "solange der vorrat reicht", "verkaufsschlager", "topseller", "neue kollektion", "reduziert",
        ),
        "printed_too": ("neu", "gratis", "aktion", "top qualitat", "hochste qualitat", "exklusiv", "geschenk", "garantie"),
        "patterns": (r"\d{1,3} ?% ?(rabatt|reduziert|sparen|gunstiger)", r"\b(bis zu|spare|nur heute:?) ?-?\d{1,3} ?%"),
    },
    "fr": {
        "phrases": (
            "soldes", "promotion", "promo", "livraison gratuite", "livraison offerte", "offre speciale", "offre limitee",
            "meilleure vente", "meilleures ventes", "meilleur prix", "prix bas", "prix doux", "prix choc", "bonne affaire",
            "achetez maintenant", "commandez", "derniere chance", "destockage", "nouvelle collection", "en stock",
            "satisfait ou rembourse", "ventes flash", "vente flash",
        ),
        "printed_too": ("nouveau", "nouveaute", "gratuit", "offert", "exclusif", "haute qualite", "garantie"),
        "patterns": (r"\d{1,3} ?% ?(de reduction|de remise|offert)", r"\b(jusqu.?a|soldes) ?-? ?\d{1,3} ?%"),
    },
    "es": {
        "phrases": (
            "rebajas", "oferta", "oferta especial", "ofertas", "envio gratis", "envio gratuito", "descuento", "liquidacion",
            "mas vendido", "el mas vendido", "precio especial", "mejor precio", "compra ahora", "comprar ahora", "ultimas unidades",
            "solo hoy", "por tiempo limitado", "nueva coleccion", "envio rapido", "promocion",
        ),
        "printed_too": ("nuevo", "gratis", "exclusivo", "alta calidad", "garantia", "regalo"),
        "patterns": (r"\d{1,3} ?% ?(dto|de descuento|descuento)", r"\b(hasta|ahorra) ?(un )?-?\d{1,3} ?%"),
    },
    "it": {
        "phrases": (
            "saldi", "sconto", "sconti", "offerta", "offerta speciale", "spedizione gratuita", "spedizione gratis",
            "consegna gratuita", "piu venduto", "miglior prezzo", "prezzo speciale", "acquista ora", "compra ora",
            "solo oggi", "ultimi pezzi", "nuova collezione", "promozione",
        ),
        "printed_too": ("nuovo", "novita", "omaggio", "esclusivo", "alta qualita", "garanzia"),
        "patterns": (r"\d{1,3} ?% ?(di sconto|sconto)", r"\b(fino al|sconti) ?-?\d{1,3} ?%"),
    },
    "zh": {
        "phrases": (
            "包邮", "免运费", "促销", "特价", "特惠", "优惠", "打折", "折扣", "秒杀", "限时", "抢购", "清仓", "甩卖", "爆款", "热卖",
            "热销", "新品上市", "买一送一", "满减", "领券", "直降", "立减", "立即购买", "点击购买", "现货", "厂家直销", "双十一", "双11",
            "七天无理由", "官方旗舰店", "旗舰店", "下单",
        ),
        "printed_too": ("新品", "正品", "赠品", "升级版", "新款", "品质保证"),
        "patterns": (r"[1-9一二三四五六七八九](\.\d)? ?折", r"满\d+ ?减\d+", r"省\d+ ?元?"),
    },
}  # fmt: skip

DISCOUNTS = (r"(?<![\d\w])[-–−] ?\d{1,2} ?%", r"\b\d{1,2} ?% ?off\b")

CURRENCY = r"(?:us ?\$|[$€£¥￥₹₩₽₺]|eur\b|usd\b|gbp\b|chf\b|rmb\b)"
NUMBER = r"\d{1,3}(?:[ .,']\d{3})*(?:[.,](?:\d{2}|-+))?"
PRICES = (
    rf"{CURRENCY} ?{NUMBER}(?![\d%])",
    rf"(?<![\d.,]){NUMBER} ?{CURRENCY}",
    r"(?<![\d.,])\d+(?:[.,]\d{2})? ?(?:euros?|dollars?|kr|zl|元|円|块)(?![a-z])",
    r"(?<![\d.,])\d{1,4}[.,](?:95|99)(?![\d.,%]| ?[a-z])",
    r"\b(?:only|just|now|nur|jetzt|seulement|solo|ahora|adesso|was|仅|只要|现价|原价) ?:?\d{1,5}(?:[.,]\d{2})?(?![\d%.,]| ?[a-z])",
)

_DOMAINS = "com|net|org|info|biz|shop|store|online|eu|de|at|ch|fr|es|it|nl|pl|se|co\\.uk|uk|us|cn|jp|ru|br|in|io|app"
CONTACTS = (
    r"https?:?//",
    r"\bwww ?\.",
    r"[a-z0-9._-]+ ?@ ?[a-z0-9-]+\.[a-z]{2,}",
    rf"(?<![\w@])[a-z][a-z0-9-]{{2,}}\.(?:{_DOMAINS})(?![\w])",
    r"(?<!\w)@ ?[a-z0-9][a-z0-9_.]{2,}",
    r"\b(?:tel|telefon|telefono|phone|call|hotline|mobile|mobil|whats ?app|viber|order)\b ?[.:]? ?[+(]?\d[\d ()./-]{5,}\d",
    r"(?:电话|手机|热线) ?[:：]? ?\d[\d -]{5,}\d",
    r"(?<![\d])\+\d{1,3}[ ./-]?\(?\d[\d ()./-]{6,}\d(?!\d)",
    r"(?<![\d.-])\d{2,4}[ .-]\d{3,4}[ .-]\d{3,5}(?![\d.-])",
    r"\bwhats ?app\b|\bwe ?chat\b|\btelegram\b|\bviber\b|微信|\bqq ?[:：]? ?\d{5,}",
    r"\b(?:follow us|dm us|find us on|instagram|facebook|youtube)\b|\btik ?tok\b(?! shop)",
)

MARKETPLACES = (
    "amazon", "ebay", "etsy", "walmart", "aliexpress", "alibaba", "taobao", "tmall", "jd.com", "shopee", "lazada", "temu",
    "shein", "zalando", "rakuten", "mercado libre", "mercadolibre", "allegro", "cdiscount", "bol.com", "tiktok shop",
    "pinduoduo", "flipkart", "kaufland.de", "otto.de", "coupang", "淘宝", "天猫", "京东", "拼多多", "抖音",
)  # fmt: skip
