"""`python3 tests/peers/gpu/test_run.py`: the script without a GPU, on programs that only pretend to measure."""
import contextlib, io, json, os, signal, subprocess, sys, tempfile, time, unittest, unittest.mock
sys.dont_write_bytecode = True
import machine, process, run, table

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, '..', '..', '..')
DOCTOR = '''r3gan      0.1.0 (Burn 0.22.1)

devices
  cpu        A processor (CPU, 23.5 GiB)  f32 f16 bf16  works
  cuda       A GPU (GPU)  f32 f16 bf16  works
  vulkan     llvmpipe (LLVM 15.0.6, 256 bits) (software, slow)  f32 f16  works
  wgpu       unknown (GPU)    fails: its driver crashed

--device auto means cpu
'''
# Both programs. Batch 512 is too large, ffhq-256 never ends, and this build knows no kernels.
FAKE = '''#!%s
import json, os, sys, time
if sys.argv[1] == 'doctor':
    if '--json' in sys.argv: sys.exit(2)
    print(%r); sys.exit()
ours = sys.argv[1] == 'bench'
word = lambda name: sys.argv[sys.argv.index(name) + 1]
call = ' '.join(sys.argv[1:]) + ' in ' + os.environ.get('XDG_CACHE_HOME', 'nothing')
with open(os.environ['CALLS'], 'a') as calls: calls.write(call + chr(10))
if word('--what') == 'kernels': sys.exit("error: invalid value 'kernels'")
if '--compile' in sys.argv and word('--what') == 'sample': sys.exit('RuntimeError: Failed to find C compiler')
print('{"G_params": 1}'); print('not JSON')
if '--tune' in sys.argv and word('--batch') == '512': sys.exit('CUDA out of memory')
if '--tune' in sys.argv: print(json.dumps({'what': 'tuned', 'sizes': 3, 'file': os.environ['XDG_CACHE_HOME']})); sys.exit()
for what in ['sample', 'critic', 'generator', 'iteration'] if word('--what') == 'all' else [word('--what')]:
    if word('--preset').startswith('ffhq'): time.sleep(600)
    if word('--batch') == '512': sys.exit('torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB')
    time_of = 0.010 if ours else 0.022 if '--bf16' in sys.argv else 0.030
    print(json.dumps({'preset': word('--preset'), 'what': what, 'batch': int(word('--batch')), 'median_s': time_of,
                      'min_s': time_of * 0.9, 'max_s': time_of * 1.1, 'peak_bytes': 5000000}), flush=True)
''' % (sys.executable, DOCTOR)
# A Python that says that it has PyTorch, and takes every script for the peer.
PYTHON = '''#!/bin/sh
[ "$1" = -c ] && echo '{"torch": "0.0", "cuda": "0", "gpu": "A GPU", "libraries": []}' && exit
exec %s "$@"
''' % sys.executable


class Script(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = lambda name: os.path.join(folder.name, name)
        for name, text in [('r3gan', FAKE), ('python', PYTHON)]:
            with open(self.path(name), 'w') as file:
                file.write(text)
            os.chmod(self.path(name), 0o755)
        os.environ['CALLS'] = self.path('calls')

    def words(self, *more):
        return ['--r3gan', self.path('r3gan'), '--peer', self.path('r3gan'), '--python', self.path('python'),
                '--out', self.path('results.jsonl'), *more]

    def start(self, *more):
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            self.code = run.main(self.words(*more))
        with open(self.path('results.jsonl')) as results:
            self.lines = [line for line in map(run.parse, results) if line][1:]
        return said.getvalue()

    def calls(self):
        with open(self.path('calls')) as calls:
            return calls.read().splitlines()

    def test_everything_is_compared_and_what_fails_stops_nothing(self):
        said = self.start('--only', 'cifar10,points', '--what', 'iteration,sample')
        self.assertEqual(self.code, 0)
        rows = [line.split() for line in said.splitlines()]
        find = lambda *start: next(row for row in rows if row[:len(start)] == list(start))
        best = find('cifar10', '64', 'iteration', 'r3gan', 'cuda', 'bf16')
        self.assertEqual(best[6:], ['10.00', '9.00-11.00', '5', '3.00', '2.20', '1.5x', 'met'])
        self.assertEqual(find('cifar10', '64', 'sample', 'r3gan', 'cuda', 'f32')[-2:], ['2.0x', 'met'])
        self.assertIn('out of memory', ' '.join(find('cifar10', '512', 'iteration', 'PyTorch', 'f32')))
        # What imitates a GPU is none.
        self.assertEqual(find('all', 'r3gan', 'vulkan')[-2:], ['no', 'device'])
        # A peer that cannot compile is measured as it is.
        eager = [line for line in self.lines if line.get('eager') and line['batch'] == 64]
        self.assertTrue(eager and all('median_s' in line and line['what'] == 'sample' for line in eager))
        self.assertIn('does not measure them', said)
        # Points are ours alone, and a process measures one thing.
        self.assertFalse([line for line in self.lines if line['preset'] == 'points' and 'PyTorch' in line['side']])
        self.assertFalse([call for call in self.calls() if '--what all' in call])
        self.assertEqual({line['turn'] for line in self.lines}, {1, 2})

    def test_the_cpu_is_measured_where_it_is_asked_for(self):
        said = self.start('--devices', 'cpu', '--only', 'demo-32', '--batch', '2', '--turns', '1', '--together')
        sides = {line['side'] for line in self.lines if 'median_s' in line}
        self.assertEqual(sides, {'PyTorch f32', 'r3gan cpu f32'})
        self.assertEqual(sum('--what all' in call for call in self.calls()), 2)
        self.assertIn('3.00', said)

    def test_ours_is_also_measured_with_the_kernels_that_it_finds(self):
        said = self.start('--devices', 'cuda', '--only', 'demo-32', '--what', 'sample', '--precisions', 'f32,f16', '--tune', '--no-kernels')
        for side in ['r3gan cuda f32', 'r3gan cuda f32 tuned', 'r3gan cuda f16', 'r3gan cuda f16 tuned']:
            self.assertEqual(len([line for line in self.lines if line['side'] == side and 'median_s' in line]), 2, said)
        tunings = [call for call in self.calls() if '--tune' in call]
        # For what is measured alone: training may not fit where sampling does.
        self.assertEqual(['--what sample' in call for call in tunings], [True, True], tunings)
        kept = {line['file'] for line in self.lines if line.get('what') == 'tuned'}
        self.assertEqual(len(kept), 1)
        # They are looked for where they are measured, and not by the others.
        places = [call.split(' in ')[1] for call in self.calls() if call.startswith('bench') and '--tune' not in call]
        self.assertEqual(len(places), 8, self.calls())
        self.assertEqual(sum(place in kept for place in places), 4, self.calls())

    def test_a_side_whose_kernels_are_not_found_is_not_measured(self):
        said = self.start('--devices', 'cuda', '--only', 'cifar10', '--batch', '512', '--what', 'sample', '--precisions', 'bf16', '--tune',
                          '--no-kernels')
        tuned = [line for line in self.lines if line['side'] == 'r3gan cuda bf16 tuned']
        self.assertEqual([line['failed'] for line in tuned if line['what'] == 'sample'], ['not tuned: out of memory'] * 2, said)

    def test_one_process_has_its_limit_and_so_has_all_of_it(self):
        said = self.start('--devices', 'cuda', '--only', 'ffhq-64,cifar10', '--what', 'sample', '--each', '3', '--turns', '1',
                          '--batch', '8', '--precisions', 'f32', '--no-kernels', '--python', 'nowhere')
        self.assertIn('longer than 3 s', said)
        self.assertIn('no PyTorch', said)
        self.assertIn('cifar10       8 sample     r3gan cuda f32', said)
        begun = time.monotonic()
        said = self.start('--devices', 'cuda', '--only', 'ffhq-64,cifar10', '--batch', '8', '--limit', '8', '--together')
        self.assertLess(time.monotonic() - begun, 20)
        self.assertIn('the time is up', said)
        self.assertIn('cifar10       8 iteration', said)
        self.assertFalse([line for line in self.lines if 'failed' in line and line['preset'] == 'ffhq-64'])

    def test_a_run_that_was_ended_goes_on_where_it_was(self):
        words = self.words('--devices', 'cuda', '--only', 'cifar10,ffhq-64', '--batch', '8', '--no-kernels', '--together')
        child = subprocess.Popen([sys.executable, os.path.join(HERE, 'run.py'), *words], stdout=subprocess.PIPE, text=True)
        for line in child.stdout:
            if 'r3gan cuda bf16' in line:
                break
        child.send_signal(signal.SIGTERM)
        self.assertIn('stopped: this is what there is', child.communicate(timeout=30)[0])
        self.assertEqual(child.returncode, 0)
        with open(self.path('results.jsonl'), 'a') as results:
            results.write('{"cut short')
        self.start('--devices', 'cuda', '--only', 'cifar10', '--batch', '8', '--no-kernels', '--together', '--resume')
        first = [call for call in self.calls() if 'cifar10' in call and '--device cuda --precision f32' in call]
        self.assertEqual(len(first), 2, 'once for each turn')
        with open(self.path('r3gan'), 'a') as program:
            program.write('# another build')
        with self.assertRaisesRegex(SystemExit, 'another machine, build or PyTorch'):
            self.start('--resume')

    def test_ours_on_the_cpu_beside_pytorch(self):
        ours = os.path.join(ROOT, 'target', 'release', 'r3gan')
        python, about = machine.python([sys.executable, os.path.join(ROOT, 'target', 'peers', 'venv', 'bin', 'python')])
        if not python or not os.path.exists(ours):
            self.skipTest('needs target/release/r3gan and PyTorch, in target/peers/venv for one')
        out = self.path('results.jsonl')
        with contextlib.redirect_stdout(io.StringIO()) as said:
            run.main(['--r3gan', ours, '--python', python, '--devices', 'cpu', '--only', 'demo-32', '--batch', '2', '--runs', '1',
                      '--warmup', '0', '--turns', '1', '--what', 'sample', '--no-kernels', '--out', out])
        rows = [line for line in said.getvalue().splitlines() if line.startswith('demo-32')]
        self.assertEqual(len(rows), 2, said.getvalue())
        self.assertFalse([row for row in rows if 'failed' in row], said.getvalue())


class Parts(unittest.TestCase):
    def test_the_doctor_is_understood(self):
        found = machine.read_doctor(DOCTOR.splitlines())
        self.assertEqual({name: (d['works'], d['software'], d['dtypes']) for name, d in found.items()}, {
            'cpu': (True, False, ['f32', 'f16', 'bf16']), 'cuda': (True, False, ['f32', 'f16', 'bf16']),
            'vulkan': (True, True, ['f32', 'f16']), 'wgpu': (False, False, [])})
        without = machine.read_doctor(['- no CUDA in this build: for an NVIDIA GPU, build with `--features cuda`'])
        self.assertEqual(without['cuda']['adapter'], 'not in this build')

    def test_headers_are_taken_whole(self):
        with tempfile.TemporaryDirectory() as folder:
            wheel, whole = (os.path.join(folder, name) for name in ['wheel', 'whole'])
            for at in [wheel, whole]:
                os.makedirs(os.path.join(at, 'include', 'crt'))
                open(os.path.join(at, 'include', 'mma.h'), 'w').close()
            open(os.path.join(whole, 'include', 'crt', 'mma.h'), 'w').close()
            variables = {'CUDA_PATH': wheel, 'CONDA_PREFIX': whole, 'PATH': folder}
            with unittest.mock.patch.object(machine, 'TOOLKITS', []):
                self.assertEqual(machine.toolkit(variables, []), whole)
                self.assertEqual(machine.toolkit({'PATH': folder}, [os.path.join(whole, 'lib')]), whole)
                self.assertIsNone(machine.toolkit({'PATH': folder}, [os.path.join(wheel, 'lib')]))

    def test_failures_have_names(self):
        for complaint, name in [
            ('CUDA out of memory. Tried to allocate', 'out of memory'),
            ("panicked at 'OutOfMemory { requested: 5 }'", 'out of memory'),
            ('device cuda: this build has no CUDA; build with', 'no device'),
            ('AssertionError: Torch not compiled with CUDA enabled', 'no device'),
            ("ModuleNotFoundError: No module named 'torch'", 'no PyTorch'),
            ('error: something else\n', 'failed: something else'),
            ('', 'failed: exit code 5'),
        ]:
            self.assertEqual(process.reason(5, complaint, 60), name)
        self.assertEqual(process.reason(None, '', 60), 'longer than 60 s')

    def test_a_worker_that_holds_the_output_open_keeps_nobody_waiting(self):
        begun, lines = time.monotonic(), []
        code, _ = process.run(['sh', '-c', 'sleep 5 & echo one'], 30, lines.append)
        self.assertEqual((code, lines), (0, ['one']))
        self.assertLess(time.monotonic() - begun, 4)

    def test_turns_are_merged(self):
        line = lambda median, **more: {'median_s': median, 'min_s': median / 2, 'max_s': median * 2, 'peak_bytes': 7, **more}
        merged = table.merge([line(1.0), {'failed': 'x'}, line(3.0, reserved_bytes=9)])
        self.assertEqual(merged, {'median': 2.0, 'least': 0.5, 'most': 6.0, 'bytes': 9})
        self.assertEqual(table.merge([{'failed': 'x'}]), {'failed': 'x'})


if __name__ == '__main__':
    unittest.main()
