//! What the process settles before it starts anything.

/// Names a directory for drivers' sockets where the system does not.
///
/// Without one (servers, containers) Mesa's libraries print a page of errors when adapters are listed, although
/// nothing here opens a window.
#[allow(unsafe_code)]
pub fn quiet_drivers() {
    if std::env::var_os("XDG_RUNTIME_DIR").is_none() {
        // SAFETY: no other thread runs yet that could read the environment.
        unsafe { std::env::set_var("XDG_RUNTIME_DIR", std::env::temp_dir()) };
    }
}

/// Keeps freed memory for the next tensor instead of giving it back to the system.
///
/// A training step takes and frees the same hundreds of megabytes; with glibc's defaults every one of these
/// pages is mapped, cleared and unmapped each time, which doubles the time of a step on the CPU.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code)]
pub fn keep_freed() {
    /// What the heap grows by, in bytes.
    const STEP: i32 = 64 << 20;
    // SAFETY: mallopt only sets the allocator's parameters, and no other thread runs yet.
    unsafe {
        libc::mallopt(libc::M_MMAP_MAX, 0);
        libc::mallopt(libc::M_TRIM_THRESHOLD, i32::MAX);
        libc::mallopt(libc::M_TOP_PAD, STEP);
        libc::mallopt(libc::M_ARENA_MAX, 1);
    }
}

/// Other systems' allocators are left as they are.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn keep_freed() {}
