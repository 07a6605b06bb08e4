"""Open a .keras file in stock Keras (KERAS_BACKEND decides) and save its outputs.

open_keras.py MODEL.keras MNIST.npz OUT.npy
"""

import sys

import keras
import numpy as np

with np.load(sys.argv[2]) as archive:
    frames = archive["x_test"]
assert "pendigit" not in sys.modules
np.save(sys.argv[3], keras.saving.load_model(sys.argv[1]).predict(frames.astype(np.float32) / 255, verbose=0))
