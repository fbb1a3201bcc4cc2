//! The pool of a module whose memory several workers share: each of them lends it a core.
//!
//! Only JavaScript can start workers. Those of `pkg/thread.js` call [`run_thread`] and stay there; then the module's own worker
//! calls [`start_pool`], which hands them their places.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Condvar, LazyLock, Mutex, MutexGuard, PoisonError};

use rayon::{BroadcastContext, ThreadBuilder, ThreadPoolBuilder};
use wasm_bindgen::prelude::wasm_bindgen;

use super::convert::{Failure, unfit};
use crate::kernels::cpu;

struct Places {
    give: Sender<ThreadBuilder>,
    take: Mutex<Receiver<ThreadBuilder>>,
}

static PLACES: LazyLock<Places> = LazyLock::new(|| {
    let (give, take) = channel();
    Places { give, take: Mutex::new(take) }
});

/// Computes with so many threads from now on, the caller among them; the others must be in [`run_thread`], or about to be.
///
/// # Errors
/// `SettingError` if the module computes already.
#[wasm_bindgen(js_name = startPool)]
pub fn start_pool(threads: usize) -> Result<(), Failure> {
    let hand_over = |place| PLACES.give.send(place).map_err(|e| std::io::Error::other(e.to_string()));
    let pool = ThreadPoolBuilder::new().num_threads(threads).use_current_thread().spawn_handler(hand_over);
    pool.build_global().map_err(|e| unfit("threads", &e.to_string()))?;
    rayon::spawn_broadcast(stay);
    // A thread that computed before it stays would meet that task where it waits for another, and never leave it.
    let mut staying = staying();
    while *staying + 1 < threads {
        staying = SLEEP.1.wait(staying).unwrap_or_else(PoisonError::into_inner);
    }
    Ok(())
}

/// A thread of the pool, until the worker is ended.
#[wasm_bindgen(js_name = runThread)]
pub fn run_thread() {
    let place = PLACES.take.lock().ok().and_then(|take| take.recv().ok());
    if let Some(place) = place {
        place.run();
    }
}

/// Whether the module's worker has anything to compute, and what wakes the others when it has.
static AWAKE: AtomicBool = AtomicBool::new(false);
/// How many threads [`stay`].
static SLEEP: (Mutex<usize>, Condvar) = (Mutex::new(0), Condvar::new());

fn staying() -> MutexGuard<'static, usize> {
    SLEEP.0.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How many tasks of our kernels other threads than the module's worker have done.
#[wasm_bindgen(js_name = tasksOfThreads)]
pub fn tasks_of_threads() -> usize {
    cpu::tasks_of_helpers()
}

/// Between two calls of this the threads stay awake: a browser takes as long to wake one as a small product takes, of which a
/// step has a hundred.
#[wasm_bindgen(js_name = keepAwake)]
pub fn keep_awake(awake: bool) {
    AWAKE.store(awake, Ordering::Release);
    if awake {
        // Whoever is about to sleep has looked by then, or sleeps.
        drop(staying());
        SLEEP.1.notify_all();
    }
}

/// The only task that the pool's own loop gets: whatever else there is to do is done in here. There being one for each thread
/// that no other takes, nobody waits for it.
fn stay(thread: BroadcastContext) {
    // The first is the module's worker.
    if thread.index() == 0 {
        return;
    }
    *staying() += 1;
    SLEEP.1.notify_all();
    loop {
        while AWAKE.load(Ordering::Acquire) {
            rayon::yield_now();
        }
        let mut asleep = staying();
        while !AWAKE.load(Ordering::Acquire) {
            asleep = SLEEP.1.wait(asleep).unwrap_or_else(PoisonError::into_inner);
        }
    }
}
