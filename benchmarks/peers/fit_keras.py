"""Seconds of each epoch of a network in tf.keras' own fit: fit_keras.py MODEL.keras MNIST.npz BATCH. Prints JSON."""

import json
import sys
import time

import keras
import numpy as np


class Stopwatch(keras.callbacks.Callback):
    """Seconds of each epoch."""

    def __init__(self):
        super().__init__()
        self.seconds = []

    def on_epoch_begin(self, epoch, logs=None):
        """Start the watch."""
        self.began = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        """Note the time."""
        self.seconds.append(time.perf_counter() - self.began)


model = keras.models.clone_model(keras.saving.load_model(sys.argv[1]))
with np.load(sys.argv[2]) as archive:
    x, y = archive["x_train"].astype("float32") / 255, archive["y_train"]
model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
stopwatch = Stopwatch()
model.fit(x, y, batch_size=int(sys.argv[3]), epochs=3, verbose=0, callbacks=[stopwatch])
print(json.dumps({"epochs": stopwatch.seconds}))
