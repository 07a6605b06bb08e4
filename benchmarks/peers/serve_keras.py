"""The tutorials' network behind FastAPI, as tutorials serve it: serve_keras.py PORT. Needs no training to be timed."""

import io
import os
import sys

os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}

import numpy as np
import tensorflow as tf
import uvicorn
from fastapi import FastAPI, Request
from PIL import Image

model = tf.keras.Sequential(
    [
        tf.keras.layers.Input((28, 28)),
        tf.keras.layers.Flatten(),
        tf.keras.layers.Dense(128, activation="relu"),
        tf.keras.layers.Dropout(0.2),
        tf.keras.layers.Dense(10, activation="softmax"),
    ]
)
app = FastAPI()


@app.post("/v1/predict")
async def predict(request: Request) -> dict[str, object]:
    picture = Image.open(io.BytesIO(await request.body())).convert("L").resize((28, 28))
    probabilities = model.predict((255 - np.asarray(picture))[None] / 255.0, verbose=0)[0]
    return {"digit": int(probabilities.argmax()), "probabilities": probabilities.tolist()}


uvicorn.run(app, port=int(sys.argv[1]), access_log=False, log_level="warning")
