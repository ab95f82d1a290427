"""The templates that this operator can run: (name, version) to runtime image."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import Field

from streamjob_api.base import ApiModel


class CatalogueEntry(ApiModel):
    """A template at a version, and the image that runs it."""

    name: str = Field(min_length=1)
    version: str = Field(min_length=1)
    image: str = Field(min_length=1)


class CatalogueFile(ApiModel):
    """``catalogue.yaml``, as the chart writes it."""

    templates: list[CatalogueEntry] = Field(default=[])


@dataclass(frozen=True)
class Catalogue:
    """Images by template name and version."""

    images: Mapping[tuple[str, str], str] = field(default_factory=dict)

    @classmethod
    def of(cls, entries: Iterable[CatalogueEntry]) -> "Catalogue":
        """Build from entries; a later entry of the same name and version wins."""
        return cls({(entry.name, entry.version): entry.image for entry in entries})

    @classmethod
    def parse(cls, document: Any) -> "Catalogue":
        """Build from the parsed YAML of ``catalogue.yaml``.

        Raises:
            pydantic.ValidationError: when the document has another form.
        """
        return cls.of(CatalogueFile.model_validate(document or {}).templates)

    def image(self, name: str, version: str) -> str | None:
        """The runtime image, if the catalogue has this template at this version."""
        return self.images.get((name, version))

    def versions(self, name: str) -> list[str]:
        """Versions of a template, sorted."""
        return sorted(version for known, version in self.images if known == name)

    def names(self) -> list[str]:
        """Names of all templates, sorted."""
        return sorted({name for name, _ in self.images})
