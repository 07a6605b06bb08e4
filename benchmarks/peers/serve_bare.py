"""The least that answers a digit over HTTP: one Starlette route, nothing checked: serve_bare.py PORT.

Decoding, framing and the network are pendigit's own, so that the difference is what its server adds.
"""

import sys

import numpy as np
import onnxruntime
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from pendigit.frame import to_frame
from pendigit.models import find_model
from pendigit.reading.images import load_image

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(str(find_model()), options, providers=["CPUExecutionProvider"])


async def predict(request: Request) -> JSONResponse:
    frame = to_frame(load_image(await request.body()))
    probabilities, digitness = session.run(["probabilities", "digitness"], {"frames": frame[None]})
    found = probabilities[0].tolist()
    return JSONResponse(
        {"digit": int(np.argmax(probabilities[0])), "probabilities": found, "digitness": float(digitness[0])}
    )


app = Starlette(routes=[Route("/v1/predict", predict, methods=["POST"])])
uvicorn.run(app, port=int(sys.argv[1]), http="httptools", loop="uvloop", access_log=False, log_level="warning")
