"""Open-licensed fonts from pip packages, loaded when first asked for; train and test share no family."""

from __future__ import annotations

import importlib.util
from functools import lru_cache
from pathlib import Path

from PIL import ImageFont

from agpis_sdk.errors import ConfigError
from agpis_sdk.synthetic.violations.types import Pool, Sampler

FONTS: Pool[str] = {
    "train": (
        "font_roboto/Roboto-Regular.ttf",
        "font_roboto/Roboto-Bold.ttf",
        "font_roboto/Roboto-Black.ttf",
        "font_roboto/Roboto-Light.ttf",
        "font_roboto/Roboto-BlackItalic.ttf",
        "font_source_sans_pro/SourceSansPro-Regular.ttf",
        "font_source_sans_pro/SourceSansPro-Bold.ttf",
        "font_source_sans_pro/SourceSansPro-BlackIt.ttf",
        "font_source_serif_pro/SourceSerifPro-Regular.ttf",
        "font_source_serif_pro/SourceSerifPro-Bold.ttf",
        "font_source_serif_pro/SourceSerifPro-BoldIt.ttf",
        "font_lato/Lato-Regular.ttf",
        "font_lato/Lato-Black.ttf",
        "font_lato/Lato-BoldItalic.ttf",
        "font_manrope/Manrope-Medium.ttf",
        "font_manrope/Manrope-ExtraBold.ttf",
        "font_fredoka_one/FredokaOne-Regular.ttf",
        "font_amatic_sc/AmaticSC-Bold.ttf",
    ),
    "test": (
        "font_hanken_grotesk/HankenGrotesk-Regular.otf",
        "font_hanken_grotesk/HankenGrotesk-Bold.otf",
        "font_hanken_grotesk/HankenGrotesk-BoldItalic.otf",
        "font_caladea/Caladea-Regular.ttf",
        "font_caladea/Caladea-Bold.ttf",
        "font_caladea/Caladea-BoldItalic.ttf",
        "font_rhd/RedHatDisplay-Medium.ttf",
        "font_rhd/RedHatDisplay-Black.ttf",
        "font_rhd/RedHatDisplay-ExtraBoldItalic.ttf",
        "font_intuitive/Intuitive.ttf",
    ),
}
"""Package and file of each font: Apache-2.0 for Roboto and Caladea, SIL OFL 1.1 for the others."""
HEAVY = ("Bold", "Black", "Fredoka")


def choose_font(sampler: Sampler, *, heavy: bool = False) -> str:
    """Name a font of the sampler's split; heavy asks for a bold or black cut."""
    names = hand_names = FONTS[sampler.split]
    if heavy:
        hand_names = [name for name in names if any(cut in name for cut in HEAVY)]
    return sampler.choice(hand_names)


@lru_cache(maxsize=64)
def _font_file(name: str) -> Path:
    package, _, file = name.partition("/")
    spec = importlib.util.find_spec(package)
    folders = list(spec.submodule_search_locations or []) if spec else []
    if not folders:
        raise ConfigError(
            f"the font package {package} is not installed", item=name, remedy="pip install 'agpis-sdk[synthetic]'"
        )
    return Path(folders[0]) / "files" / file


@lru_cache(maxsize=512)
def load_font(name: str, size: int) -> ImageFont.FreeTypeFont:
    """Load a font at a size in pixels per em."""
    return ImageFont.truetype(str(_font_file(name)), max(6, size))
