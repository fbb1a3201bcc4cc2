//! Places that cannot be written: a full disk and a locked folder, with whatever means this machine allows.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::scene::Scene;

/// A small file system in memory, taken down when dropped.
pub struct Mount(PathBuf);

impl Mount {
    /// Only root can, and not in every container.
    fn new(path: PathBuf, options: &str) -> Option<Self> {
        fs::create_dir_all(&path).expect("a mount point");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", options, "r3gan-test"]).arg(&path).stderr(Stdio::null());
        mount.status().is_ok_and(|status| status.success()).then(|| Self(path))
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

impl Scene {
    /// Makes `name` a disk of so many KiB; where nothing can be mounted, no file may grow beyond that.
    pub fn small_disk(&self, name: &str, kibibytes: u32) {
        match Mount::new(self.path(name), &format!("size={kibibytes}k")) {
            Some(mount) => self.mounts.borrow_mut().push(mount),
            None => self.longest_file.set(Some(kibibytes)),
        }
    }

    /// Makes `name` a folder that nobody can write to.
    pub fn locked_folder(&self, name: &str) {
        let path = self.path(name);
        if let Some(mount) = Mount::new(path.clone(), "ro,size=64k") {
            self.mounts.borrow_mut().push(mount);
            return;
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o555)).expect("permissions can be taken");
        // Permissions do not stop root.
        if fs::write(path.join("probe"), []).is_ok() {
            fs::remove_dir_all(&path).expect("the folder can be removed");
            symlink("/proc", &path).expect("a link");
        }
    }
}
