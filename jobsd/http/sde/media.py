"""Media types as the framework reads them: in Accept which answer is wanted, in Content-Type what a body is."""

from __future__ import annotations

from dataclasses import dataclass, field

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
READ = (JSON, FORM, MULTIPART)
"""What bodies may be."""

_CHARSETS = {"utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "latin-1", "latin1", "windows-1252", "utf-16"}
"""Those that are decoded; of any other charset a body is read as UTF-8."""


@dataclass(frozen=True, slots=True)
class MediaType:
    """A media type with its parameters, whose names are in lower case."""

    main: str
    sub: str
    parameters: dict[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> MediaType:
        """Whatever stands there: nothing is refused."""
        bare, *rest = text.split(";")
        main, _, sub = bare.strip().lower().partition("/")
        pairs = (part.partition("=") for part in rest)
        return cls(
            main, sub, {name.strip().lower(): value.strip().strip('"') for name, sign, value in pairs if sign}
        )

    def fits(self, wanted: str) -> bool:
        """Whether it is `wanted`, a type in lower case; a star stands for anything."""
        main, _, sub = wanted.partition("/")
        return self.main in {"*", main} and self.sub in {"*", sub}

    @property
    def charset(self) -> str:
        """In which the body is written."""
        named = self.parameters.get("charset", "").lower()
        return named if named in _CHARSETS else "utf-8"


def accepts_json(header: str | None) -> bool:
    """Whether JSON may be answered to a request with this Accept; without one it may."""
    return header is None or any(MediaType.parse(part).fits(JSON) for part in header.split(","))
