"""No reader at all: decode, resize the whole picture to 28x28, ask the network: python batched_loop.py FOLDER."""

import json
import sys
from pathlib import Path

import cv2
import numpy as np

import pendigit

BATCH = 256
cv2.setNumThreads(1)
classifier = pendigit.load_classifier(threads=1)
paths = sorted(str(path) for path in Path(sys.argv[1]).glob("*.png"))
digits = []
for start in range(0, len(paths), BATCH):
    pictures = [cv2.imread(path, cv2.IMREAD_GRAYSCALE) for path in paths[start : start + BATCH]]
    frames = np.stack([cv2.resize(255 - picture, (28, 28), interpolation=cv2.INTER_AREA) for picture in pictures])
    digits.extend(classifier.predict(frames).tolist())
print(json.dumps({"images": len(digits), "batch": BATCH}))
