"""How a page is read, stage by stage, each stage's result kept so that it can be looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from pendigit.classifier import Classifier
from pendigit.doubt import Threshold, threshold_for
from pendigit.ink import Grey, uint8
from pendigit.reading.alone import see_alone
from pendigit.reading.election import Seen, read_across, read_either
from pendigit.reading.images import Source
from pendigit.reading.light import Ink, find_ink, plain_ink
from pendigit.reading.lines import find_lines, without_lines
from pendigit.reading.looks import Look, second_look, turns_of_text
from pendigit.reading.networks import Networks
from pendigit.reading.obeying import obey
from pendigit.reading.options import ReadOptions, Region
from pendigit.reading.page import Page, same_page
from pendigit.reading.photo import Photo, open_photo
from pendigit.reading.pieces import Piece, Pieces, find_pieces, slanted_edges
from pendigit.reading.placing import row_from, row_of
from pendigit.reading.recognise import Character, SeenRow
from pendigit.reading.rows import find_rows
from pendigit.reading.rules import PageRules
from pendigit.reading.sheet import Sheet
from pendigit.reading.skew import find_skew
from pendigit.reading.view import View, cut_region, lay_flat, without_sheet
from pendigit.reading.words import TEXT
from pendigit.results import Reading

SURE = 0.93  # mean clarity of a page's characters: one so clear is looked at only once
CLEAR = 0.8  # one so clear is read neither from side to side nor in the other polarity
CHANCE = 0.85  # clarity of what is read upside down, where most digits look like some other
EVIDENCE = 0.4  # of what all characters have above chance: so much more another look must have than the first
FEWEST = 3  # digits that must be clearer from side to side
LONG = 1.4  # times as wide as it is high: a picture that may be one row cut out
ACROSS = 0.1  # so much clearer it must be when read from side to side
USUAL, AS_IT_IS = ReadOptions(), Look()


@dataclass(frozen=True)
class Stages:
    """Everything on the way from a picture to its reading; see the stage's own file for each.

    `picture` is the part of the photo that was read, as it was decoded, and the sheet is found on it. `turned` counts
    the quarters by which a page that lay sideways was turned clockwise. `characters` are each row's most likely ones,
    or those that rules chose. `letters` counts the characters of words, which are in no row.
    """

    photo: Photo
    picture: npt.NDArray[np.uint8]
    sheet: Sheet | None
    turned: int
    page: Page
    skew: float
    ink: Ink
    lines: Grey
    pieces: Pieces
    rows: list[list[Piece]]
    seen: Sequence[SeenRow]
    letters: int
    characters: list[list[Character]]
    reading: Reading

    @property
    def count(self) -> int:
        """How many digits were read."""
        return self.reading.count

    @property
    def is_text(self) -> bool:
        """Whether words are most of what the page says."""
        return self.letters >= max(TEXT, self.count)

    @property
    def clarity(self) -> float:
        """How clearly the page's characters are digits: their mean probability times digitness, 0 to 1."""
        clear = self._clear()
        return float(np.mean(clear)) if clear else 0.0

    @property
    def is_sure(self) -> bool:
        """Whether no other look is needed: words may be numbers that are turned."""
        return sum(self._clear()) >= SURE * max(1, len(self._clear()) + self.letters)

    @property
    def evidence(self) -> float:
        """How much more clearly, in all, its characters are digits than those of a page upside down."""
        return float(sum(each - CHANCE for each in self._clear()))

    def _clear(self) -> list[float]:
        return [float(each.probabilities.max()) * each.digitness for row in self.characters for each in row]


class _How(NamedTuple):
    """What reads, the separators that are reported, and whether there is but one row."""

    networks: Networks
    keep: str
    single: bool


def read_stages(picture: Source | Photo, networks: Networks, options: ReadOptions = USUAL) -> Stages:
    """A picture, see `load_image` -> its reading, and all that led to it.

    Raises:
        ImageError: The picture cannot be read, the region lies outside it, or there are fewer rows than asked for.
        UsageError: A limit on the error that is stricter than the model allows.
        ModelError: A limit is asked for, and the model is not calibrated.
    """
    rules, limit = options.rules, options.max_error and limit_of(networks.digits, options.max_error)
    how = _How(networks, options.keep, rules is not None and rules.rows == 1)
    stages = _read(picture, options.region, how, options.drawn)
    if rules is not None:
        stages = _obeying(stages, rules)
    elif not options.drawn:
        stages = _alone(stages, how)
    return replace(stages, reading=stages.reading.within(limit)) if limit else stages


def limit_of(classifier: Classifier, max_error: float) -> Threshold:
    """What a classifier promises for a limit on the error. Raises UsageError, ModelError."""
    return threshold_for(max_error, getattr(classifier, "metadata", {}), classifier.name)


def _obeying(stages: Stages, rules: PageRules) -> Stages:
    """The stages with a reading that obeys the rules."""
    chosen = obey(stages.seen, rules)
    rows = (row_of(each, stages.seen[each.row], stages.page, stages.pieces.pieces, rules.number) for each in chosen)
    characters = [stages.seen[each.row].along(each.path) for each in chosen if each.path is not None]
    return replace(stages, characters=characters, reading=Reading(tuple(rows)))


def _alone(stages: Stages, how: _How) -> Stages:
    """The stages with a digit that stands alone as both networks see it together."""
    found, page = stages.pieces, stages.page
    if stages.count > 1 or not found.pieces or how.networks.rows is None:
        return stages
    seen = see_alone(page.grey, stages.ink.ink, found, stages.seen, how.networks.digits)
    if seen is None:
        return stages
    row = row_from([seen], page, found.pieces, how.keep)
    return replace(stages, characters=[[seen]], reading=Reading(() if row is None else (row,)))


def _read(picture: Source | Photo, region: Region | None, how: _How, drawn: bool) -> Stages:
    """Read a picture as it is, from side to side, or by another look: in the other polarity, without the sheet."""
    photo = picture if isinstance(picture, Photo) else open_photo(picture)
    if drawn:
        return _read_drawing(photo.whole(), region, how)
    view = lay_flat(photo, region)
    upright = _read_page(view, how)
    if upright.is_sure:
        return upright
    across = _read_across(view, upright, how) if upright.clarity < CLEAR else None
    if across is not None:
        return across
    best = _looked_again(view, upright, how)
    if best.clarity >= CLEAR or best.is_text:
        return best
    other = _read_page(view, how, Look(light_on_dark=not upright.ink.light_on_dark))
    best = _clearer(_looked_again(view, other, how), best)
    if best.clarity >= CLEAR or view.sheet is None:
        return best
    view = without_sheet(view, region)
    return _clearer(_looked_again(view, _read_page(view, how), how), best)


def _looked_again(view: View, first: Stages, how: _How) -> Stages:
    """The stages, or those of another look that sees clearly more."""
    if first.is_sure:
        return first
    turns = turns_of_text(first.pieces) if first.is_text else ()
    looks = dict.fromkeys([second_look(first.pieces, first.ink, how.networks.digits), *map(Look, turns)])
    dark = first.ink.light_on_dark
    seen = [_read_page(view, how, look._replace(light_on_dark=dark)) for look in looks if look != AS_IT_IS]
    # Letters that are turned may be more like digits, so that of text its lines tell.
    seen = [each for each in seen if not each.is_text or each.turned in turns or not turns]
    return _clearer(max(seen, key=lambda stages: stages.evidence), first) if seen else first


def _clearer(stages: Stages, than: Stages) -> Stages:
    """The former if what it reads is clearly more."""
    return stages if stages.evidence >= max(0.0, than.evidence) + EVIDENCE else than


def _read_page(view: View, how: _How, look: Look = AS_IT_IS) -> Stages:
    """Read a flat page, looked at in some way."""
    page = view.page.turned(look.turned) if look.turned else view.page
    ink = find_ink(page.grey, page.enlarged, look.light_on_dark)
    skew = find_skew(ink.mask)
    if skew:
        page = page.levelled(skew)
        ink = find_ink(page.grey, page.enlarged, look.light_on_dark)
    shown = page.shown() if skew or page.region else None
    if shown is not None:
        ink = ink.without(uint8(cv2.bitwise_not(shown)))
    crossing = find_lines(ink.traces)
    height = look.height or find_pieces(without_lines(ink.mask, ink.ink, crossing), ink.ink).height
    lines = uint8(cv2.bitwise_or(find_lines(ink.traces, height), crossing))
    ink = ink.beside(lines, page.enlarged)
    writing = without_lines(ink.mask, ink.ink, lines)
    if shown is not None:
        writing = uint8(cv2.subtract(writing, slanted_edges(writing, shown, height)))
    pieces = find_pieces(writing, ink.ink, look.height)
    found, reading = _read_pieces(pieces, page, ink, lines, how)
    return Stages(*view[:3], look.turned, page, skew, ink, lines, pieces, *found, _likeliest(found.seen), reading)


def _read_across(view: View, upright: Stages, how: _How) -> Stages | None:
    """Read a long picture from side to side, if its ink makes no row or several and it is clearer so.

    Of a field of a cheque, cut out close, print and borders may leave no piece whole.
    """
    height, width = view.page.grey.shape
    if how.networks.rows is None or view.sheet is not None or width < LONG * height:
        return None
    is_row = len(upright.rows) == 1 and not how.single  # which is one row whatever its ink makes
    if is_row or upright.is_text:
        return None
    ink = find_ink(view.page.grey, view.page.enlarged)
    pieces = find_pieces(ink.mask, ink.ink)
    seen = [read_across(pieces.pieces, view.page.dark(ink.light_on_dark), pieces.labels, how.networks.rows)]
    read = _reading(seen, view.page, pieces, how)
    lines = np.zeros_like(ink.mask)
    row = sorted(pieces.pieces, key=lambda piece: piece.left)
    stages = Stages(*view[:3], 0, view.page, 0.0, ink, lines, pieces, [row], seen, 0, _likeliest(seen), read)
    clear = stages.count >= FEWEST and stages.clarity >= upright.clarity + ACROSS
    return stages if clear else None


def _read_drawing(photo: Photo, region: Region | None, how: _How) -> Stages:
    """Read what was drawn on a screen: on plain paper all ink is writing, so that no light or lines are looked for.

    The row network is left out: cut into digits, a drawing keeps each one's box while others are added, scribbles are
    known for what they are, and the answer comes at once.
    """
    how = how._replace(networks=Networks(how.networks.digits))
    part = photo.pixels if region is None else cut_region(photo.pixels, region)
    page = same_page(part) if region is None else same_page(part).moved(*region[:2], photo.pixels.shape)
    ink = plain_ink(page.grey)
    pieces = find_pieces(ink.mask, ink.ink)
    lines = np.zeros_like(ink.mask)
    found, reading = _read_pieces(pieces, page, ink, lines, how)
    return Stages(photo, part, None, 0, page, 0.0, ink, lines, pieces, *found, _likeliest(found.seen), reading)


def _read_pieces(pieces: Pieces, page: Page, ink: Ink, lines: Grey, how: _How) -> tuple[Seen, Reading]:
    """Pieces of ink -> their rows with what may be read in these, and the reading."""
    rows = find_rows(pieces.pieces, pieces.height, how.single)
    found = read_either(rows, page.dark(ink.light_on_dark), ink.ink, lines, pieces.labels, how.networks)
    return found, _reading(found.seen, page, pieces, how)


def _reading(seen: Sequence[SeenRow], page: Page, pieces: Pieces, how: _How) -> Reading:
    found = (row_from(row.characters, page, pieces.pieces, how.keep) for row in seen)
    return Reading(tuple(row for row in found if row is not None))


def _likeliest(seen: Sequence[SeenRow]) -> list[list[Character]]:
    return [row.characters for row in seen]
