//! `Event`: a flag that tasks wait for.

use super::block::block;
use super::monitor::{Monitor, State};
use super::wait_list::{Called, WaitList};

/// A flag that tasks wait for: as long as it is set, nobody waits.
///
/// [`Notify`](super::Notify) is for "look again", once, and keeps one call at most. An event is a state: [`set`](Self::set) lets all go on who
/// wait, and all who come later, until somebody [`clear`](Self::clear)s it. For one that is never cleared,
/// [`SetOnce`](super::SetOnce) carries a value, too.
///
/// ```
/// # executor::runtime::Runtime::new().unwrap().block_on(async {
/// use executor::sync::Event;
/// use std::sync::Arc;
///
/// let ready = Arc::new(Event::new());
/// let waiting = executor::spawn({
///     let ready = ready.clone();
///     async move { ready.wait().await }
/// });
/// ready.set();
/// waiting.await.unwrap();
/// assert!(ready.is_set());
/// # });
/// ```
#[derive(Debug, Default)]
pub struct Event(Monitor<Flag>);

#[derive(Debug, Default)]
struct Flag {
    is_set: bool,
    waiters: WaitList,
}

impl State for Flag {
    type Outcome = ();

    fn settle(&mut self, called: &mut Called) {
        if self.is_set {
            self.waiters.call_all(|_| (), called);
        }
    }
}

impl Event {
    /// An event that is not set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the flag. All who wait go on, also if it is cleared right afterwards.
    pub fn set(&self) {
        self.0.change(|flag, _| flag.is_set = true);
    }

    /// Clears the flag: who comes from now on waits.
    pub fn clear(&self) {
        self.0.change(|flag, _| flag.is_set = false);
    }

    /// Whether it is set.
    pub fn is_set(&self) -> bool {
        self.0.look(|flag| flag.is_set)
    }

    /// How many wait now.
    #[doc(alias = "statistics")]
    pub fn waiting(&self) -> usize {
        self.0.look(|flag| flag.waiters.waiting())
    }

    /// Waits until it is set, and returns at once if it is.
    ///
    /// Nothing says that it is still set when this returns. In a program where somebody clears it, look again.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: it does nothing but wait.
    pub async fn wait(&self) {
        let attempt =
            |flag: &mut Flag, told: Option<()>, _: &mut Called| told.or(flag.is_set.then_some(()));
        self.0.wait(|flag| &mut flag.waiters, attempt).await;
    }

    /// As [`wait`](Self::wait), for plain threads and closures of [`spawn_blocking`](crate::task::spawn_blocking).
    ///
    /// # Panics
    ///
    /// As [`Handle::block_on`](crate::runtime::Handle::block_on), which it is inside of a runtime.
    #[track_caller]
    pub fn blocking_wait(&self) {
        block(self.wait());
    }
}
