"""One process: its lines as they come, a time limit, and why it failed in a word or two."""
import os, queue, re, signal, subprocess, tempfile, threading, time

# What programs, drivers and PyTorch say where memory ran out, and where there is no such device.
MEMORY = re.compile(r'out of (device |host |gpu )?memory|outofmemory|not enough memory|cannot allocate|buffer ?too ?big|alloc_failed', re.I)
DEVICE = re.compile(r'no adapter was found|no nvidia driver|build has no cuda|there is only one, which|not compiled with cuda|'
                    r'no cuda gpus|found no nvidia|no cuda-capable|invalid device ordinal', re.I)


def run(command, seconds, each=lambda line: None, environment=None):
    """Hands every line of standard output to `each`. The exit code, None where the time ran out, and what it complained."""
    with tempfile.TemporaryFile() as complaints:
        try:
            # A session of its own, so that the workers of a compiler end with it.
            child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=complaints,
                                     env=environment, start_new_session=True)
        except OSError as error:
            return 127, str(error)
        try:
            code = follow(child, time.monotonic() + seconds, each)
        except BaseException:
            end(child)
            raise
        if code is None:
            end(child)
        complaints.seek(0)
        return code, complaints.read().decode(errors='replace')


def follow(child, deadline, each):
    lines = queue.Queue()

    def read():
        with child.stdout:
            for line in child.stdout:
                lines.put(line.decode(errors='replace').rstrip())
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    while True:
        # A worker that outlives the process may hold its output open: the process's own end counts too.
        ended = child.poll() is not None
        try:
            line = lines.get(timeout=max(0.01, min(0.5, deadline - time.monotonic())))
        except queue.Empty:
            if ended:
                return child.returncode
            if time.monotonic() >= deadline:
                return None
            continue
        if line is None:
            try:
                return child.wait(max(1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                return None
        each(line)


def end(child):
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    child.wait()


def reason(code, complaints, seconds):
    """Why a process gave no measurement, as it stands in the table."""
    if code is None:
        return 'longer than %.0f s' % seconds
    if MEMORY.search(complaints):
        return 'out of memory'
    if DEVICE.search(complaints):
        return 'no device'
    if "No module named 'torch'" in complaints:
        return 'no PyTorch'
    if code == -signal.SIGKILL:
        return 'killed, as when memory runs out'
    said = [line.strip() for line in complaints.splitlines() if line.strip()]
    return 'failed: ' + (re.sub('^error: ', '', said[-1])[:100] if said else 'exit code %d' % code)
