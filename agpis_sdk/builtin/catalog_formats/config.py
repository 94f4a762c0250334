"""Settings of the readers and writers of catalogs."""

from __future__ import annotations

from pydantic import Field

from agpis_sdk.components import ComponentConfig


class MagentoConfig(ComponentConfig):
    """Where the images of a Magento shop are."""

    media: str = Field(
        default="",
        description="Folder or URL below which the paths of images are, such as https://shop.example/media/catalog/product; "
        "empty: the folder of the export.",
    )


class FolderConfig(ComponentConfig):
    """How a folder of chosen images is made."""

    link: bool = Field(default=False, description="Make hard links to local images in place of copies.")
