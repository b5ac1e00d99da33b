//! What a seat's thread polls now, for those who look from other threads: the guard, and the report of a shutdown.
//!
//! ```text
//!   owner:   seq = odd ; fence(Release) ; id, location, name ; seq = even (Release)
//!   looker:  seq (Acquire), even? ; id, location, name ; fence(Acquire) ; seq still the same? then they belong together
//! ```
//! A sequence lock with one writer. The owner never waits, and pays a few stores on a line of its own for each poll; whoever looks may be
//! told nothing, because a poll began meanwhile. A task may be freed at any time, so nothing of it is pointed to: its name is copied, and a
//! `Location` is there for ever. The sequence also counts polls: who finds it unchanged has found the same poll.

use std::fmt;
use std::panic::Location;
use std::ptr;

use super::Shared;
use crate::rt_sync::atomic::Ordering::{Acquire, Relaxed, Release};
use crate::rt_sync::atomic::{AtomicPtr, AtomicU64, fence};
use crate::task::{Id, Origin};

/// The owner writes, everybody reads.
#[derive(Debug)]
pub(super) struct Running {
    /// Twice the number of polls begun, less one while the rest is being written.
    seq: AtomicU64,
    id: AtomicU64,
    /// Null: no task is being polled.
    location: AtomicPtr<Location<'static>>,
    /// The length of the name in bytes, which may be more than there is room for. 0: there is none.
    name_len: AtomicU64,
    name: [AtomicU64; NAME_WORDS],
}

/// A task, as seen while it was being polled.
#[derive(Clone, Debug)]
pub(crate) struct Polled {
    pub(crate) id: Id,
    /// Cut after 64 bytes, if it was seen from outside.
    pub(crate) name: Option<String>,
    pub(crate) location: &'static Location<'static>,
}

impl Polled {
    /// The task itself says so, and its name is whole.
    pub(super) fn new(id: Id, origin: &Origin) -> Self {
        Self {
            id,
            name: origin.name().map(String::from),
            location: origin.location(),
        }
    }
}

/// As it is named in a log.
impl fmt::Display for Polled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "task {}", self.id)?;
        if let Some(name) = &self.name {
            write!(f, " {name:?}")?;
        }
        write!(f, ", spawned at {}", self.location)
    }
}

/// A poll on a worker's thread.
#[derive(Debug)]
pub(crate) struct PollUnderWay {
    pub(crate) polled: Polled,
    /// At which seat, and which poll there.
    poll: (usize, u64),
}

impl PollUnderWay {
    pub(crate) fn is_same_as(&self, other: &Self) -> bool {
        self.poll == other.poll
    }
}

impl Shared {
    /// The polls of tasks on workers' threads.
    pub(crate) fn polls_under_way(&self) -> Vec<PollUnderWay> {
        let seats = self.seats.in_use().iter().enumerate();
        let polls = seats.filter_map(|(index, seat)| {
            let (seq, polled) = seat.running.look()?;
            let poll = (index, seq);
            Some(PollUnderWay { polled, poll })
        });
        polls.collect()
    }
}

impl Running {
    pub(super) fn new() -> Self {
        Self {
            seq: AtomicU64::new(0),
            id: AtomicU64::new(0),
            location: AtomicPtr::new(ptr::null_mut()),
            name_len: AtomicU64::new(0),
            name: std::array::from_fn(|_| AtomicU64::new(0)),
        }
    }

    /// A poll begins. The owner's call.
    #[inline]
    pub(super) fn begin(&self, id: Id, origin: &Origin) {
        // Relaxed: only the owner writes.
        let seq = self.seq.load(Relaxed);
        self.seq.store(seq + 1, Relaxed);
        // Pairs with the fence in `look`: who sees anything that is written below sees that the sequence has moved.
        fence(Release);
        self.id.store(id.to_number(), Relaxed);
        let (location, name) = origin.location_and_name();
        let location = ptr::from_ref(location).cast_mut();
        self.location.store(location, Relaxed);
        match name {
            None => self.name_len.store(0, Relaxed),
            Some(name) => self.copy_name(name),
        }
        // Release: pairs with the Acquire in `look`, which then sees all of the above.
        self.seq.store(seq + 2, Release);
    }

    /// What runs on from here is no task. The owner's call.
    #[inline]
    pub(super) fn end(&self) {
        self.location.store(ptr::null_mut(), Relaxed);
    }

    /// Changes with every poll that begins.
    #[inline]
    pub(super) fn seq(&self) -> u64 {
        // Relaxed: a hint, or compared with an earlier look at it; nothing is published by it alone.
        self.seq.load(Relaxed)
    }

    /// How many polls were begun.
    pub(super) fn polls(&self) -> u64 {
        self.seq().div_ceil(2)
    }

    /// The task that is being polled, with the sequence's number. `None`: none is, or another poll was beginning.
    pub(super) fn look(&self) -> Option<(u64, Polled)> {
        // Acquire: pairs with the Release in `begin`.
        let seq = self.seq.load(Acquire);
        let id = self.id.load(Relaxed);
        let location = self.location.load(Relaxed);
        let name_len = self.name_len.load(Relaxed);
        let name: [u64; NAME_WORDS] = std::array::from_fn(|i| self.name[i].load(Relaxed));
        // Pairs with the fence in `begin`.
        fence(Acquire);
        if seq % 2 == 1 || self.seq.load(Relaxed) != seq {
            return None;
        }
        // SAFETY: it is null, or was made from a reference that is good for ever.
        let location = unsafe { location.as_ref() }?;
        let polled = Polled {
            id: Id::from_number(id),
            name: read_name(name_len as usize, &name),
            location,
        };
        Some((seq, polled))
    }

    #[cold]
    fn copy_name(&self, name: &str) {
        self.name_len.store(name.len() as u64, Relaxed);
        for (word, bytes) in self.name.iter().zip(name.as_bytes().chunks(WORD)) {
            let mut padded = [0; WORD];
            padded[..bytes.len()].copy_from_slice(bytes);
            word.store(u64::from_ne_bytes(padded), Relaxed);
        }
    }
}

fn read_name(len: usize, words: &[u64; NAME_WORDS]) -> Option<String> {
    if len == 0 {
        return None;
    }
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
    let there = &bytes[..len.min(bytes.len())];
    // What was cut off may have been half a character.
    let valid = there.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    let dots = if len > there.len() { "…" } else { "" };
    Some(format!("{valid}{dots}"))
}

const WORD: usize = size_of::<u64>();
#[cfg(not(loom))]
const NAME_WORDS: usize = 8;
/// Fewer, so that the model stays small.
#[cfg(loom)]
const NAME_WORDS: usize = 1;

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;

    #[track_caller]
    fn named(name: Option<&str>) -> Option<String> {
        let running = Running::new();
        running.begin(Id::next(), &Origin::new(name, Location::caller()));
        running.look().unwrap().1.name
    }

    #[test]
    fn names_are_copied_and_long_ones_are_cut_between_characters() {
        assert_eq!(named(None), None);
        assert_eq!(named(Some("a")).unwrap(), "a");
        assert_eq!(named(Some(&"b".repeat(64))).unwrap(), "b".repeat(64));
        assert_eq!(
            named(Some(&"c".repeat(65))).unwrap(),
            format!("{}…", "c".repeat(64))
        );
        let cut = format!("{}ü", "d".repeat(63));
        assert_eq!(named(Some(&cut)).unwrap(), format!("{}…", "d".repeat(63)));
    }

    #[test]
    fn a_poll_is_seen_until_it_ends() {
        let running = Running::new();
        assert!(running.look().is_none());
        let id = Id::next();
        running.begin(id, &Location::caller().into());
        let (seq, polled) = running.look().unwrap();
        assert_eq!((polled.id, running.polls()), (id, 1));
        assert_eq!(polled.location.file(), file!());
        assert_eq!(running.seq(), seq);
        running.end();
        assert!(running.look().is_none());
        assert_eq!(running.polls(), 1);
    }
}

#[cfg(all(test, loom))]
mod loom_tests {
    use loom::sync::Arc;
    use loom::thread;

    use super::Running;
    use crate::task::{Id, Origin};

    /// Who looks at a poll from outside sees one poll, not half of one and half of the next.
    #[test]
    fn loom_a_look_at_what_runs_is_of_one_poll() {
        fn poll(n: u64) -> (Id, Origin, Option<&'static str>) {
            let name = (n == 2).then_some("second");
            let location = std::panic::Location::caller();
            (Id::from_number(n), Origin::new(name, location), name)
        }
        loom::model(|| {
            let running = Arc::new(Running::new());
            let owner = running.clone();
            let polling = thread::spawn(move || {
                for n in 1..=3 {
                    let (id, origin, _) = poll(n);
                    owner.begin(id, &origin);
                }
                owner.end();
            });
            if let Some((seq, seen)) = running.look() {
                let (_, _, name) = poll(seen.id.to_number());
                assert_eq!(seq, 2 * seen.id.to_number(), "half of another poll");
                assert_eq!(seen.name.as_deref(), name, "the name of another poll");
            }
            polling.join().unwrap();
            assert!(running.look().is_none());
        });
    }
}
