"""Write the TFLite graph by which a robot's profile is asked: the same bytes for every robot, with its matrix as an input.

`PYTHONPATH=contract .train/bin/python edge_agent/training/make_together_graph.py --out together.tflite`; it goes to `screen/models/`.
"""

from argparse import ArgumentParser
from hashlib import sha256
from pathlib import Path

import tensorflow as tf

from croody_contract.profiles import MAX_JOINT, OF_EACH

SIZE = OF_EACH * MAX_JOINT


class Graph(tf.Module):  # type: ignore[misc]
    """(inputs - mean), (1, SIZE); whitening matrix, (SIZE, SIZE) -> the sum of the squares of their product, (1,)."""

    @tf.function(input_signature=[tf.TensorSpec([1, SIZE], tf.float32, name="off"), tf.TensorSpec([SIZE, SIZE], tf.float32, name="whiten")])  # type: ignore[untyped-decorator]
    def __call__(self, off: tf.Tensor, whiten: tf.Tensor) -> tf.Tensor:
        """Rows and columns that a robot does not use are zero."""
        return tf.reduce_sum(tf.square(tf.matmul(off, whiten, transpose_b=True)), axis=-1)


def main() -> None:
    """Write it."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args().out
    graph = Graph()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([graph.__call__.get_concrete_function()], graph)
    data = converter.convert()
    out.write_bytes(data)
    print(f"{out}: {len(data)} bytes, SHA-256 {sha256(data).hexdigest()}")


if __name__ == "__main__":
    main()
