//! A folder of one's own, and the binary started in it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::places::Mount;

/// Networks that make 8x8 pictures and train a thousand images in about a second.
const TINY: &str = "--preset demo-16 --set batch=50 --set network.latent=8 \
                    --set network.architecture.widths=[8,8] --set network.architecture.cardinality=[4,4] \
                    --set network.architecture.blocks=[1,1] --set network.architecture.generator_embedding=8 \
                    --set network.architecture.critic_embedding=8";
/// Nothing here takes longer, so a process that does hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// A folder that is gone when the test ends.
pub struct Scene {
    /// Before the folder, because it cannot be removed while something is mounted in it.
    pub mounts: RefCell<Vec<Mount>>,
    /// The longest file in KiB that the command may write.
    pub longest_file: Cell<Option<u32>>,
    folder: TempDir,
    /// In place of the user's.
    cache: TempDir,
}

/// How a command ended, and what it said.
#[derive(Debug)]
pub struct Ended {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

/// A command that may still be running.
pub struct Running {
    child: Child,
    stdout: File,
    stderr: File,
}

impl Scene {
    pub fn new() -> Self {
        let [folder, cache] = [(), ()].map(|()| tempfile::tempdir().expect("a temporary folder"));
        Self { mounts: RefCell::default(), longest_file: Cell::default(), folder, cache }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The folder of the user's cache.
    pub fn cache(&self) -> &Path {
        self.cache.path()
    }

    /// Writes a file, with the folders it lies in.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a path in the folder")).expect("a folder for the file");
        fs::write(&path, bytes).expect("the file can be written");
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    pub fn text(&self, name: &str) -> String {
        String::from_utf8(self.read(name)).expect("text")
    }

    pub fn has(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    /// Names in a folder that begin with `prefix`, sorted.
    pub fn names(&self, folder: &str, prefix: &str) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(self.path(folder))
            .unwrap_or_else(|e| panic!("{folder}: {e}"))
            .map(|item| item.expect("an entry").file_name().into_string().expect("a plain name"))
            .filter(|name| name.starts_with(prefix))
            .collect();
        names.sort();
        names
    }

    /// Every file by its path in the folder.
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        collect(self.folder.path(), "", &mut files);
        files
    }

    /// Runs a line as one would type it: words between blanks, `''` for an empty one, TINY for small networks.
    pub fn r3gan(&self, line: &str) -> Ended {
        self.start(line).wait()
    }

    /// Starts a line and does not wait.
    pub fn start(&self, line: &str) -> Running {
        let words = line.split_whitespace();
        let words = words.flat_map(|word| match word {
            "TINY" => TINY.split_whitespace().collect(),
            "''" => vec![""],
            word => vec![word],
        });
        let binary = env!("CARGO_BIN_EXE_r3gan");
        let mut command = match self.longest_file.get() {
            None => Command::new(binary),
            // The shell counts blocks of 512 bytes. Without the trap the kernel would end the process.
            Some(kibibytes) => {
                let mut shell = Command::new("sh");
                let limit = format!("trap '' XFSZ; ulimit -f {}; exec \"$0\" \"$@\"", 2 * kibibytes);
                shell.args(["-c", &limit, binary]);
                shell
            }
        };
        let [stdout, stderr] = [(), ()].map(|()| tempfile::tempfile().expect("a place for what is said"));
        let share = |file: &File| file.try_clone().expect("another handle");
        command.args(words).current_dir(self.folder.path());
        // Mesa's layer that chooses a device complains on stderr where no desktop is.
        command.env("XDG_RUNTIME_DIR", self.folder.path()).env("XDG_CACHE_HOME", self.cache());
        command.stdout(share(&stdout)).stderr(share(&stderr));
        Running { child: command.spawn().expect("the binary starts"), stdout, stderr }
    }
}

fn collect(root: &Path, inside: &str, files: &mut BTreeMap<String, Vec<u8>>) {
    for item in fs::read_dir(root.join(inside)).expect("a folder") {
        let item = item.expect("an entry");
        let name = item.file_name().into_string().expect("a plain name");
        let name = if inside.is_empty() { name } else { format!("{inside}/{name}") };
        let kind = item.file_type().expect("a kind");
        if kind.is_dir() {
            collect(root, &name, files);
        } else if kind.is_file() {
            files.insert(name, fs::read(item.path()).expect("the file can be read"));
        }
    }
}

impl Running {
    pub fn wait(mut self) -> Ended {
        let start = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("the process can be asked") {
                break status;
            }
            assert!(start.elapsed() < PATIENCE, "the command hangs");
            sleep(Duration::from_millis(2));
        };
        let [stdout, stderr] = [&mut self.stdout, &mut self.stderr].map(|file| {
            let mut text = String::new();
            file.rewind().and_then(|()| file.read_to_string(&mut text)).expect("what it said is text");
            text
        });
        Ended { status, stdout, stderr }
    }

    /// Waits until something is true of the run; the process must not end before.
    pub fn wait_until(&mut self, what: &str, is_true: impl Fn() -> bool) {
        let start = Instant::now();
        while !is_true() {
            let ended = self.child.try_wait().expect("the process can be asked");
            assert!(ended.is_none(), "the command ended ({ended:?}) before {what}");
            assert!(start.elapsed() < PATIENCE, "it takes too long until {what}");
            sleep(Duration::from_millis(1));
        }
    }

    /// Sends a signal by its name: INT is Ctrl-C, KILL cannot be caught.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([format!("-{name}"), self.child.id().to_string()]).status();
        assert!(sent.expect("kill is there").success());
    }
}

impl Drop for Running {
    /// A test that fails leaves no process behind.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ended {
    /// The command, which must have worked.
    #[track_caller]
    pub fn done(self) -> Self {
        assert!(self.status.success() && !self.stderr.contains("error: "), "{self:?}");
        self
    }
}
