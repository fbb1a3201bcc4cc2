"""Measurements as a table: medians, spread, memory, and how many times as fast as PyTorch we are."""
import statistics

# How many times as fast as PyTorch's best we want to be.
TARGETS = {'iteration': 1.5, 'sample': 2.0}
HEAD = '%-9s %5s %-10s %-27s %10s %19s %8s %8s %8s  %s'


def merge(lines):
    """The turns of a program at the same work as one: median of medians, the extremes, the highest memory."""
    times = [line for line in lines if 'median_s' in line]
    if not times:
        return {'failed': lines[0]['failed']}
    # PyTorch's own count leaves out what its allocator holds and does not use; ours cannot.
    memory = [line.get('reserved_bytes', line.get('peak_bytes')) for line in times]
    return {'median': statistics.median(line['median_s'] for line in times), 'least': min(line['min_s'] for line in times),
            'most': max(line['max_s'] for line in times), 'bytes': max(filter(None, memory), default=None)}


def ratios(rows):
    """For the sides at one piece of work: PyTorch's time over ours, against its f32 and against its best."""
    theirs = {side: row['median'] for side, row in rows.items() if side.startswith('PyTorch') and 'median' in row}
    plain, best = theirs.get('PyTorch f32'), min(theirs.values(), default=None)
    return {side: [other / row['median'] if other else None for other in (plain, best)]
            for side, row in rows.items() if not side.startswith('PyTorch') and 'median' in row}


def work(lines):
    """Measurements and failures by preset, batch and part, then by side, in the order in which they came."""
    found = {}
    for line in lines:
        if line.get('what') in ('sample', 'critic', 'generator', 'iteration'):
            key = (line['preset'], line['batch'], line['what'])
            found.setdefault(key, {}).setdefault(line['side'], []).append(line)
    return {key: {side: merge(turns) for side, turns in sides.items()} for key, sides in found.items()}


def rows(lines):
    yield HEAD % ('preset', 'batch', 'what', 'program', 'median ms', 'min-max ms', 'MB', 'x f32', 'x best', 'target')
    order = ['iteration', 'sample', 'critic', 'generator']
    cases = work(lines)
    # A side that nowhere measured anything, always for the same reason, is one row.
    outcomes = {}
    for sides in cases.values():
        for side, row in sides.items():
            outcomes.setdefault(side, []).append(row.get('failed'))
    alike = {side: all_[0] for side, all_ in outcomes.items() if len(all_) > 1 and all_[0] and len(set(all_)) == 1}
    for side, failed in alike.items():
        yield (HEAD % ('all', '', '', side, '', '', '', '', '', '')).rstrip() + '  ' + failed
    seen = list(dict.fromkeys((preset, batch) for preset, batch, _ in cases))
    for key in sorted(cases, key=lambda key: (order.index(key[2]), seen.index(key[:2]))):
        sides = cases[key]
        against = ratios(sides)
        for side, row in sides.items():
            if side in alike:
                continue
            if 'failed' in row:
                yield (HEAD % (*key, side, '', '', '', '', '', '')).rstrip() + '  ' + row['failed']
                continue
            plain, best = against.get(side, (None, None))
            target = TARGETS.get(key[2])
            met = '' if not (best and target) else '%.1fx %s' % (target, 'met' if best >= target else 'missed')
            times = lambda ratio: '%.2f' % ratio if ratio else '-'
            held = '%.0f' % (row['bytes'] / 1e6) if row['bytes'] else '-'
            spread = '%.2f-%.2f' % (row['least'] * 1e3, row['most'] * 1e3)
            yield (HEAD % (*key, side, '%.2f' % (row['median'] * 1e3), spread, held, times(plain), times(best), met)).rstrip()


def kernels(lines, most=12):
    """For each device and preset the roof, and the kernels that take longest by themselves."""
    found = {}
    for line in lines:
        if line.get('what') in ('roof', 'kernel', 'kernels'):
            found.setdefault((line['side'], line['preset']), []).append(line)
    for (side, preset), group in found.items():
        for line in group:
            if line['what'] == 'roof':
                yield '%s, %s: memory %.0f GB/s, products %.0f GFLOP/s' % (
                    side, preset, line['bytes_per_s'] / 1e9, line['flops_per_s'] / 1e9)
            elif 'failed' in line:
                yield '%s, %s, kernels: %s' % (side, preset, line['failed'])
        timed = sorted((line for line in group if line['what'] == 'kernel'), key=lambda line: -line['median_s'])
        for line in timed[:most]:
            yield '  %-22s %-34s batch %-4d %9.3f ms %4.0f%% of the roof' % (
                line['kernel'], line['shape'], line['batch'], line['median_s'] * 1e3, line['roofline'] * 100)


def text(lines):
    told = ['', *rows(lines), '', 'MB is what the allocator took from the GPU; on a CPU it is the process. x f32 and x best: '
            "PyTorch's time over ours."]
    inside = list(kernels(lines))
    return '\n'.join(told + (['', 'kernels that take longest by themselves'] + inside if inside else []))
