"""What requests may ask and what answers look like, for checking the former and documenting both."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from pendigit.serving.problems import MEDIA_TYPE

Share = Annotated[float, Field(ge=0, le=1.000001, description="0 to 1")]  # float32 rounding may pass 1 by a millionth
DigitValue = Annotated[int, Field(ge=0, le=9)]
RunnerUp = Annotated[tuple[DigitValue, Share], Field(description="Another digit and its probability.")]
Limit = Annotated[
    float | None,
    Field(gt=0, lt=1, description='A limit on the error, such as 0.01: digits not sure enough for it become "?".'),
]
FOUR = r"^\d{1,6},\d{1,6},\d{1,6},\d{1,6}$"  # a picture's side has five digits at most
Four = Annotated[str, StringConstraints(pattern=FOUR)]
LAST = 2**53 - 1  # the largest whole number that every JSON reader takes for itself


class Asked(BaseModel):
    """Options of a request; one that does not exist is refused, as on the command line."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PredictOptions(Asked):
    """What /v1/predict may be asked."""

    model: str | None = Field(None, description="A model that ships; the server's own by default.", examples=["reader"])
    max_error: Limit = None
    frame: bool = Field(False, description="Also answer the 28x28 frame that the network saw.")


class ReadOptions(Asked):
    """What /v1/read may be asked."""

    model: str | None = Field(None, description="A model that ships; the server's own by default.", examples=["reader"])
    region: Four | None = Field(
        None, description="Read a part: x,y,width,height in pixels of the upright picture.", examples=["0,0,400,300"]
    )
    keep: Annotated[str, StringConstraints(pattern=r"^[.,\-]{0,3}$")] = Field(
        "", description="Separators to report too, any of .,-"
    )
    drawn: bool = Field(False, description="It was drawn on a screen, not photographed.")
    max_error: Limit = None
    details: bool = Field(False, description="Also answer each digit's frame, and where ink is that is no digit.")
    page: int = Field(1, ge=1, le=100_000, description="Which page of a TIFF or PDF.")


class CorrectionOptions(Asked):
    """What /v1/corrections is told."""

    digit: DigitValue = Field(description="The right digit.", examples=[7])
    box: Four | None = Field(
        None,
        description="Where it is: left,top,right,bottom in pixels of the upright picture, the latter two exclusive; "
        "the whole picture by default.",
        examples=["12,8,48,60"],
    )
    read: DigitValue | None = Field(None, description="What it was read as.", examples=[1])
    page: int = Field(1, ge=1, le=100_000, description="Which page of a TIFF or PDF.")


class ListOptions(Asked):
    """Which corrections are listed."""

    digit: DigitValue | None = Field(None, description="Those of one digit.")
    after: int = Field(0, ge=0, le=LAST, description="Those with higher numbers, for the next part of a long list.")
    limit: int = Field(100, ge=1, le=1000, description="At most so many.")


class Answer(BaseModel):
    """An answer, documented here and made elsewhere: nothing is converted on its way out."""

    model_config = ConfigDict(extra="forbid")


class Digit(Answer):
    """One digit."""

    digit: DigitValue
    probability: Share
    probabilities: list[Share] = Field(min_length=10, max_length=10, description="Of 0 to 9.")
    runners_up: list[RunnerUp] = Field(description="Others, the most probable first.")
    digitness: Share | None = Field(description="How surely it is one digit at all; null where the model cannot tell.")
    accepted: bool = Field(description="Whether it is as sure as max_error asks; true where none was asked for.")
    confidence: Share = Field(description="That it is a digit, and this one.")
    text: str = Field(description='The digit, or "?" where it is not accepted.')
    doubt: str | None = Field(description="Why it is not accepted.")
    frame: str | None = Field(None, description="The 28x28 frame that the network saw: a PNG in base64, if asked for.")


class Prediction(Digit):
    """The digit in a picture of one."""


class PlacedDigit(Digit):
    """One digit on a page."""

    box: tuple[int, int, int, int] = Field(description="Left, top, right, bottom in pixels of the upright picture.")


class Other(Answer):
    """Ink that is no digit."""

    box: tuple[int, int, int, int] = Field(description="Left, top, right, bottom in pixels of the upright picture.")


class Row(Answer):
    """One row of writing."""

    text: str
    groups: list[str] = Field(description="Its text in groups: a wide gap starts a new one.")
    probability: Share = Field(description="That every digit is right, if they err independently.")
    digits: list[PlacedDigit]


class Reading(Answer):
    """What stands on a page."""

    text: str = Field(description="A line for each row.")
    count: int = Field(description="How many digits were found.")
    kept: int = Field(description="How many of them are accepted.")
    max_error: float | None = Field(description="The limit on the error that was asked for.")
    rows: list[Row]
    page: int = Field(description="Which page of the document this is.")
    pages: int = Field(description="How many it has; 1 for a picture.")
    others: list[Other] | None = Field(None, description="Ink that is no digit; a detail.")
    width: int | None = Field(None, description="Of the upright picture in pixels; a detail.")
    height: int | None = Field(None, description="Of the upright picture in pixels; a detail.")


class Models(Answer):
    """The models that ship."""

    serving: str = Field(description="The one that answers when a request names none.")
    models: dict[str, dict[str, Any]] = Field(description="Their cards, by name.")


class Health(Answer):
    """How the server is."""

    status: str
    keeps_corrections: bool
    needs_token: bool


class Correction(Answer):
    """One correction."""

    id: int
    made: str = Field(description="When, in UTC.", examples=["2026-01-31T09:30:00Z"])
    digit: DigitValue
    read: DigitValue | None
    page: int
    box: tuple[int, int, int, int] | None
    picture: str = Field(description="SHA-256 of the picture's file.")


class CorrectionList(Answer):
    """Some corrections."""

    count: int = Field(description="How many there are in all, of the digit if one is named.")
    corrections: list[Correction]


class Problem(BaseModel):
    """A problem document (RFC 9457), with the command line's words."""

    type: str
    title: str
    status: int
    detail: str = Field(description="What was seen, what was expected, what to do.")
    seen: str | None = None
    expected: str | None = None
    do: str | None = None


Responses: TypeAlias = dict[int | str, dict[str, Any]]  # status -> what the OpenAPI document says of it
WORDS = {
    401: "The server's token is missing.",
    403: "Another web site's page asks, or the server is called by a name that is not its own.",
    404: "There is no such thing.",
    413: "More bytes than are taken.",
    415: "Neither a picture nor a form, or a format whose package is not installed.",
    422: "The picture cannot be read, or an option cannot be understood.",
    503: "More work than is taken at once; try again after Retry-After.",
    507: "There is no space to keep it.",
}


def responses(answer: type[Answer] | None, *problems: int, status: int = 200) -> Responses:
    """A route's answers for the OpenAPI document: the good one, and problems by their statuses."""
    good: Responses = {status: {"model": answer}} if answer else {}
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return good | {each: {"description": WORDS[each], "content": content} for each in (401, 403, *problems)}
