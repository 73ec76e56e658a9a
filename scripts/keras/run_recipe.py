"""Runs a recipe of convbase (packages/training/recipes/*.yaml) in Keras 3, as the notebooks do it.

The other side of docs/results.md: the same pictures, weights, stages and rates, in as few lines as show them.

    python run_recipe.py ../../packages/training/recipes/catsdogs-vgg16-features-150.yaml \\
        --data cats_and_dogs --model vgg19 --weights vgg19_notop.h5 --fraction 0.1 --test-fraction 0.3 --out result.json

`--model`, `--weights`, `--fraction`, `--test-fraction`, `--epochs` and `--continue-head` mean what they mean to
`convbase recipe run`. Random numbers are Keras' own, so heads, data order and augmentation are other ones of the same
kind; `--seeds 0 1 2` runs it three times and shows how much that matters.
"""

import argparse
import gzip
import itertools
import json
import os
import re
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
import yaml
from keras.src.legacy.preprocessing.image import ImageDataGenerator

applications = {
    "vgg16": keras.applications.VGG16,
    "vgg19": keras.applications.VGG19,
    "inception_v3": keras.applications.InceptionV3,
}
optimizers = {
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
    "rmsprop": keras.optimizers.RMSprop,
    "sgd": keras.optimizers.SGD,
}
abbreviations = {"beta1": "beta_1", "beta2": "beta_2", "clipNorm": "clipnorm", "clipValue": "clipvalue", "globalClipNorm": "global_clipnorm"}


def snake(options):
    """{'learningRate': 1} -> {'learning_rate': 1}: the recipe's names are Keras' own in camel case."""
    return {abbreviations.get(key, re.sub("[A-Z]", lambda m: "_" + m[0].lower(), key)): value for key, value in options.items()}


# Pictures ------------------------------------------------------------------------------------------------------------


def first_of_each_class(labels, fraction):
    """The places of the first pictures of each class: a fraction of them, rounded down, but at least one."""
    if fraction is None:
        return np.arange(len(labels))
    chosen = [np.flatnonzero(labels == k) for k in np.unique(labels)]
    return np.sort(np.concatenate([of[: max(1, int(len(of) * fraction))] for of in chosen]))


def load_picture(path, size, resize):
    if resize == "nearest":  # what flow_from_directory does unless told otherwise
        return keras.utils.img_to_array(keras.utils.load_img(path, target_size=size, interpolation="nearest"))
    if resize == "pil-bilinear":
        return keras.utils.img_to_array(keras.utils.load_img(path, target_size=size, interpolation="bilinear"))
    whole = keras.utils.img_to_array(keras.utils.load_img(path))  # as image_dataset_from_directory
    return tf.image.resize(whole, size, method="bilinear").numpy()


def load_folders(root, folders, fraction, size, resize):
    """Pictures and labels of folders of class folders: classes and names sorted, one folder after the other."""
    classes = sorted(path.name for path in (root / folders[0]).iterdir() if path.is_dir())
    files, labels = [], []
    for folder in folders:
        for label, name in enumerate(classes):
            found = sorted(path for path in (root / folder / name).iterdir() if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
            files += found
            labels += [label] * len(found)
    labels = np.array(labels)
    chosen = first_of_each_class(labels, fraction)
    return np.stack([load_picture(files[i], size, resize) for i in chosen]), labels[chosen], classes


def read_idx(folder, stem):
    path = next(path for path in sorted(folder.iterdir()) if path.name.startswith(stem))
    data = (gzip.open if path.suffix == ".gz" else open)(path, "rb").read()
    shape = np.frombuffer(data, ">u4", data[3], 4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * data[3]).reshape(shape)


def load_mnist(folder, data, fraction, test_fraction, size):
    digits = np.concatenate([read_idx(folder, "train-images"), read_idx(folder, "t10k-images")])
    labels = np.concatenate([read_idx(folder, "train-labels"), read_idx(folder, "t10k-labels")])
    border = [(n - m) // 2 for n, m in zip(size, digits.shape[1:])]
    count = round(len(digits) * data["trainShare"])

    def part(first, last, share):
        chosen = first + first_of_each_class(labels[first:last], share)
        padding = [(0, 0)] + [(b, n - m - b) for b, n, m in zip(border, size, digits.shape[1:])]
        grey = np.pad(digits[chosen], padding)
        return np.repeat(grey[..., None], 3, -1).astype("float32"), labels[chosen]

    return {
        "train": part(0, count, fraction),
        "validation": part(count, len(digits), fraction),
        "test": part(count, len(digits), test_fraction),
    }, [str(digit) for digit in range(10)]


def load_data(recipe, root, fraction, test_fraction):
    """{'train': (pictures, labels), 'validation': .., 'test': ..} and the classes; pictures are float32, 0 to 255."""
    data = recipe["data"]
    size = tuple(data["size"]) if isinstance(data["size"], list) else (data["size"],) * 2
    if data["kind"] == "mnist":
        parts, classes = load_mnist(root, data, fraction, test_fraction, size)
    else:
        parts = {}
        for part, share in (("train", fraction), ("validation", fraction), ("test", test_fraction)):
            x, y, classes = load_folders(root, data[part], share, size, data["resize"])
            parts[part] = x, y
    encode = (lambda y: y[:, None].astype("float32")) if len(classes) == 2 else (lambda y: np.eye(len(classes), dtype="float32")[y])
    return {part: (x, encode(y)) for part, (x, y) in parts.items()}, classes


# The model -----------------------------------------------------------------------------------------------------------


def preprocess(mode):
    """A layer from bytes to what the base sees."""
    if mode == "rescale":
        return keras.layers.Rescaling(1 / 255)
    if mode == "tf":
        return keras.layers.Rescaling(1 / 127.5, offset=-1)
    if mode == "caffe":
        return keras.layers.Lambda(keras.applications.vgg16.preprocess_input)
    return keras.layers.Identity()


def build_head(model, classes, normalise=False):
    head = model["head"]
    layers = [keras.layers.BatchNormalization(center=False, scale=False, momentum=0.9)] if normalise else []
    layers.append(keras.layers.Flatten())
    regularizer = keras.regularizers.L2(head["l2"]) if "l2" in head else None
    if head["units"] > 0:
        layers.append(keras.layers.Dense(head["units"], activation=head["activation"], kernel_regularizer=regularizer))
    if head["dropout"] > 0:
        layers.append(keras.layers.Dropout(head["dropout"]))
    units, activation = (1, "sigmoid") if len(classes) == 2 else (len(classes), "softmax")
    return keras.Sequential([*layers, keras.layers.Dense(units, activation=activation, kernel_regularizer=regularizer)])


def freeze(base, unfreeze):
    names = [layer.name for layer in base.layers]
    if unfreeze in ("none", "all"):
        first = {"none": len(names), "all": 0}[unfreeze]
    else:
        first = len(names) - unfreeze["last"] if "last" in unfreeze else names.index(unfreeze["from"])
    base.trainable = True
    for i, layer in enumerate(base.layers):
        layer.trainable = i >= first


# A stage -------------------------------------------------------------------------------------------------------------


def compile_model(model, stage):
    optimizer = snake(stage["optimizer"])
    optimizer = optimizers[optimizer.pop("name")](**optimizer)
    binary = model.output_shape[-1] == 1
    loss = (keras.losses.BinaryCrossentropy if binary else keras.losses.CategoricalCrossentropy)(label_smoothing=stage.get("labelSmoothing", 0))
    model.compile(optimizer, loss, metrics=["accuracy"])


def fit(model, stage, parts, batch_size, seed):
    """Trains for the stage's epochs; returns Keras' history."""
    (x, y), (vx, vy) = parts["train"], parts["validation"]
    generator = stage.get("augmentation", {}).get("generator")
    if generator is None:
        # Not fit(x, y): once a seed is set, Keras 3.15 gives it the same order in every epoch.
        shuffled = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(len(x), seed, reshuffle_each_iteration=True)
        training = {"x": shuffled.batch(batch_size)}
    else:
        flow = ImageDataGenerator(**snake(generator)).flow(x, y, batch_size=batch_size, seed=seed)
        # next() goes on through the pictures, pass after pass, however many steps are called an epoch.
        training = {"x": (next(flow) for _ in itertools.count()), "steps_per_epoch": stage.get("stepsPerEpoch", len(flow))}
    count = stage["validationSteps"] * batch_size if "validationSteps" in stage else len(vx)
    callbacks = []
    if "restoreBest" in stage:  # the checkpoint that the book keeps and loads again
        callbacks.append(keras.callbacks.EarlyStopping(stage["restoreBest"], patience=10**6, restore_best_weights=True))
    history = model.fit(
        **training, epochs=stage["epochs"], validation_data=(vx[:count], vy[:count]), validation_batch_size=batch_size,
        callbacks=callbacks, verbose=2,
    )
    return {key: [float(value) for value in values] for key, values in history.history.items()}


def augmentation_layers(stage, seed):
    rows = [dict(row) for row in stage.get("augmentation", {}).get("layers", [])]
    return [getattr(keras.layers, row.pop("layer"))(**snake(row), seed=seed) for row in rows]


def run_stage(stage, number, base, head, recipe, parts, seed, features):
    """Trains base and head. Where the base is frozen and pictures stay the same, `features` keeps what it makes of them."""
    freeze(base, stage["unfreeze"])
    pre = preprocess(recipe["data"]["preprocess"])
    whole = keras.Sequential([keras.Input(base.input_shape[1:]), *augmentation_layers(stage, seed), pre, base, head])
    shown = {"trainableWeights": len(whole.trainable_weights), "trainableParameters": sum(int(np.prod(w.shape)) for w in whole.trainable_weights),
             "parameters": base.count_params() + head.count_params()}
    model, inputs = whole, parts
    if stage["unfreeze"] == "none" and "augmentation" not in stage:
        frozen = keras.Sequential([keras.Input(base.input_shape[1:]), pre, base])
        key = base.output_names[0], base.output.shape
        if key not in features:
            features[key] = {part: (frozen.predict(x, batch_size=32, verbose=0), y) for part, (x, y) in parts.items()}
        inputs, model = features[key], head
    compile_model(model, stage)
    start = time.time()
    history = fit(model, stage, inputs, recipe["data"]["batchSize"], seed + number)
    seconds = time.time() - start
    loss, accuracy = model.evaluate(*inputs["test"], batch_size=32, verbose=0)
    print(f"{stage['name']}: test accuracy {accuracy:.4f}", flush=True)
    return {"stage": stage["name"], **shown, "history": history, "testAccuracy": accuracy, "testLoss": loss, "seconds": round(seconds, 1)}


def run_sweep(recipe, base, parts, classes, seed, features):
    """One head on the end of each block of the base, its maps averaged over the picture and brought to one scale."""
    stage, results = recipe["stages"][0], []
    names = recipe["sweep"]
    if names == "blocks":
        prefix = "block" if base.name.startswith("vgg") else "mixed"
        names = [layer.name for layer in base.layers if re.fullmatch(r"block\d_pool|mixed\d+", layer.name) and layer.name.startswith(prefix)]
    for name in names:
        means = keras.layers.GlobalAveragePooling2D(name=f"{name}_mean")(base.get_layer(name).output)
        upto = keras.Model(base.input, means, name=name)
        head = build_head(recipe["model"], classes, normalise=True)
        results.append({"layer": name, **run_stage(stage, 0, upto, head, recipe, parts, seed, features)})
    return results


def run_recipe(recipe, base, parts, classes, seed, continue_head, features):
    if "sweep" in recipe:
        return run_sweep(recipe, base, parts, classes, seed, features)
    results, head = [], None
    for number, stage in enumerate(recipe["stages"]):
        if head is None or (stage.get("head") == "fresh" and not continue_head):
            head = build_head(recipe["model"], classes)
        results.append(run_stage(stage, number, base, head, recipe, parts, seed, features))
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", help="another base than the recipe's")
    parser.add_argument("--weights", required=True, help="its weight file")
    parser.add_argument("--fraction", type=float)
    parser.add_argument("--test-fraction", type=float)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--continue-head", action="store_true")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()

    recipe = yaml.safe_load(args.recipe.read_text())
    for stage in recipe["stages"]:
        stage["epochs"] = min(stage["epochs"], args.epochs or stage["epochs"])
        for key in ("stepsPerEpoch", "validationSteps"):
            if key in stage and args.fraction is not None:
                stage[key] = max(1, int(stage[key] * args.fraction))
    start = time.time()
    parts, classes = load_data(recipe, args.data, args.fraction, args.test_fraction)
    name = args.model or recipe["model"]["base"]
    runs, features = [], {}
    for seed in args.seeds:
        keras.utils.set_random_seed(seed)
        keras.backend.clear_session()
        base = applications[name](include_top=False, weights=args.weights, input_shape=parts["train"][0].shape[1:])
        runs.append({"seed": seed, "stages": run_recipe(recipe, base, parts, classes, seed, args.continue_head, features)})
        args.out.write_text(json.dumps({
            "recipe": args.recipe.stem, "side": "keras", "versions": {"keras": keras.__version__, "tensorflow": tf.__version__},
            "base": name, "fraction": args.fraction, "testFraction": args.test_fraction, "epochs": args.epochs,
            "pictures": {part: len(x) for part, (x, _) in parts.items()}, "runs": runs, "seconds": round(time.time() - start, 1),
        }, indent=1) + "\n")


if __name__ == "__main__":
    main()
