"""Microseconds for one frame in tf.keras, three ways: one_frame.py MODEL.keras MNIST.npz. Prints one line of JSON."""

import json
import statistics
import sys
import time

import numpy as np
import tensorflow as tf

tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)
model = tf.keras.models.load_model(sys.argv[1])
with np.load(sys.argv[2]) as archive:
    frames = archive["x_test"][:256]
compiled = tf.function(lambda x: tf.nn.softmax(model(x, training=False)))


def median(call, repeats):
    """The median of `repeats` warm calls, in microseconds."""
    times = []
    for index in range(repeats + 20):  # the first 20 warm it up
        frame = frames[index % 256][None]
        began = time.perf_counter()
        np.asarray(call((frame / 255.0).astype(np.float32)))
        times.append(time.perf_counter() - began)
    return statistics.median(times[20:]) * 1e6


print(
    json.dumps(
        {
            "tf.function": median(compiled, 2000),
            "model(x)": median(lambda x: tf.nn.softmax(model(x, training=False)), 500),
            "model.predict": median(lambda x: model.predict(x, verbose=0), 100),
        }
    )
)
