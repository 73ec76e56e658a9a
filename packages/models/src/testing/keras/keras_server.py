"""Answers requests about Keras models: one JSON object a line on standard input, one a line on standard output.

{"do": "describe", "model"}: the config as Keras reads it, and every weight's name and shape
{"do": "predict", "model", "weights"?, "x": [..]}: the predictions, flat, for inputs with the model's own shape
{"do": "train", "model", "x", "y", "steps", "learning_rate", "loss", "out"}: SGD steps on that one batch, then saved
"""
import json
import os
import sys

os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)

import keras
import numpy as np


def batch(model, values):
    return np.array(values, "float32").reshape((-1,) + tuple(model.input_shape[1:]))


def describe(request):
    model = keras.models.load_model(request["model"])
    weights = [{"path": w.path, "shape": list(w.shape)} for w in model.weights]
    return {"config": json.loads(model.to_json()), "weights": weights, "trainable": len(model.trainable_weights)}


def predict(request):
    model = keras.models.load_model(request["model"])
    if "weights" in request:
        for weight in model.weights:
            weight.assign(np.zeros(weight.shape))
        model.load_weights(request["weights"])
    y = model.predict_on_batch(batch(model, request["x"]))
    return {"y": np.ravel(y).tolist()}


def train(request):
    model = keras.models.load_model(request["model"])
    model.compile(optimizer=keras.optimizers.SGD(request["learning_rate"]), loss=request["loss"])
    x = batch(model, request["x"])
    y = np.array(request["y"], "float32").reshape((len(x), -1))
    losses = [float(model.train_on_batch(x, y)) for _ in range(request["steps"])]
    model.save(request["out"])
    return {"losses": losses}


for line in sys.stdin:
    request = json.loads(line)
    try:
        answer = {"describe": describe, "predict": predict, "train": train}[request["do"]](request)
    except Exception as error:
        answer = {"error": repr(error)}
    print(json.dumps(answer), file=answers, flush=True)
