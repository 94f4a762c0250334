"""The words shops lay over pictures, in two pools that share no line: one to train on, one to test on."""

from __future__ import annotations

from agpis_sdk.synthetic.violations.types import Pool, Sampler

BANNER: Pool[str] = {
    "train": (
        "SALE", "BIG SALE", "MEGA SALE {n}%", "UP TO {n}% OFF", "Free Shipping", "FREE DELIVERY", "Limited Time Offer",
        "NEW ARRIVAL", "BEST SELLER", "HOT DEAL", "Black Friday", "Cyber Monday", "BUY 1 GET 1 FREE", "Summer Sale",
        "Winter Clearance", "Last Chance", "ONLY TODAY", "EXTRA {n}% OFF", "Official Store", "Gratis Versand",
        "Nur heute: -{n}%", "SOLDES -{n}%", "Livraison gratuite", "REBAJAS", "Envio gratis", "SALDI", "Offerta speciale",
        "24h Delivery", "100% Original", "In Stock", "Ships from EU", "2 Year Warranty", "Top Rated Seller", "EXCLUSIVE",
    ),
    "test": (
        "CLEARANCE", "Flash Deal", "SAVE {n}%", "Special Price", "WHILE STOCKS LAST", "Weekend Promo", "NEW IN",
        "Fast Dispatch", "Money Back Guarantee", "Singles Day", "Back to School", "JUST LANDED", "TOP PICK",
        "Mid-Season Offers", "-{n}% ON EVERYTHING", "Angebot der Woche", "Prix doux", "Oferta", "Sconti fino al {n}%",
        "Brand Outlet", "Same Day Dispatch", "Bundle & Save",
    ),
}  # fmt: skip
PROMOTION: Pool[str] = {
    "train": (
        "Soft & Comfortable", "Waterproof", "High Quality", "Premium Cotton", "Lightweight Design", "Breathable Mesh",
        "NEW COLLECTION", "Ultra Grip Sole", "100% Organic", "No Added Sugar", "Perfect Gift", "Built to last",
        "Feel the difference", "Machine washable", "Extra long battery life", "One size fits all", "Size: S M L XL",
        "Easy to clean", "Made in Italy", "Anti-slip", "Available in 5 colors", "Buy now!", "Click to order",
        "Order today", "Your style, your way", "Designed for runners", "Fresh every day", "Rich in vitamins",
        "Hochwertige Verarbeitung", "Super confortable", "Alta calidad", "{n} cm", "{n} x {m} cm", "Capacity {n} L",
    ),
    "test": (
        "All-day comfort", "Quick Dry", "Rugged & Ready", "Heavy duty zip", "Adjustable strap", "Ideal for travel",
        "Genuine leather", "Shock absorbing", "Everyday essential", "Love it or return it", "Height {n} cm",
        "Stretch fabric", "Low calorie", "Gluten free", "Taste the sunshine", "Shop the look", "Get yours",
        "Customer favorite", "Weight {n} g", "Trendy & Chic", "Recycled materials", "Atmungsaktiv", "Tres resistant",
        "Go further", "Upgrade your game",
    ),
}  # fmt: skip
BRAND: Pool[str] = {
    "train": (
        "ShopNova", "megastore", "URBANIX", "Kaufhaus24", "BellaModa", "trendify", "SPORTLINE", "PixelShop", "orbita",
        "Maison Claire", "DirectDeals", "bestbuyz", "Lumora", "VELTRA", "greenleaf", "Happy Home", "stocksnap.pics",
        "photobank", "SAMPLE", "PREVIEW", "COPYRIGHT", "DO NOT COPY", "{b}.com", "www.{b}.com", "(c) {b}", "{b} Store",
        "{b} OFFICIAL", "by {b}",
    ),
    "test": (
        "Quintara", "hallmarkt", "NORDVIK", "Casa Bonita", "priceheld", "zestly", "OUTDOORIA", "Mirelle", "copperfox",
        "Tip Top Shop", "imagevault", "PROOF", "PROPERTY OF SELLER", "Not for reuse", "{b}.shop", "{b} group",
        "photo: {b}", "{b} & Co",
    ),
}  # fmt: skip
STEM: Pool[str] = {
    "train": ("nova", "kiosko", "alpina", "zenmart", "velora", "trendbox", "primeo", "luxar", "fitgo", "basik", "domus",
              "yoyo", "kidsy", "runhub", "modalia", "freshco", "sunny", "ozone", "polar", "delta"),
    "test": ("quivo", "harbor", "lindt-haus", "pebble", "tamarin", "oakline", "bivio", "rocketeer", "mintu", "sorrel"),
}  # fmt: skip
PRICE: Pool[str] = {
    "train": ("-{n}%", "{n}%\nOFF", "${m}.99", "{m},99 €", "ONLY\n${m}", "SALE\n-{n}%", "NEW", "HOT", "£{m}.00",
              "from\n{m} €", "2 for\n${m}", "-{m} €", "BEST\nPRICE", "1+1\nFREE", "$ {m}"),
    "test": ("SAVE\n{n}%", "{n}% less", "NOW\n{m}.50", "€ {m}", "TOP\nDEAL", "just\n£{m}", "was {n}\nnow {m}", "LOW\nPRICE",
             "{m}.95", "3 pcs\n{m} €", "{n}% rabatt"),
}  # fmt: skip
CONTACT: Pool[str] = {
    "train": ("www.{b}.com", "Tel: {p}", "Call {p}", "WhatsApp {p}", "@{b}", "info@{b}.com", "Follow us @{b}", "+{p}",
              "Visit {b}.de", "Order: {p}", "instagram.com/{b}", "{b}.co.uk\n{p}", "Facebook: {b}"),
    "test": ("Telegram: @{b}", "hello@{b}.store", "Phone {p}", "https://{b}.net", "DM us: {b}_shop", "Hotline {p}\n{b}.eu",
             "Viber {p}", "tiktok @{b}", "Find us on {b}.org"),
}  # fmt: skip
PLACEHOLDER: Pool[str] = {
    "train": ("Image coming soon", "No image available", "NO IMAGE", "Photo not available", "Picture coming soon",
              "No photo", "Kein Bild vorhanden", "Image non disponible"),
    "test": ("Awaiting image", "Product image unavailable", "NO PICTURE YET", "Photo to follow", "Bild folgt",
             "Sin imagen", "Not yet pictured"),
}  # fmt: skip
CHROME: Pool[str] = {
    "train": ("Search products", "Add to cart", "Home", "Back", "Details", "Share", "Gallery", "Messages", "4 of 12"),
    "test": ("Explore", "Buy this item", "Reply", "Save", "Photos", "For you", "Liked by 218 people", "Today 14:02"),
}  # fmt: skip
POOLS: dict[str, Pool[str]] = {
    "banner": BANNER,
    "promotion": PROMOTION,
    "brand": BRAND,
    "stem": STEM,
    "price": PRICE,
    "contact": CONTACT,
    "placeholder": PLACEHOLDER,
    "chrome": CHROME,
}


def _phone(sampler: Sampler) -> str:
    groups = [
        str(sampler.integer(10 ** (size - 1), 10**size - 1))
        for size in sampler.choice(((3, 3, 4), (2, 4, 5), (4, 3, 3)))
    ]
    return sampler.choice((" ", "-", ".")).join(groups)


def words(sampler: Sampler, pool: Pool[str]) -> str:
    """Take a line of the split's pool, fill in numbers and names, and sometimes change its case."""
    line = sampler.from_pool(pool)
    line = line.replace("{n}", str(sampler.choice((5, 10, 15, 20, 25, 30, 33, 40, 50, 60, 70, 75, 80, 90))))
    line = line.replace("{m}", str(sampler.integer(3, 199)))
    if "{b}" in line:
        line = line.replace("{b}", sampler.from_pool(STEM))
    if "{p}" in line:
        line = line.replace("{p}", _phone(sampler))
    if sampler.chance(0.2):
        return line.upper()
    return line
