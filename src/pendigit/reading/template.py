"""A form's template: the picture of the empty form, and where its numbers are, each with the rules it must obey.

reference: empty-form.png
fields:
  account: {region: [120, 80, 600, 90], digits: 10, check: luhn}
  net: {region: [120, 300, 300, 60], between: 0:100000}
  tax: {region: [120, 380, 300, 60]}
  total: {region: [120, 460, 300, 60], sum_of: [net, tax]}
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pendigit.errors import UsageError
from pendigit.reading.images import load_image
from pendigit.reading.rules import Rules

TEXTS = ("digits", "pattern", "check", "between")  # rules that are written as on the command line


@dataclass(frozen=True)
class Field:
    """One number on a form.

    Attributes:
        name: What it is called.
        region: Left, top, width, height in pixels of the reference.
        rules: What it must obey.
        sum_of: The names of the fields whose sum it is; none where it is no sum.
    """

    name: str
    region: tuple[int, int, int, int]
    rules: Rules
    sum_of: tuple[str, ...] = ()


@dataclass(frozen=True)
class Template:
    """A form.

    Attributes:
        name: The template file's name.
        picture: The empty form (H, W) or (H, W, 3) RGB uint8.
        fields: Its numbers, in the order of the file.
    """

    name: str
    picture: npt.NDArray[np.uint8]
    fields: tuple[Field, ...]


def load_template(path: str | Path) -> Template:
    """Read a template's YAML file; its reference is found beside it.

    Raises:
        UsageError: The file is no template: unreadable, unknown or missing keys, a name twice, regions outside the
            reference or over one another, rules that are malformed, sums of fields that are not there.
        ImageError: The reference cannot be read.
    """
    path = Path(path).expanduser()
    content = _mapping(_yaml(path), f"the template {path}", {"reference", "fields"}, set())
    reference = path.parent / str(content["reference"])
    picture = load_image(reference)
    named = content["fields"]
    if not isinstance(named, dict) or not named:
        raise UsageError(f"the fields of {path}: {named!r}", "names, each with a region", "name at least one")
    fields = tuple(_field(str(name), entry, path, picture.shape) for name, entry in named.items())
    _check_apart(fields, path)
    _check_sums(fields, path)
    return Template(path.name, picture, fields)


def _yaml(path: Path) -> Any:
    """The file's content, all values as the texts that they are written as: 1:30 is no time here."""
    import yaml

    class Loader(yaml.BaseLoader):
        """Refuses a name that is there twice, of which YAML would keep the last."""

        def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
            names = [str(key.value) for key, _ in node.value]
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise UsageError(f"{', '.join(twice)} twice in {path}", "each name once", "rename one of them")
            return super().construct_mapping(node, deep)

    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader)  # noqa: S506 - BaseLoader makes nothing but texts
    except OSError as error:
        raise UsageError(f"no template can be read at {path} ({error.strerror})", "a YAML file", "check it") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = str(error).split("\n", maxsplit=1)[0]
        raise UsageError(f"{path} is no YAML ({reason})", "a template in YAML", "see docs/forms.md") from error


def _mapping(value: Any, where: str, needed: set[str], possible: set[str]) -> dict[str, Any]:
    """The value if it maps just such names. Raises UsageError."""
    names = set(value) if isinstance(value, dict) else set()
    if not names >= needed or names - needed - possible:
        seen = ", ".join(sorted(map(str, names))) or repr(value)
        also = f"; also {', '.join(sorted(possible))}" if possible else ""
        raise UsageError(f"{where} with {seen}", f"{' and '.join(sorted(needed))}{also}", "see docs/forms.md")
    return dict(value)


def _field(name: str, entry: Any, path: Path, shape: tuple[int, ...]) -> Field:
    content = _mapping(entry, f"the field {name} of {path}", {"region"}, {*TEXTS, "sum_of"})
    try:
        rules = Rules.of(**{key: str(content[key]) for key in TEXTS if key in content})
    except UsageError as error:
        raise UsageError(f"the field {name} of {path}: {error.seen}", error.expected, error.do) from error
    sum_of = content.get("sum_of", [])
    names = sum_of if isinstance(sum_of, list) else [part.strip() for part in str(sum_of).split(",")]
    return Field(name, _region(name, content["region"], path, shape), rules, tuple(map(str, names)))


def _region(name: str, value: Any, path: Path, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    parts = value if isinstance(value, list) else str(value).split(",")
    try:
        left, top, width, height = (int(part) for part in parts)
    except (ValueError, TypeError):
        left, top, width, height = -1, -1, 0, 0
    rows, columns = shape[:2]
    if min(left, top) < 0 or min(width, height) < 2 or left + width > columns or top + height > rows:
        raise UsageError(
            f"the region {value} of the field {name} of {path}",
            f"[left, top, width, height] inside the reference of {columns}x{rows} pixels",
            "measure it in the upright reference",
        )
    return left, top, width, height


def _check_apart(fields: tuple[Field, ...], path: Path) -> None:
    for one, other in combinations(fields, 2):
        (left, top, width, height), (left2, top2, width2, height2) = one.region, other.region
        if left < left2 + width2 and left2 < left + width and top < top2 + height2 and top2 < top + height:
            raise UsageError(
                f"the regions of {one.name} and {other.name} of {path} overlap", "regions apart", "make one smaller"
            )


def _check_sums(fields: tuple[Field, ...], path: Path) -> None:
    plain = {field.name for field in fields if not field.sum_of}
    used: set[str] = set()
    for field in fields:
        wrong = [name for name in field.sum_of if name not in plain or name in used or field.sum_of.count(name) > 1]
        if wrong:
            raise UsageError(
                f"the field {field.name} of {path}, a sum of {', '.join(field.sum_of)}",
                "names of other fields that are no sums, each in one sum",
                f"look at {', '.join(wrong)}",
            )
        used |= set(field.sum_of)
