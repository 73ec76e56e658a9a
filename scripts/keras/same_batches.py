"""Fine-tunes in Keras and leaves all it started from, so that convbase can do the very same: `scripts/same-batches.js`.

Of a recipe like catsdogs-vgg16-finetune-150 nothing is left to chance: the initial model, the augmented batches in their
order and the test pictures go to files. There is no dropout. What differs in the end is arithmetic alone.

    python same_batches.py ../../packages/training/recipes/catsdogs-vgg16-finetune-150.yaml --data cats_and_dogs \\
        --model vgg19 --weights vgg19_notop.h5 --fraction 0.1 --test-fraction 0.3 --epochs 4 --out folder
"""

import argparse
import json
from pathlib import Path

import keras
import numpy as np
import yaml
from keras.src.legacy.preprocessing.image import ImageDataGenerator
from run_recipe import applications, build_head, compile_model, freeze, load_data, snake


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--weights", required=True)
    parser.add_argument("--fraction", type=float)
    parser.add_argument("--test-fraction", type=float)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)

    recipe = yaml.safe_load(args.recipe.read_text())
    stage, batch = recipe["stages"][-1], recipe["data"]["batchSize"]
    keras.utils.set_random_seed(args.seed)
    parts, classes = load_data(recipe, args.data, args.fraction, args.test_fraction)
    base = applications[args.model](include_top=False, weights=args.weights, input_shape=parts["train"][0].shape[1:])
    freeze(base, stage["unfreeze"])
    y = base.output
    for layer in build_head({"head": {**recipe["model"]["head"], "dropout": 0}}, classes).layers:
        y = layer(y)
    model = keras.Model(base.input, y)
    model.save(args.out / "initial.keras")

    x, labels = parts["train"]
    flow = ImageDataGenerator(**snake(stage["augmentation"]["generator"]), rescale=1 / 255)
    flow = flow.flow(x, labels, batch_size=batch, seed=args.seed)
    steps = len(x) // batch
    batches = [[], []]
    while len(batches[0]) < args.epochs * steps:
        pictures, answers = next(flow)
        if len(pictures) == batch:
            batches[0].append(pictures)
            batches[1].append(answers)
    pictures, answers = (np.stack(rows).astype("<f4") for rows in batches)
    test, truth = (rows.astype("<f4") for rows in (parts["test"][0] / 255, parts["test"][1]))
    for name, rows in {"train.x": pictures, "train.y": answers, "test.x": test, "test.y": truth}.items():
        rows.tofile(args.out / name)

    compile_model(model, stage)
    each = ((x, y) for x, y in zip(pictures, answers))
    history = model.fit(each, steps_per_epoch=steps, epochs=args.epochs, verbose=2).history
    loss, accuracy = model.evaluate(test, truth, batch_size=batch, verbose=0)
    outputs = model.predict(test, batch_size=batch, verbose=0)
    (args.out / "keras.json").write_text(json.dumps({
        "recipe": args.recipe.stem, "base": args.model, "pictures": {"train": len(x), "test": len(test)}, "batch": batch, "steps": steps,
        "epochs": args.epochs, "trainable": [layer.name for layer in model.layers if layer.trainable], "optimizer": stage["optimizer"], "loss": history["loss"],
        "testLoss": loss, "testAccuracy": accuracy, "outputs": outputs.ravel().tolist(),
    }, indent=1) + "\n")
    print(f"test accuracy {accuracy:.4f}, loss {loss:.5f}")


if __name__ == "__main__":
    main()
