"""What a page wants to show besides the reading itself: each digit's frame, and the ink that is no digit."""

from __future__ import annotations

from typing import Any

from pendigit.classifier import Frames
from pendigit.frame import frame_ink
from pendigit.reading.recognise import Character, crop
from pendigit.reading.stages import Stages
from pendigit.results import Reading
from pendigit.serving.digits import as_png


def with_details(stages: Stages, reading: Reading) -> dict[str, Any]:
    """A reading as JSON; each digit also has its `frame`, and `others` are the boxes of other ink."""
    answer = reading.to_dict()
    rows = (sorted(row, key=lambda each: each.piece.middle[0]) for row in stages.characters)  # as digits are reported
    digits = [each for row in rows for each in row if each.is_digit]
    others = [each for row in stages.characters for each in row if not each.is_digit]
    answered = [digit for row in answer["rows"] for digit in row["digits"]]
    for digit, character in zip(answered, digits, strict=True):
        digit["frame"] = as_png(_frame(character, stages))
    answer["others"] = [{"box": list(stages.page.box_in_picture(each.piece[:4]))} for each in others]
    height, width = stages.picture.shape[:2]
    return answer | {"width": width, "height": height}


def _frame(character: Character, stages: Stages) -> Frames:
    return frame_ink(crop(character.piece, stages.ink.ink, stages.pieces.labels))
