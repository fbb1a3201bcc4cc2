//! Tasks of one kernel, over all cores.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use rayon::Scope;

/// How often a thread with nothing left to do looks whether the others are done before it sleeps: for some hundredths to tenths of
/// a millisecond, in a page, whose threads do not pause between two looks, for about one.
const LOOKS: usize = if cfg!(target_family = "wasm") { 1 << 20 } else { 1 << 12 };

/// As many tasks as keep all cores busy to the end. What comes out must not depend on it.
pub fn enough_tasks() -> usize {
    4 * rayon::current_num_threads()
}

/// Tasks that were done by others than the thread that had them.
static HELPED: AtomicUsize = AtomicUsize::new(0);

/// How many tasks other threads than those that began a kernel have done since the process began.
#[cfg(any(test, feature = "threads"))]
pub fn tasks_of_helpers() -> usize {
    HELPED.load(Ordering::Relaxed)
}

/// How many cores share the tasks of a kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cores {
    /// The one that has them.
    One,
    All,
    /// No more than these.
    AtMost(usize),
}

impl Cores {
    /// All, if it is worth their while.
    pub fn all_if(worth: bool) -> Self {
        if worth { Self::All } else { Self::One }
    }
}

/// Does all tasks, each once, in any order, on threads of rayon's pool.
///
/// Rayon's own loops send a thread to sleep as soon as another has the last task. To wake it takes as long as a small product
/// does, of which a sample has dozens; here it stays awake for a while. Whoever is free takes the next task, so that a thread
/// that came late has done less.
pub fn each<T: Send>(cores: Cores, tasks: impl ExactSizeIterator<Item = T> + Send, work: impl Fn(T) + Sync) {
    let count = tasks.len();
    let threads = match cores {
        Cores::One => 1,
        Cores::All => count.min(rayon::current_num_threads()),
        Cores::AtMost(most) => count.min(rayon::current_num_threads()).min(most),
    };
    if threads < 2 {
        return tasks.for_each(work);
    }
    let (queue, done) = (Mutex::new(tasks), AtomicUsize::new(0));
    let take = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    let some = || {
        let mut taken = 0;
        while let Some(task) = take() {
            taken += 1;
            let _counted = Counted(&done);
            work(task);
        }
        taken
    };
    let help = || {
        HELPED.fetch_add(some(), Ordering::Relaxed);
    };
    // Not from a thread outside: it would wait until the pool has looked at what it has done itself.
    rayon::scope(|scope| {
        spread(scope, threads - 1, &help);
        some();
        for _ in 0..LOOKS {
            if done.load(Ordering::Acquire) == count {
                break;
            }
            spin_loop();
        }
    });
}

/// Wakes so many helpers, half of them by the first.
fn spread<'a>(scope: &Scope<'a>, helpers: usize, help: &'a (impl Fn() + Sync)) {
    let mut left = helpers;
    while left > 0 {
        let half = left.div_ceil(2);
        scope.spawn(move |scope| {
            spread(scope, half - 1, help);
            help();
        });
        left -= half;
    }
}

/// Counts a task when it ends, by a panic too.
struct Counted<'a>(&'a AtomicUsize);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// On a pool of its own: the machine may have one core.
    fn on_threads(count: usize, test: impl FnOnce() + Send) {
        rayon::ThreadPoolBuilder::new().num_threads(count).build().expect("a pool").install(test);
    }

    #[test]
    fn every_task_is_done_once() {
        for threads in [1, 2, 7, 32] {
            on_threads(threads, || {
                for cores in [Cores::One, Cores::All, Cores::AtMost(3)] {
                    for count in [0, 1, 2, 7, 1000] {
                        let mut done = vec![0; count];
                        each(cores, done.iter_mut().enumerate(), |(index, done)| *done += index + 1);
                        assert!(
                            done.iter().enumerate().all(|(index, done)| *done == index + 1),
                            "{count}: {done:?}"
                        );
                    }
                }
            });
        }
    }

    #[test]
    fn helpers_do_their_share() {
        on_threads(2, || {
            let before = tasks_of_helpers();
            let both = std::sync::Barrier::new(2);
            each(Cores::All, 0..2, |_| {
                both.wait();
            });
            assert!(tasks_of_helpers() > before);
        });
    }

    #[test]
    fn tasks_may_have_tasks() {
        on_threads(4, || {
            let mut done = vec![vec![0; 30]; 20];
            each(Cores::All, done.iter_mut(), |row| each(Cores::All, row.iter_mut(), |done| *done += 1));
            assert!(done.iter().flatten().all(|done| *done == 1));
        });
    }

    #[test]
    fn a_panic_comes_back() {
        on_threads(3, || {
            let panics = || each(Cores::All, 0..50, |task| assert_ne!(task, 30, "the thirtieth"));
            assert!(std::panic::catch_unwind(panics).is_err());
        });
    }
}
