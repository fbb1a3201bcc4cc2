//! Tasks of one kernel, over all cores.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// How often a thread with nothing left to do looks whether the others are done before it sleeps: some tenths of a millisecond.
/// A page's threads do not pause between two looks.
const LOOKS: usize = if cfg!(target_family = "wasm") { 1 << 20 } else { 1 << 12 };

/// As many tasks as keep all cores busy to the end. What comes out must not depend on it.
pub fn enough_tasks() -> usize {
    4 * rayon::current_num_threads()
}

/// Does all tasks, each once, in any order: on this thread if they are to be done `alone`, else on those of rayon's pool.
///
/// Rayon's own loops send a thread to sleep as soon as another has the last task. To wake it takes as long as a small product
/// does, of which a sample has dozens; here it stays awake for a while. Whoever is free takes the next task, so that a thread
/// that came late has done less.
pub fn each<T: Send>(alone: bool, tasks: impl ExactSizeIterator<Item = T> + Send, work: impl Fn(T) + Sync) {
    let count = tasks.len();
    let threads = if alone { 1 } else { count.min(rayon::current_num_threads()) };
    if threads < 2 {
        return tasks.for_each(work);
    }
    let (queue, done) = (Mutex::new(tasks), AtomicUsize::new(0));
    let take = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    let some = || {
        while let Some(task) = take() {
            let _counted = Counted(&done);
            work(task);
        }
    };
    rayon::in_place_scope(|scope| {
        (1..threads).for_each(|_| scope.spawn(|_| some()));
        some();
        for _ in 0..LOOKS {
            if done.load(Ordering::Acquire) == count {
                break;
            }
            spin_loop();
        }
    });
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

    #[test]
    fn every_task_is_done_once() {
        for (alone, count) in [(true, 5), (false, 0), (false, 1), (false, 7), (false, 1000)] {
            let mut done = vec![0; count];
            each(alone, done.iter_mut().enumerate(), |(index, done)| *done += index + 1);
            assert!(done.iter().enumerate().all(|(index, done)| *done == index + 1), "{count}: {done:?}");
        }
    }

    #[test]
    fn tasks_may_have_tasks() {
        let mut done = vec![vec![0; 30]; 20];
        each(false, done.iter_mut(), |row| each(false, row.iter_mut(), |done| *done += 1));
        assert!(done.iter().flatten().all(|done| *done == 1));
    }

    #[test]
    fn a_panic_comes_back() {
        let panics = || each(false, 0..50, |task| assert_ne!(task, 30, "the thirtieth"));
        assert!(std::panic::catch_unwind(panics).is_err());
    }
}
