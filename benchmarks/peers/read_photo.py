"""One photo read many times on one thread: python read_photo.py PHOTO RUNS [MODEL]. Prints JSON: milliseconds."""

import json
import sys
import time

import cv2

import pendigit

cv2.setNumThreads(1)
path, runs, *model = sys.argv[1:]
reader = pendigit.load_reader(*model)
reader.read(path)
seconds = []
for _ in range(int(runs)):
    began = time.perf_counter()
    reader.read(path)
    seconds.append(time.perf_counter() - began)
print(json.dumps({"milliseconds": sorted(seconds)[len(seconds) // 2] * 1000}))
