"""The tutorials' way to read a page: contours, and Keras on what they enclose: python contours_keras.py FOLDER.

Prints JSON: the seconds of a loop with one batched model(x) for each page, and those that `model.predict` for each
digit would take, from some pages. The network is the tutorials'; speed does not depend on its weights.
"""

import json
import sys
import time
from pathlib import Path

import cv2
import keras
import numpy as np

PREDICTED = 5  # pages read digit by digit: it takes long
SMALLEST = 12  # pixels: the usual way to leave specks out

model = keras.Sequential([
    keras.layers.Input((28, 28)), keras.layers.Flatten(), keras.layers.Dense(128, activation="relu"),
    keras.layers.Dropout(0.2), keras.layers.Dense(10, activation="softmax"),
])  # fmt: skip


def crops(path: Path) -> np.ndarray:
    grey = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    blurred = cv2.GaussianBlur(grey, (5, 5), 0)
    _, ink = cv2.threshold(blurred, 0, 255, cv2.THRESH_BINARY_INV + cv2.THRESH_OTSU)
    contours, _ = cv2.findContours(ink, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    found = []
    for contour in contours:
        x, y, width, height = cv2.boundingRect(contour)
        if height >= SMALLEST:
            digit = cv2.resize(ink[y : y + height, x : x + width], (18, 18), interpolation=cv2.INTER_AREA)
            found.append(np.pad(digit, 5).astype("float32") / 255)
    return np.stack(found) if found else np.empty((0, 28, 28), "float32")


paths = sorted(Path(sys.argv[1]).glob("*.jpg"))
model(crops(paths[0])[:1])
began = time.perf_counter()
digits = 0
for path in paths:
    batch = crops(path)
    if len(batch):
        digits += len(np.argmax(model(batch), axis=1))
seconds = time.perf_counter() - began
began = time.perf_counter()
for path in paths[:PREDICTED]:
    for digit in crops(path):
        model.predict(digit[None], verbose=0)
predict = (time.perf_counter() - began) / min(PREDICTED, len(paths)) * len(paths)
print(json.dumps({"seconds": seconds, "digits": digits, "predict_seconds": predict, "predicted": PREDICTED}))
