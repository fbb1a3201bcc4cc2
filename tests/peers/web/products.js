// Matrix products that are fast on every backend, and whose gradients are too.
//
// The wasm backend has a fast product for two matrices as they are; where one is transposed, as in every gradient, or
// where there are several at once, it falls back to a plain loop, some ten times slower. There a gradient transposes
// first, and several products are written one by one.

const onWasm = (tf) => tf.getBackend() === "wasm";

/** [n, k] times [k, m]. */
export function product(tf, a, b) {
  if (!onWasm(tf)) return tf.matMul(a, b);
  const plain = tf.customGrad((a, b, save) => {
    save([a, b]);
    const gradFunc = (dy, [a, b]) => [product(tf, dy, tf.transpose(b)), product(tf, tf.transpose(a), dy)];
    return { value: tf.matMul(a, b), gradFunc };
  });
  return plain(a, b);
}

/** [g, n, k] times [g, k, m]; and [n, k] times each of [g, k, m]. */
export function products(tf, a, b) {
  if (onWasm(tf)) {
    const left = a.rank === 3 ? tf.unstack(a) : null;
    return tf.stack(tf.unstack(b).map((b, at) => product(tf, left ? left[at] : a, b)));
  }
  return tf.matMul(a.rank === 3 ? a : tf.tile(tf.expandDims(a), [b.shape[0], 1, 1]), b);
}
