"""r3gan beside PyTorch on a machine with a GPU. `cargo xtask gpu-bundle` puts all it takes into one folder; then, there,

    python3 run.py            everything, an hour or more
    python3 run.py --quick    what matters most, three minutes

Needs Python's standard library alone; PyTorch is looked for, and used in processes of its own. Every measurement is a line
of results.jsonl as soon as it is made, and the table at the end is of what there is by then, also after Ctrl-C. What runs
out of memory, or has no device, is a line of the table and stops nothing.
"""
import argparse, gzip, json, os, shutil, signal, sys, tempfile, time
sys.dont_write_bytecode = True
import machine, process, table

HERE = os.path.dirname(os.path.abspath(__file__))
WORK = ['iteration', 'sample', 'critic', 'generator']
# What tells most comes first: time may run out. Points have no PyTorch peer.
CASES = [('cifar10', 64), ('ffhq-64', 64), ('ffhq-256', 16), ('demo-32', 32), ('points', 256), ('cifar10', 512), ('ffhq-64', 256),
         ('ffhq-256', 64), ('cifar10', 128), ('cifar10', 256)]
QUICK = CASES[:4]
BEST = ['--bf16', '--channels-last', '--compile']


class TimeUp(Exception):
    pass


def options(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    listed = lambda text: text.split(',')
    add('--quick', action='store_true', help='one turn, a process for all parts, fewer cases, 170 seconds')
    add('--only', type=listed, metavar='PRESETS', help='these presets: ' + ', '.join(dict(CASES)))
    add('--batch', type=int, help='this batch in place of each preset\'s own')
    add('--what', type=listed, default=WORK, help='of iteration,sample,critic,generator')
    add('--devices', type=listed, default=['cuda', 'vulkan'], help='ours [default: cuda,vulkan]')
    add('--precisions', type=listed, help='ours [default: f32, and what the GPU computes in natively]')
    add('--peer-device', help='PyTorch\'s [default: cuda; cpu with --devices cpu]')
    add('--limit', type=float, metavar='SECONDS', help='in all; then the table is printed')
    add('--each', type=float, metavar='SECONDS', help='for one process [default: 300; quick: 90]')
    add('--turns', type=int, help='how often the sides take turns [default: 2; quick: 1]')
    add('--runs', type=int, help='timed runs of a process [default: 15; quick: 7]')
    add('--warmup', type=int, default=3, help='runs before those')
    add('--together', action='store_true', help='all parts in one process: quicker, but memory adds up')
    add('--tune', action='store_true', help='also ours with the kernels that `r3gan bench --tune` finds for each case')
    add('--no-kernels', action='store_true', help='leave out r3gan bench --what kernels')
    add('--out', default=os.path.join(HERE, 'results.jsonl'), help='the results, a JSON object a line')
    add('--resume', action='store_true', help='go on with these results; without it, they are kept as .old')
    add('--python', type=listed, default=[sys.executable, 'python3', 'python'], help='a Python with PyTorch')
    add('--r3gan', help='the command line [default: the one beside this script]')
    add('--peer', help='the peer program [default: r3gan_torch.py, beside this script or above it]')
    o = parser.parse_args(arguments)
    for name, usual, quick in [('limit', None, 170), ('each', 300, 90), ('turns', 2, 1), ('runs', 15, 7)]:
        if getattr(o, name) is None:
            setattr(o, name, quick if o.quick else usual)
    o.together |= o.quick
    o.peer_device = o.peer_device or ('cpu' if o.devices == ['cpu'] else 'cuda')
    beside = [os.path.join(HERE, 'r3gan_torch.py'), os.path.join(HERE, '..', 'r3gan_torch.py')]
    o.peer = o.peer or next(filter(os.path.isfile, beside), beside[0])
    unknown = set(o.what) - set(WORK) | set(o.only or []) - set(dict(CASES))
    if unknown:
        parser.error('there is no %s' % ', '.join(sorted(unknown)))
    return o


def cases(o):
    chosen = [(preset, batch) for preset, batch in (QUICK if o.quick and not o.only else CASES) if preset in (o.only or [preset])]
    return list(dict.fromkeys((preset, o.batch or batch) for preset, batch in chosen))


class Side:
    """A program with its device and precision."""

    def __init__(self, name, command, parts=tuple(WORK), environment=None, missing=None, tunes=False):
        self.name, self.command, self.parts, self.environment, self.missing = name, command, parts, environment, missing
        self.tunes = tunes
        self.ours = not name.startswith('PyTorch')


def our_sides(o, r3gan, devices, environment, folder):
    # What is kept of tuning: nothing for the table's choices, whatever this user has.
    cache = lambda name: {**environment, 'XDG_CACHE_HOME': os.path.join(folder, name)}
    for device in o.devices:
        here = devices.get(device)
        # The CPU posing as a GPU is measured where it is asked for by name alone.
        there = here and here['works'] and not (here['software'] and o.devices == ['cuda', 'vulkan'])
        missing = None if there else 'not in this build' if here and here['adapter'] == 'not in this build' else 'no device'
        native = [p for p in ('bf16', 'f16') if there and device != 'cpu' and p in here['dtypes']]
        for precision in o.precisions or ['f32'] + native:
            command = [r3gan, 'bench', '--json', '--device', device, '--precision', precision]
            parts = ('sample',) if precision == 'f16' else tuple(WORK)
            name = 'r3gan %s %s' % (device, precision)
            yield Side(name, command, parts, cache('table'), missing)
            if o.tune and there and device != 'cpu':
                yield Side(name + ' tuned', command, parts, cache('tuned'), missing, tunes=True)


def peer_sides(o, python, about):
    command = [python or o.python[0], o.peer, '--device', o.peer_device]
    missing = 'no PyTorch' if not about['torch'] else 'no device' if o.peer_device == 'cuda' and not about['gpu'] else None
    if o.peer_device == 'cpu':
        command += ['--threads', str(os.cpu_count())]
        forms = [('f32', [])]
    else:
        # Whether channels-last helps a grouped convolution's gradients is PyTorch's to show.
        forms = [('f32', []), ('bf16 channels-last compile', BEST)] + ([] if o.quick else [('bf16', ['--bf16'])])
    for name, flags in forms:
        yield Side('PyTorch ' + name, command + flags, missing=missing)


class Bench:
    def __init__(self, o, results, lines, end):
        self.o, self.results, self.lines, self.end, self.start = o, results, lines, end, time.monotonic()
        key = lambda line: (line.get('side'), line.get('preset'), line.get('batch'), line.get('what'), line.get('turn'))
        self.done = {key(line) for line in lines}
        self.tuned = {}

    def note(self, line, quiet=False):
        """A line of the results; it is on disk before the next is measured."""
        self.lines.append(line)
        self.results.write(json.dumps(line) + '\n')
        self.results.flush()
        os.fsync(self.results.fileno())
        if 'kernel' not in line and not quiet:
            said = line.get('failed') or ('%.2f ms' % (line['median_s'] * 1e3) if 'median_s' in line else 'the roof')
            say(self.start, '%s, batch %s, %s, %s: %s' % (line['preset'], line['batch'], line['what'], line['side'], said))

    def process(self, side, command, each, times=1):
        """Runs a process, for so many times the limit of one, within what is left of the time."""
        left = self.end - time.monotonic()
        if left < 1:
            raise TimeUp
        seconds = min(times * self.o.each, left)
        code, complaints = process.run(command, seconds, each, side.environment)
        if code is None and seconds < times * self.o.each:
            raise TimeUp
        return code, complaints, process.reason(code, complaints, seconds)

    def measure(self, side, preset, batch, parts, turn):
        """One process for these parts: a line for each, a measurement or why there is none."""
        about = {'side': side.name, 'turn': turn}
        parts = [part for part in parts if (side.name, preset, batch, part, turn) not in self.done]
        if not parts:
            return
        unable = side.missing or side.tunes and self.tune(side, preset, batch)
        missing = list(parts)

        def each(text):
            line = parse(text)
            if 'median_s' in line and line.get('what') in missing:
                missing.remove(line['what'])
                # The peer has its own names of presets.
                self.note({**line, **about, 'preset': preset})

        what = parts[0] if len(parts) == 1 else 'all'
        name = preset if side.ours else preset.replace('-', '')
        words = ['--preset', name, '--batch', batch, '--what', what, '--runs', self.o.runs, '--warmup', self.o.warmup]
        code, complaints, reason = (1, '', unable)
        if not unable:
            code, complaints, reason = self.process(side, side.command + [str(word) for word in words], each)
            if missing and '--compile' in side.command and reason.startswith('failed'):
                # Its compiler needs a C compiler and more; without them this is PyTorch's best.
                about['eager'] = True
                command = [word for word in side.command if word != '--compile']
                code, complaints, reason = self.process(side, command + [str(word) for word in words], each)
        for part in missing:
            self.note({'preset': preset, 'batch': batch, 'what': part, 'failed': reason, 'said': complaints[-2000:], **about}, bool(unable))

    def tune(self, side, preset, batch):
        """Finds the kernels for this case, once; the processes that follow use them. Returns why there are none, if so."""
        case = (side.name, preset, batch)
        if case in self.tuned:
            return self.tuned[case]
        self.tuned[case] = None
        about = {'side': side.name, 'preset': preset, 'batch': batch}

        def each(text):
            line = parse(text)
            if line.get('what') in ('tune', 'tuned'):
                self.note({**line, **about}, True)

        parts = [part for part in self.o.what if part in side.parts]
        what = 'all' if len(parts) > 1 else parts[0]
        words = ['--tune', '--preset', preset, '--batch', str(batch), '--what', what, '--runs', str(self.o.runs), '--warmup', '1']
        code, complaints, reason = self.process(side, side.command + words, each, times=4)
        if code != 0:
            self.note({**about, 'what': 'tune', 'failed': reason, 'said': complaints[-2000:]})
            self.tuned[case] = 'not tuned: ' + reason
        return self.tuned[case]

    def kernels(self, side, preset, batch):
        about = {'side': side.name, 'preset': preset, 'batch': batch, 'turn': 1}
        if (side.name, preset, batch, 'roof', 1) in self.done or side.missing:
            return
        found = []

        def each(text):
            line = parse(text)
            if line.get('what') in ('roof', 'kernel'):
                found.append(line)
                self.note({**line, **about})

        words = ['--what', 'kernels', '--preset', preset, '--batch', str(batch), '--runs', str(self.o.runs)]
        code, complaints, reason = self.process(side, side.command + words, each)
        if code != 0 or not found:
            reason = 'this build of r3gan does not measure them' if 'invalid value' in complaints else reason
            self.note({**about, 'what': 'kernels', 'failed': reason, 'said': complaints[-2000:]})

    def run(self, sides, chosen):
        for turn in range(1, self.o.turns + 1):
            for index, (preset, batch) in enumerate(chosen):
                for side in sides:
                    parts = [part for part in self.o.what if part in side.parts]
                    if preset == 'points' and not side.ours:
                        continue
                    whole = self.o.together and len(self.o.what) == len(WORK)
                    for group in [parts] if whole else [[part] for part in parts]:
                        self.measure(side, preset, batch, group, turn)
                # The layers of a preset once, and in a hurry those of the first alone.
                first = preset not in [before for before, _ in chosen[:index]] and (index == 0 or not self.o.quick)
                if turn == 1 and first and preset != 'points' and not self.o.no_kernels:
                    for side in sides:
                        if side.ours and side.name.endswith('f32'):
                            self.kernels(side, preset, batch)


def parse(text):
    try:
        line = json.loads(text)
    except ValueError:
        return {}
    return line if isinstance(line, dict) else {}


def say(start, text):
    print('[%4d s] %s' % (time.monotonic() - start, text), flush=True)


def unpacked(o, folder):
    """The command line: the one that was named, or the one beside this script, unpacked."""
    if o.r3gan:
        return os.path.abspath(o.r3gan)
    program = os.path.join(folder, 'r3gan')
    try:
        with gzip.open(os.path.join(HERE, 'r3gan.gz')) as packed, open(program, 'wb') as plain:
            shutil.copyfileobj(packed, plain)
    except FileNotFoundError:
        sys.exit('error: no r3gan.gz beside this script: `cargo xtask gpu-bundle` makes the folder, or name a program by --r3gan')
    os.chmod(program, 0o755)
    return program


def opened(o, about):
    """The results so far and the file for more; what other machines or builds measured is not mixed in."""
    if o.resume and os.path.exists(o.out):
        with open(o.out) as before:
            lines = [line for line in map(parse, before) if line]
        if not lines or lines[0].get('machine') != about:
            sys.exit('error: %s is of another machine, build or PyTorch: leave --resume out, or name another by --out' % o.out)
        results = open(o.out, 'a')
        # The last line may have been cut short; it is measured again.
        results.write('\n')
        return results, lines[1:]
    if os.path.exists(o.out):
        os.replace(o.out, o.out + '.old')
    results = open(o.out, 'w')
    results.write(json.dumps({'machine': about}) + '\n')
    return results, []


def stop(*_):
    raise KeyboardInterrupt


def main(arguments=None):
    o = options(arguments)
    begun = time.monotonic()
    signal.signal(signal.SIGTERM, stop)
    with tempfile.TemporaryDirectory() as folder:
        r3gan = unpacked(o, folder)
        python, peer = machine.python(o.python)
        environment = machine.environment(HERE, peer.pop('libraries'))
        devices = machine.devices(r3gan, environment)
        about = {'r3gan_bytes': os.path.getsize(r3gan), 'gpu': machine.nvidia(), 'devices': devices, 'peer': peer}
        print('GPU        %s\nPyTorch    %s' % (about['gpu'] or 'nvidia-smi finds none', peer['torch'] or 'not found: --python names one'))
        for name, device in devices.items():
            print('%-10s %s  %s  %s' % (name, device['adapter'], ' '.join(device['dtypes']), 'works' if device['works'] else 'fails'))
        sides = list(our_sides(o, r3gan, devices, environment, folder))
        theirs = list(peer_sides(o, python, peer))
        # One of theirs beside one of ours, f32 first: that is the comparison that a short time should hold.
        sides = [side for pair in zip(theirs, sides) for side in pair] + theirs[len(sides):] + sides[len(theirs):]
        results, lines = opened(o, about)
        bench = Bench(o, results, lines, begun + (o.limit or float('inf')))
        try:
            bench.run(sides, cases(o))
        except TimeUp:
            say(begun, 'the time is up: this is what there is')
        except KeyboardInterrupt:
            say(begun, 'stopped: this is what there is')
        results.close()
        print(table.text(lines))
        print('\nevery line: %s' % o.out)
    return 0 if any('median_s' in line for line in lines) else 1


if __name__ == '__main__':
    sys.exit(main())
