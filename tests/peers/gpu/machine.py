"""What a machine has: devices that r3gan reaches, a GPU, a Python with PyTorch; and where the libraries of these lie."""
import ctypes, glob, json, os, re, shutil, sys
from process import run

# `  vulkan     NAME (GPU, 8.0 GiB)  f32 f16  works`
DEVICE = re.compile(r'^  ((?:cpu|cuda|vulkan|wgpu)(?::\d+)?)\s+(.*?)  ((?:(?:f32|f16|bf16) ?)*)  (works|fails.*)$')
PROBE = '''
import glob, json, os, torch
there = torch.cuda.is_available()
home = os.path.dirname(os.path.dirname(torch.__file__))
print(json.dumps({'torch': torch.__version__, 'cuda': torch.version.cuda, 'gpu': torch.cuda.get_device_name() if there else None,
                  'libraries': sorted(glob.glob(os.path.join(home, 'nvidia', '*', 'lib')))}))
'''
# Where loaders look by themselves, and where containers have the driver's files mounted.
DRIVERS = ['/etc/vulkan/icd.d', '/usr/share/vulkan/icd.d', '/usr/local/share/vulkan/icd.d']
MOUNTED = ['/usr/local/nvidia/share/vulkan/icd.d', '/run/opengl-driver/share/vulkan/icd.d']
# Where r3gan looks for CUDA's headers by itself.
TOOLKITS = ['/usr/local/cuda', '/opt/cuda']


def answer(command, seconds=60, environment=None):
    """Standard output's lines; None where the command fails or is not there."""
    lines = []
    code, _ = run(command, seconds, lines.append, environment)
    return lines if code == 0 else None


def nvidia():
    """Name, memory and driver of the first NVIDIA GPU, as nvidia-smi has them."""
    said = answer(['nvidia-smi', '--query-gpu=name,memory.total,driver_version', '--format=csv,noheader'])
    return said[0] if said else None


def python(choices):
    """The first of these Pythons that has PyTorch, and what it says of itself."""
    for program in choices:
        said = answer([program, '-c', PROBE], 120) if shutil.which(program) else None
        if said:
            return program, json.loads(said[-1])
    return None, {'torch': None, 'gpu': None, 'libraries': []}


def toolkit(variables, libraries):
    """The folder of CUDA's headers, some of which PyTorch's wheels leave out; None where there is none."""
    choices = [variables.get('CUDA_PATH'), variables.get('CUDA_HOME'), *TOOLKITS]
    compiler = shutil.which('nvcc', path=variables.get('PATH'))
    choices += [os.path.dirname(os.path.dirname(os.path.realpath(compiler)))] if compiler else []
    choices += [variables.get('CONDA_PREFIX'), *map(os.path.dirname, libraries)]
    whole = lambda folder: all(os.path.isfile(os.path.join(folder, 'include', file)) for file in ['mma.h', 'crt/mma.h'])
    return next(filter(whole, filter(None, choices)), None)


def environment(folder, libraries):
    """For r3gan: the Vulkan loader that was brought along where the machine has none, the driver's manifest where no
    loader looks for it, CUDA's headers where they lie elsewhere, and its compiler, the toolkit's or PyTorch's."""
    variables = dict(os.environ)
    headers = toolkit(variables, libraries)
    if headers:
        variables['CUDA_PATH'] = headers
    own = [os.path.join(headers, name) for name in ['lib64', 'lib']] if headers else []
    paths = [path for path in own if glob.glob(path + '/libnvrtc.so*')] + list(libraries)
    brought = os.path.join(folder, 'lib')
    try:
        ctypes.CDLL('libvulkan.so.1')
    except OSError:
        paths += [brought] if os.path.isdir(brought) else []
    if paths:
        before = [variables['LD_LIBRARY_PATH']] if variables.get('LD_LIBRARY_PATH') else []
        variables['LD_LIBRARY_PATH'] = os.pathsep.join(before + paths)
    manifests = lambda folders: [file for at in folders for file in sorted(glob.glob(at + '/nvidia*.json'))]
    if not {'VK_DRIVER_FILES', 'VK_ICD_FILENAMES'} & set(variables) and not manifests(DRIVERS) and manifests(MOUNTED):
        # The loader's name since 1.3.207, and the one before it.
        variables['VK_DRIVER_FILES'] = variables['VK_ICD_FILENAMES'] = manifests(MOUNTED)[0]
    return variables


def devices(r3gan, variables):
    """What `r3gan doctor` finds: for each name the adapter, its number formats, and whether it is a GPU that works."""
    said = answer([r3gan, 'doctor', '--json'], 120, variables)
    if said and said[-1].startswith('{'):
        listed = json.loads(said[-1]).get('devices', [])
        return {one['name']: {'adapter': str(one.get('adapter')), 'dtypes': one.get('dtypes', []), 'works': bool(one.get('works', True)),
                              'software': one.get('class') == 'software'} for one in listed}
    lines = []
    _, complaints = run([r3gan, 'doctor'], 120, lines.append, variables)
    found = read_doctor(lines)
    if not found:
        sys.exit('error: r3gan does not run on this machine, or its doctor says something new:\n' + '\n'.join(lines + [complaints]))
    return found


def read_doctor(lines):
    found = {}
    for match in filter(None, map(DEVICE.match, lines)):
        name, adapter, dtypes, outcome = match.groups()
        found[name] = {'adapter': adapter, 'dtypes': dtypes.split(), 'works': outcome == 'works',
                       'software': '(software' in adapter}
    if any('no CUDA in this build' in line for line in lines):
        found['cuda'] = {'adapter': 'not in this build', 'dtypes': [], 'works': False, 'software': False}
    return found
