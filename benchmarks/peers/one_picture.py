"""A picture to a digit with tf.keras, as a whole process: one_picture.py MODEL.keras PICTURE."""

import sys

import numpy as np
import tensorflow as tf
from PIL import Image, ImageOps

model = tf.keras.models.load_model(sys.argv[1])
grey = ImageOps.invert(Image.open(sys.argv[2]).convert("L")).resize((28, 28))
probabilities = tf.nn.softmax(model.predict(np.asarray(grey)[None] / 255.0, verbose=0))[0].numpy()
print("Predicted digit:", probabilities.argmax(), f"({probabilities.max():.1%})")
