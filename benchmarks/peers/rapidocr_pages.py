"""RapidOCR on whole pages: python rapidocr_pages.py FOLDER cls|nocls. Prints JSON: file -> rows, and seconds a page.

Boxes whose middles lie within half a box's height are one row; what is no digit is left out.
"""

import json
import sys
import time
from pathlib import Path

from rapidocr import RapidOCR


def rows_of(answer):
    """Boxes and texts -> digits of each row, from top to bottom."""
    found = []
    for box, text in zip(answer.boxes if answer.boxes is not None else [], answer.txts or [], strict=True):
        digits = "".join(character for character in text if character in "0123456789")
        if digits:
            found.append((box[:, 1].mean(), box[:, 1].max() - box[:, 1].min(), box[:, 0].min(), digits))
    rows = []
    for middle, height, left, digits in sorted(found):
        if rows and middle - rows[-1][0] < height / 2:
            rows[-1][1].append((left, digits))
        else:
            rows.append((middle, [(left, digits)]))
    return ["".join(digits for _, digits in sorted(row)) for _, row in rows]


folder, direction = sys.argv[1:]
engine = RapidOCR(params={"EngineConfig.onnxruntime.intra_op_num_threads": 1})
texts, seconds = {}, []
for path in sorted(Path(folder).glob("*.png")):
    began = time.perf_counter()
    answer = engine(str(path), use_cls=direction == "cls")
    seconds.append(time.perf_counter() - began)
    texts[path.name] = rows_of(answer)
print(json.dumps({"texts": texts, "seconds": sorted(seconds)[len(seconds) // 2]}))
