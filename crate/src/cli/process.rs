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

/// Starts the threads that compute, this one among them: what it starts then needs no other thread to wake up first,
/// which small networks would wait for a hundred times a pass. `threads` is 0 for what `RAYON_NUM_THREADS` says, else as
/// many as there are cores.
///
/// # Errors
/// If the system does not give the threads.
pub fn start_pool(threads: usize) -> Result<(), rayon::ThreadPoolBuildError> {
    let wished = || std::env::var("RAYON_NUM_THREADS").ok()?.parse().ok().filter(|threads| *threads > 0);
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    let threads = if threads > 0 { threads } else { wished().unwrap_or_else(cores) };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
    // Alone it would keep others' work waiting while it waits for them.
    if threads > 1 { pool.use_current_thread().build_global() } else { pool.build_global() }
}
