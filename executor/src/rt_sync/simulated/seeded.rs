//! Which thread runs next: chosen by a seed, which can be given again.
//!
//! Two ways to choose, each for half of the seeds. *Random*: any thread, at every step. *PCT*: the thread of the highest priority; the
//! priorities are random, and twice, at random steps, that of the running thread falls below all others (depth 3). Random schedules
//! switch all the time; PCT finds what needs one thread to stand still for long.
//!
//! The clock's thread runs when no other can, and now and then before.

use std::cell::Cell;
use std::env;
use std::fmt::Display;
use std::panic;
use std::str::FromStr;
use std::sync::Once;
use std::time::Instant;

use shuttle::scheduler::{Schedule, Scheduler, Task, TaskId};
use shuttle::{Config, FailurePersistence, MaxSteps, Runner};

use super::world;

/// Runs `main` in simulations, one for each seed:
///
/// - `EXECUTOR_SHUTTLE_SEED`: this one only. What a failure prints.
/// - `EXECUTOR_SHUTTLE_FIRST`, `EXECUTOR_SHUTTLE_ITERATIONS`: where to begin, and how many.
pub(crate) fn check(main: impl Fn() + Send + Sync + 'static) {
    let one = variable("EXECUTOR_SHUTTLE_SEED");
    let first = one.or_else(|| variable("EXECUTOR_SHUTTLE_FIRST"));
    let iterations = match one {
        Some(_) => 1,
        None => variable("EXECUTOR_SHUTTLE_ITERATIONS").unwrap_or(200),
    };
    print_seed_on_panic();
    let mut config = Config::new();
    config.stack_size = STACK;
    config.max_steps = MaxSteps::FailAfter(MOST_STEPS);
    // The seed says it all, in one number.
    config.failure_persistence = FailurePersistence::None;
    config.silence_warnings = true;
    let begin = Instant::now();
    let first = first.unwrap_or(0);
    let scheduler = Seeded::new(first, iterations);
    Runner::new(scheduler, config).run(move || world::run(&main));
    let name = std::thread::current().name().unwrap_or_default().to_owned();
    println!(
        "{name}: {iterations} executions from seed {first} on, {} steps each, in {:.1?}",
        STEPS.take() / iterations.max(1),
        begin.elapsed()
    );
}

fn variable<T: FromStr<Err: Display>>(name: &str) -> Option<T> {
    let text = env::var(name).ok()?;
    match text.parse() {
        Ok(value) => Some(value),
        Err(error) => panic!("{name}={text}: {error}"),
    }
}

/// By a hook, because a broken runtime aborts.
fn print_seed_on_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let outer = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if let Some(seed) = SEED.get() {
                eprintln!("repeat this with EXECUTOR_SHUTTLE_SEED={seed}");
            }
            outer(info);
        }));
    });
}

std::thread_local! {
    /// Of the execution that this thread is in.
    static SEED: Cell<Option<u64>> = const { Cell::new(None) };
    /// Of all executions of the test that this thread runs.
    static STEPS: Cell<u64> = const { Cell::new(0) };
}

struct Seeded {
    next_seed: u64,
    left: u64,
    /// For the schedule.
    choices: Numbers,
    /// For what the program asks.
    answers: Numbers,
    /// `None`: random.
    priorities: Option<Priorities>,
    /// How many there were at which several threads could run.
    steps: u64,
    /// Room for those that can run.
    ready: Vec<TaskId>,
}

/// PCT's.
#[derive(Default)]
struct Priorities {
    /// By the thread's number.
    of_threads: Vec<u64>,
    /// The priority of who falls next, below all before.
    lowest: u64,
    /// At these steps the running thread falls.
    falls: [u64; 2],
}

impl Seeded {
    fn new(first: u64, iterations: u64) -> Self {
        Self {
            next_seed: first,
            left: iterations,
            choices: Numbers(0),
            answers: Numbers(0),
            priorities: None,
            steps: 0,
            ready: Vec::new(),
        }
    }
}

impl Scheduler for Seeded {
    fn new_execution(&mut self) -> Option<Schedule> {
        if self.left == 0 {
            SEED.set(None);
            return None;
        }
        let seed = self.next_seed;
        SEED.set(Some(seed));
        self.left -= 1;
        self.next_seed = seed.wrapping_add(1);
        let mut numbers = Numbers(seed);
        self.choices = Numbers(numbers.next());
        self.answers = Numbers(numbers.next());
        let is_random = numbers.next() % 2 == 0;
        self.steps = 0;
        self.priorities = (!is_random).then(|| Priorities::new(&mut self.choices));
        Some(Schedule::new(seed))
    }

    fn next_task(
        &mut self,
        threads: &[&Task],
        current: Option<TaskId>,
        is_yielding: bool,
    ) -> Option<TaskId> {
        STEPS.set(STEPS.get() + 1);
        self.ready.clear();
        // shuttle offers those, too, that are parked: they would look, and park again.
        let ready = threads.iter().filter(|thread| thread.runnable());
        self.ready.extend(ready.map(|thread| thread.id()));
        let clock = TaskId::from(CLOCK);
        if let Some(at) = self.ready.iter().position(|&thread| thread == clock)
            && self.ready.len() > 1
        {
            if world::alarm_is_near() && self.choices.next() % EARLY_CLOCK == 0 {
                return Some(clock);
            }
            self.ready.remove(at);
        }
        if self.ready.len() == 1 {
            return self.ready.pop();
        }
        self.steps += 1;
        match &mut self.priorities {
            Some(priorities) if self.steps < MOST_PCT_STEPS => {
                let falls = is_yielding || priorities.falls.contains(&self.steps);
                priorities.choose(&self.ready, current.filter(|_| falls), &mut self.choices)
            }
            _ => {
                let chosen = self.choices.next() as usize % self.ready.len();
                Some(self.ready[chosen])
            }
        }
    }

    fn next_u64(&mut self) -> u64 {
        self.answers.next()
    }
}

impl Priorities {
    fn new(choices: &mut Numbers) -> Self {
        // How long executions are differs by orders of magnitude.
        let mut fall = || choices.next() % (1 << (5 + choices.next() % 8));
        Self {
            falls: [fall(), fall()],
            lowest: u64::from(u32::MAX),
            ..Self::default()
        }
    }

    fn choose(
        &mut self,
        ready: &[TaskId],
        falls: Option<TaskId>,
        choices: &mut Numbers,
    ) -> Option<TaskId> {
        let newest = ready.iter().copied().map(usize::from).max()?;
        while self.of_threads.len() <= newest {
            // Above all that have fallen.
            self.of_threads.push(choices.next() | 1 << 63);
        }
        if let Some(thread) = falls
            && let Some(priority) = self.of_threads.get_mut(usize::from(thread))
        {
            self.lowest -= 1;
            *priority = self.lowest;
        }
        let priority = |thread: &&TaskId| self.of_threads[usize::from(**thread)];
        ready.iter().max_by_key(priority).copied()
    }
}

/// SplitMix64.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

/// The number of the clock's thread, which is the first that is started after the main one.
const CLOCK: usize = 1;

/// One in so many times the clock runs though others could.
const EARLY_CLOCK: u64 = 256;

/// Tasks that talk to each other for ever would keep a thread of low priority from ending them: from here on all are equal.
const MOST_PCT_STEPS: u64 = 10_000;

const STACK: usize = 1 << 18;

/// What takes longer turns in circles.
const MOST_STEPS: usize = 200_000;
