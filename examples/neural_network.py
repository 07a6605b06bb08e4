"""The TensorFlow tutorial's script with pendigit: load, train, evaluate, predict, show the first test image.

Run: python examples/neural_network.py [--data mini] [--epochs 5]
"""

import argparse
import sys

import pendigit
from pendigit.judging.figures import draw_example, show_figure


def main(data, epochs):
    # MNIST: 60,000 training images and 10,000 test images, pixels 0 to 255 (pendigit scales them to 0-1 inside)
    _, (x_test, y_test) = pendigit.load_data(data)

    # Flatten, Dense 128 with ReLU, Dropout 0.2, Dense 10; Adam makes the cross-entropy of its logits small
    run = pendigit.train(data=data, hidden=128, dropout=0.2, epochs=epochs)
    for epoch in run.history:
        print(f"Epoch {epoch.epoch}/{epochs} - loss: {epoch.loss:.4f} - accuracy: {epoch.accuracy:.4f}")

    # The test images, which it has never seen
    print(f"Test accuracy: {run.evaluation.accuracy:.4f}, loss: {run.evaluation.loss:.4f}")

    # Ten probabilities for each test image
    predictions = pendigit.load_classifier(run.folder).predict_proba(x_test)
    print("Predicted digit:", predictions[0].argmax(), "- label:", y_test[0])

    # A window with the first test image; without a screen, the run folder has the same picture
    if not show_figure(draw_example(x_test[0], predictions[0])):
        print("See", run.folder / "example.png")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Train the classic network and read the first test image.")
    parser.add_argument("--data", default="mnist", help="mnist, mini (a sample inside the package), or a path")
    parser.add_argument("--epochs", type=int, default=5, help="passes over the training images")
    arguments = parser.parse_args()
    try:
        main(arguments.data, arguments.epochs)
    except pendigit.PendigitError as error:
        sys.exit(f"neural_network.py: {error}")
