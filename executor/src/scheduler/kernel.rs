//! What the system says of a thread: how much processor time it has had, and whether it runs, waits for a processor, or sleeps.
//!
//! On Linux this is the thread's CPU clock, which is one system call, and a file below `/proc/self/task`, which is three. Where there is
//! neither, nothing is known.

use std::time::Duration;

/// The system's number of a thread.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tid(pub(super) u32);

impl Tid {
    /// Nobody's.
    pub(super) const NONE: Self = Self(u32::MAX);

    /// The calling thread's.
    pub(super) fn current() -> Self {
        Self(sys::gettid())
    }

    /// How much processor time the thread has had. `None`: there is no such thread any more, or the system does not tell.
    pub(super) fn cpu_time(self) -> Option<Duration> {
        sys::cpu_time(self.0)
    }

    /// True: it has a processor, or waits for one. False: it sleeps in the system.
    pub(super) fn is_runnable(self) -> Option<bool> {
        // The command in brackets may contain anything; the state is the letter behind it.
        let stat = sys::read(self.0, "stat")?;
        let state = stat.rsplit(") ").next()?.chars().next()?;
        Some(state == 'R')
    }

    /// The function of the kernel in which the thread sleeps, if the system tells.
    pub(super) fn sleeps_in(self) -> Option<String> {
        let symbol = sys::read(self.0, "wchan")?;
        (!symbol.is_empty() && symbol != "0").then_some(symbol)
    }
}

#[cfg(all(target_os = "linux", not(any(executor_fallbacks, shuttle))))]
mod sys {
    use std::fs::File;
    use std::io::Read;
    use std::mem::MaybeUninit;
    use std::time::Duration;

    pub(super) fn gettid() -> u32 {
        // SAFETY: a system call without arguments.
        unsafe { libc::gettid() as u32 }
    }

    pub(super) fn cpu_time(tid: u32) -> Option<Duration> {
        // As the system lays such a number out: the complement of the thread's number, then "of a thread" and "as scheduled".
        let clock = (!(tid as libc::clockid_t) << 3) | 6;
        let mut time = MaybeUninit::<libc::timespec>::uninit();
        // SAFETY: the pointer is to a timespec. A number that is no clock, as that of a thread that has ended, is an error.
        if unsafe { libc::clock_gettime(clock, time.as_mut_ptr()) } != 0 {
            return None;
        }
        // SAFETY: the call has succeeded, so it has written.
        let time = unsafe { time.assume_init() };
        Some(Duration::new(
            time.tv_sec.try_into().ok()?,
            time.tv_nsec.try_into().ok()?,
        ))
    }

    pub(super) fn read(tid: u32, file: &str) -> Option<String> {
        // One call: such a file is short, and comes whole. To read it to its end takes six.
        let mut text = [0; 1024];
        let mut file = File::open(format!("/proc/self/task/{tid}/{file}")).ok()?;
        let length = file.read(&mut text).ok()?;
        Some(String::from_utf8_lossy(&text[..length]).into_owned())
    }
}

/// In a simulation a thread that has not got on since the last look may always be stuck.
#[cfg(shuttle)]
mod sys {
    use std::time::Duration;

    pub(super) fn gettid() -> u32 {
        1 + crate::rt_sync::whole::thread_number() as u32
    }

    pub(super) fn cpu_time(_: u32) -> Option<Duration> {
        None
    }

    pub(super) fn read(_: u32, _: &str) -> Option<String> {
        None
    }
}

#[cfg(not(any(all(target_os = "linux", not(executor_fallbacks)), shuttle)))]
mod sys {
    use std::time::Duration;

    pub(super) fn gettid() -> u32 {
        0
    }

    pub(super) fn cpu_time(_: u32) -> Option<Duration> {
        None
    }

    pub(super) fn read(_: u32, _: &str) -> Option<String> {
        None
    }
}

#[cfg(all(
    test,
    not(any(loom, shuttle)),
    target_os = "linux",
    not(executor_fallbacks)
))]
mod tests {
    use std::sync::mpsc;
    use std::thread;
    use std::time::Instant;

    use super::*;

    #[test]
    fn a_thread_that_sleeps_gets_no_processor_time_and_one_that_computes_does() {
        let (send, tid) = mpsc::channel();
        let (end, wait) = mpsc::channel::<()>();
        let sleeper = thread::spawn(move || {
            send.send(Tid::current()).unwrap();
            let _ = wait.recv();
        });
        let sleeper_tid = tid.recv().unwrap();
        while sleeper_tid.is_runnable() != Some(false) {
            thread::yield_now();
        }
        let (me, since) = (Tid::current(), Instant::now());
        let before = (me.cpu_time().unwrap(), sleeper_tid.cpu_time().unwrap());
        while me.cpu_time().unwrap() < before.0 + Duration::from_millis(20) {
            assert!(since.elapsed() < Duration::from_secs(30));
        }
        assert!(sleeper_tid.cpu_time().unwrap() < before.1 + Duration::from_millis(10));
        assert_eq!(me.is_runnable(), Some(true));
        drop(end);
        sleeper.join().unwrap();
        while sleeper_tid.cpu_time().is_some() {
            thread::yield_now();
        }
    }
}
