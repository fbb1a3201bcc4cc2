"""Times ONNX Runtime's CPU provider on a generator that r3gan_onnx.py has written.

    python3 r3gan_onnxruntime.py --model demo-32.onnx --preset demo-32 --threads 2

Prints one JSON line with the keys of r3gan_torch.py. Inputs are drawn before the clock starts.
"""
import argparse, json, resource, statistics, time
import numpy as np
import onnxruntime


def main():
    a = argparse.ArgumentParser()
    a.add_argument('--model', required=True); a.add_argument('--preset', required=True)
    a.add_argument('--runs', type=int, default=7); a.add_argument('--threads', type=int, default=2)
    o = a.parse_args()
    options = onnxruntime.SessionOptions(); options.intra_op_num_threads = o.threads
    session = onnxruntime.InferenceSession(o.model, options, providers=['CPUExecutionProvider'])
    rng = np.random.default_rng(0)

    def draw(shape, name):
        return np.eye(shape[1], dtype=np.float32)[rng.integers(shape[1], size=shape[0])] if name == 'y' else rng.standard_normal(shape, dtype=np.float32)

    times, batch = [], session.get_inputs()[0].shape[0]
    for run in range(3 + o.runs):
        feed = {i.name: draw(i.shape, i.name) for i in session.get_inputs()}
        start = time.perf_counter(); session.run(None, feed)
        if run >= 3: times.append(time.perf_counter() - start)
    m = statistics.median(times)
    print(json.dumps({'peer': 'onnxruntime ' + onnxruntime.__version__, 'preset': o.preset, 'what': 'sample', 'batch': batch, 'device': 'cpu', 'dtype': 'f32', 'threads': o.threads,
                      'median_s': m, 'min_s': min(times), 'max_s': max(times), 'images_per_s': batch / m, 'peak_bytes': resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))


if __name__ == '__main__':
    main()
