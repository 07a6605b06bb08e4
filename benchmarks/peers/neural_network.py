"""The documents' script as people run it: tf.keras, start to finish. Prints what it measured as one line of JSON.

Runs in its own environment (TensorFlow, matplotlib), without pendigit: neural_network.py MNIST.npz OUT_FOLDER
"""

import json
import sys
import time

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

data, folder = sys.argv[1:]
with np.load(data) as archive:  # `mnist.load_data()` would do the same from Keras's cache
    x_train, y_train, x_test, y_test = (archive[name] for name in ("x_train", "y_train", "x_test", "y_test"))
x_train, x_test = x_train / 255.0, x_test / 255.0

model = tf.keras.models.Sequential(
    [
        tf.keras.layers.Flatten(input_shape=(28, 28)),
        tf.keras.layers.Dense(128, activation="relu"),
        tf.keras.layers.Dropout(0.2),
        tf.keras.layers.Dense(10),
    ]
)
loss_fn = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(optimizer="adam", loss=loss_fn, metrics=["accuracy"])


class Stopwatch(tf.keras.callbacks.Callback):
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


stopwatch = Stopwatch()
model.fit(x_train, y_train, epochs=5, verbose=2, callbacks=[stopwatch])
_, accuracy = model.evaluate(x_test, y_test, verbose=2)
probability_model = tf.keras.Sequential([model, tf.keras.layers.Softmax()])
predictions = probability_model.predict(x_test, verbose=2)
print("Predicted digit:", tf.argmax(predictions[0]).numpy())
plt.imshow(x_test[0], cmap="gray")
plt.savefig(f"{folder}/example.png")
model.save(f"{folder}/model.keras")
print(json.dumps({"epochs": stopwatch.seconds, "accuracy": accuracy}))
