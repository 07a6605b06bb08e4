"""RapidOCR's line recogniser, its answers restricted to digits: python rapidocr_digits.py PICTURES.npz one|line.

PICTURES.npz holds grey or RGB pictures as picture_0, picture_1, ... Each is read as one row. `one` takes the most
probable digit anywhere in it, `line` decodes all. The last line printed is JSON: texts, seconds for each picture.
"""

import json
import sys
import time

import cv2
import numpy as np
from rapidocr import RapidOCR
from rapidocr.ch_ppocr_rec.typings import TextRecInput


class Digits:
    """In place of RapidOCR's own decoding: (1, steps, characters) -> the digits."""

    def __init__(self, characters, single):
        self.columns = [characters.index(digit) for digit in "0123456789"]
        self.single = single

    def __call__(self, outputs, *_arguments, **_options):
        """The digits, and nothing about words."""
        found = outputs[0][:, [0, *self.columns]]  # the blank comes first
        if self.single:
            return [(str(found[:, 1:].max(axis=0).argmax()), 1.0)], None
        best = found.argmax(axis=1)
        kept = [now for before, now in zip([0, *best[:-1]], best, strict=True) if now and now != before]
        return [("".join(str(index - 1) for index in kept), 1.0)], None


def main():
    path, mode = sys.argv[1:]
    engine = RapidOCR(params={"EngineConfig.onnxruntime.intra_op_num_threads": 1})
    engine(np.full((48, 320, 3), 255, np.uint8), use_det=False, use_cls=False, use_rec=True)  # loads it
    recogniser = engine.text_rec
    recogniser.postprocess_op = Digits(recogniser.postprocess_op.character, mode == "one")
    archive = np.load(path)
    texts, seconds = [], []
    for index in range(len(archive.files)):
        picture = archive[f"picture_{index}"]
        colours = cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR if picture.ndim == 2 else cv2.COLOR_RGB2BGR)
        began = time.perf_counter()
        texts.append(recogniser(TextRecInput(img=colours)).txts[0])
        seconds.append(time.perf_counter() - began)
    print(json.dumps({"texts": texts, "seconds": float(np.median(seconds))}))


if __name__ == "__main__":
    main()
