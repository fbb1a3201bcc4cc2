//! Where the two runs of these tests differ, and nowhere else. Natively cargo runs each test and fixtures are
//! files; in a browser JavaScript hands the files over first and then runs tests by name.

pub use here::*;

#[cfg(not(target_family = "wasm"))]
mod here {
    use std::collections::BTreeSet;
    use std::path::{Path, PathBuf};

    use burn::tensor::Device;

    /// Units in the last place by which a normal number may differ from numpy's: none, `ln` is the C library's.
    pub const NORMAL_UNITS: u64 = 0;
    /// Of the largest value: samples on the CPU against those that the command line made on a CPU, which may
    /// have had vectors of another width.
    pub const SAMPLES_ON_CPU: f32 = 2e-6;
    /// Whether every device of the tests computes in f16.
    pub const HAVE_F16: bool = true;

    /// Async bodies `fn(&Device)` as tests on the CPU, on wgpu, and on CUDA where it is built in. A missing device fails,
    /// it does not skip.
    macro_rules! on_devices {
        ($($name:ident),+ $(,)?) => {$(
            mod $name {
                #[test]
                fn cpu() {
                    let device = r3gan::backend::open("cpu").expect("the CPU");
                    pollster::block_on(super::$name(&device));
                }

                #[test]
                fn wgpu() {
                    let device = r3gan::backend::open("wgpu");
                    let device = device.expect("a Vulkan adapter (lavapipe: mesa-vulkan-drivers)");
                    pollster::block_on(super::$name(&device));
                }

                #[cfg(feature = "cuda")]
                #[test]
                fn cuda() {
                    let device = r3gan::backend::open("cuda").expect("an NVIDIA GPU and the CUDA toolkit");
                    pollster::block_on(super::$name(&device));
                }
            }
        )+};
    }

    /// The same, for more work than a GPU made of software inside a browser does in a minute.
    macro_rules! on_fast_devices {
        ($($name:ident),+ $(,)?) => { crate::platform::on_devices! { $($name),+ } };
    }

    /// Bodies `fn()` that need no device.
    macro_rules! on_host {
        ($($name:ident),+ $(,)?) => {$(
            mod $name {
                #[test]
                fn host() {
                    super::$name();
                }
            }
        )+};
    }

    pub(crate) use {on_devices, on_fast_devices, on_host};

    /// How many of a run's steps are checked.
    pub fn steps(all: usize, _: &Device) -> usize {
        all
    }

    /// Ours, and before it the directory of others that a person names.
    fn roots() -> Vec<PathBuf> {
        let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures");
        std::env::var_os("R3GAN_FIXTURES").map(PathBuf::from).into_iter().chain([ours]).collect()
    }

    /// Paths of all fixture files, `FILE` or `FOLDER/FILE`, sorted.
    pub fn files() -> Vec<String> {
        let list = |folder: &Path| -> Vec<PathBuf> {
            let entries = std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
            entries.map(|entry| entry.expect("a directory entry").path()).collect()
        };
        let mut names = BTreeSet::new();
        for root in roots() {
            let (folders, mut files): (Vec<_>, Vec<_>) = list(&root).into_iter().partition(|p| p.is_dir());
            files.extend(folders.iter().flat_map(|folder| list(folder)));
            names.extend(files.iter().map(|path| {
                let below = path.strip_prefix(&root).expect("below the root");
                below.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
            }));
        }
        names.into_iter().collect()
    }

    pub fn read(path: &str) -> Vec<u8> {
        // A folder comes from one place, and so do all its files.
        let folder = path.split('/').next().unwrap_or(path);
        let root = roots().into_iter().find(|root| root.join(folder).exists());
        let root = root.unwrap_or_else(|| panic!("there is no fixture {path}"));
        std::fs::read(root.join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
    }

    /// A measured number, for whoever runs the tests with `--nocapture`.
    pub fn note(text: &str) {
        println!("{text}");
    }
}

#[cfg(target_family = "wasm")]
mod here {
    use std::cell::RefCell;
    use std::collections::BTreeMap;
    use std::pin::Pin;

    use burn::tensor::Device;
    use wasm_bindgen::prelude::wasm_bindgen;

    /// Units in the last place by which a normal number may differ from numpy's: `ln` is musl's, not glibc's.
    pub const NORMAL_UNITS: u64 = 2;
    /// Of the largest value: samples on the CPU against those that the command line made on a CPU, which adds
    /// in longer vectors.
    pub const SAMPLES_ON_CPU: f32 = 1e-5;
    /// SwiftShader does not compute in f16.
    pub const HAVE_F16: bool = false;

    /// A test that JavaScript runs by name.
    pub struct Test {
        pub name: String,
        pub body: Body,
    }

    pub enum Body {
        Host(fn()),
        Device { body: fn(Device) -> Pin<Box<dyn Future<Output = ()>>>, devices: &'static [&'static str] },
    }

    macro_rules! on {
        ($devices:expr, $($name:ident),+) => {
            pub fn tests() -> Vec<crate::platform::Test> {
                vec![$(crate::platform::Test {
                    name: crate::platform::path(module_path!(), stringify!($name)),
                    body: crate::platform::Body::Device {
                        body: |device| Box::pin(async move { $name(&device).await }),
                        devices: $devices,
                    },
                }),+]
            }
        };
    }

    macro_rules! on_devices {
        ($($name:ident),+ $(,)?) => { crate::platform::on! { &["cpu", "webgpu"], $($name),+ } };
    }

    macro_rules! on_fast_devices {
        ($($name:ident),+ $(,)?) => { crate::platform::on! { &["cpu"], $($name),+ } };
    }

    macro_rules! on_host {
        ($($name:ident),+ $(,)?) => {
            pub fn tests() -> Vec<crate::platform::Test> {
                vec![$(crate::platform::Test {
                    name: crate::platform::path(module_path!(), stringify!($name)),
                    body: crate::platform::Body::Host($name),
                }),+]
            }
        };
    }

    pub(crate) use {on, on_devices, on_fast_devices, on_host};

    /// How many of a run's steps are checked: twenty would be minutes on a GPU made of software.
    pub fn steps(all: usize, device: &Device) -> usize {
        if r3gan::backend::is_cpu(device) { all } else { all.min(2) }
    }

    /// A test's path as cargo prints it.
    pub fn path(module: &str, name: &str) -> String {
        let module = module.split_once("::").map_or("", |(_, module)| module);
        format!("{module}::{name}")
    }

    thread_local! {
        static FILES: RefCell<BTreeMap<String, Vec<u8>>> = const { RefCell::new(BTreeMap::new()) };
    }

    /// Hands over a fixture file.
    #[wasm_bindgen]
    pub fn provide(path: String, bytes: Vec<u8>) {
        FILES.with_borrow_mut(|files| files.insert(path, bytes));
    }

    pub fn files() -> Vec<String> {
        FILES.with_borrow(|files| files.keys().cloned().collect())
    }

    pub fn read(path: &str) -> Vec<u8> {
        FILES
            .with_borrow(|files| files.get(path).cloned())
            .unwrap_or_else(|| panic!("{path} was not provided"))
    }

    #[wasm_bindgen]
    extern "C" {
        #[wasm_bindgen(js_namespace = console, js_name = log)]
        pub fn note(text: &str);
    }
}
