"""Microseconds for one frame in pendigit: one_frame_pendigit.py MODEL.onnx MNIST.npz. Prints one line of JSON."""

import json
import statistics
import sys
import time

import numpy as np

import pendigit

classifier = pendigit.load_classifier(sys.argv[1], threads=1)
with np.load(sys.argv[2]) as archive:
    frames = archive["x_test"][:256]
times = []
for index in range(5000):
    frame = frames[index % 256][None]
    began = time.perf_counter()
    classifier.predict_proba(frame)
    times.append(time.perf_counter() - began)
print(json.dumps({"pendigit": statistics.median(times[20:]) * 1e6}))
