//! The builder against its own settings: in whatever order they are made, they are the same, and so is what is refused.

use proptest::prelude::*;

use super::*;
use crate::driver::MostEvents;
use crate::scheduler::StallConfig;

/// A call of the builder, with the value it is given: some are refused by `build`.
#[derive(Clone, Debug)]
enum Setting {
    EnableAll,
    EnableIo,
    EnableTime,
    WorkerThreads(usize),
    MaxSpareWorkers(usize),
    StallThreshold(Duration),
    OnStall,
    #[cfg(feature = "backtrace")]
    StallBacktraces(bool),
    OnUnobservedFailure,
    Debug(bool),
    CancelOnCtrlC(bool),
    SlowPollThreshold(Duration),
    OnDebug,
    UnhandledPanic(super::UnhandledPanic),
    MaxBlockingThreads(usize),
    ThreadKeepAlive(Duration),
    ThreadName(&'static str),
    ThreadStackSize(usize),
    OnThreadStart,
    OnThreadStop,
    OnThreadPark,
    OnThreadUnpark,
    EventInterval(u32),
    GlobalQueueInterval(u32),
    MaxIoEventsPerTick(usize),
    MaxIoEventsPerBusyTick(usize),
    Name(&'static str),
    #[cfg(feature = "test-util")]
    StartPaused(bool),
}

use Setting::*;

/// Each setting once, with some value. `thread_name_fn` is what `thread_name` is made of.
fn settings() -> impl Strategy<Value = Vec<Setting>> {
    fn number() -> impl Strategy<Value = usize> {
        prop_oneof![1 => Just(0), 20 => 1..5_usize, 1 => Just(1025), 1 => Just(usize::MAX)]
    }
    fn polls() -> impl Strategy<Value = u32> {
        prop_oneof![1 => Just(0), 20 => 1..100_u32, 1 => Just(u32::MAX)]
    }
    fn time() -> impl Strategy<Value = Duration> {
        prop_oneof![
            (0..100_u64).prop_map(Duration::from_secs),
            Just(Duration::MAX)
        ]
    }
    fn name() -> impl Strategy<Value = &'static str> {
        prop_oneof![1 => Just(""), 10 => Just("a"), 10 => Just("a name"), 1 => Just("nul\0")]
    }
    vec![
        Just(EnableAll).boxed(),
        Just(EnableIo).boxed(),
        Just(EnableTime).boxed(),
        number().prop_map(WorkerThreads).boxed(),
        number().prop_map(MaxSpareWorkers).boxed(),
        time().prop_map(StallThreshold).boxed(),
        Just(OnStall).boxed(),
        #[cfg(feature = "backtrace")]
        any::<bool>().prop_map(StallBacktraces).boxed(),
        Just(OnUnobservedFailure).boxed(),
        any::<bool>().prop_map(Debug).boxed(),
        any::<bool>().prop_map(CancelOnCtrlC).boxed(),
        time().prop_map(SlowPollThreshold).boxed(),
        Just(OnDebug).boxed(),
        prop_oneof![
            Just(super::UnhandledPanic::Ignore),
            Just(super::UnhandledPanic::ShutdownRuntime)
        ]
        .prop_map(UnhandledPanic)
        .boxed(),
        number().prop_map(MaxBlockingThreads).boxed(),
        time().prop_map(ThreadKeepAlive).boxed(),
        name().prop_map(ThreadName).boxed(),
        (0..3_usize)
            .prop_map(|megabytes| ThreadStackSize(megabytes << 20))
            .boxed(),
        Just(OnThreadStart).boxed(),
        Just(OnThreadStop).boxed(),
        Just(OnThreadPark).boxed(),
        Just(OnThreadUnpark).boxed(),
        polls().prop_map(EventInterval).boxed(),
        polls().prop_map(GlobalQueueInterval).boxed(),
        number().prop_map(MaxIoEventsPerTick).boxed(),
        number().prop_map(MaxIoEventsPerBusyTick).boxed(),
        name().prop_map(Name).boxed(),
        #[cfg(feature = "test-util")]
        any::<bool>().prop_map(StartPaused).boxed(),
    ]
}

/// Some of the settings, twice.
fn in_two_orders() -> impl Strategy<Value = (Vec<Setting>, Vec<Setting>)> {
    settings()
        .prop_flat_map(|all| {
            let most = all.len();
            prop::sample::subsequence(all, 0..=most)
        })
        .prop_flat_map(|some| (Just(some.clone()).prop_shuffle(), Just(some).prop_shuffle()))
}

impl Setting {
    fn make(&self, builder: &mut Builder) {
        match *self {
            EnableAll => builder.enable_all(),
            EnableIo => builder.enable_io(),
            EnableTime => builder.enable_time(),
            WorkerThreads(workers) => builder.worker_threads(workers),
            MaxSpareWorkers(workers) => builder.max_spare_workers(workers),
            StallThreshold(time) => builder.stall_threshold(time),
            OnStall => builder.on_stall(|_| {}),
            #[cfg(feature = "backtrace")]
            StallBacktraces(backtraces) => builder.stall_backtraces(backtraces),
            OnUnobservedFailure => builder.on_unobserved_failure(|_| {}),
            Debug(debug) => builder.debug(debug),
            CancelOnCtrlC(cancel) => builder.cancel_on_ctrl_c(cancel),
            SlowPollThreshold(time) => builder.slow_poll_threshold(time),
            OnDebug => builder.on_debug(|_| {}),
            UnhandledPanic(behavior) => builder.unhandled_panic(behavior),
            MaxBlockingThreads(threads) => builder.max_blocking_threads(threads),
            ThreadKeepAlive(time) => builder.thread_keep_alive(time),
            ThreadName(name) => builder.thread_name(name),
            ThreadStackSize(bytes) => builder.thread_stack_size(bytes),
            OnThreadStart => builder.on_thread_start(|| {}),
            OnThreadStop => builder.on_thread_stop(|| {}),
            OnThreadPark => builder.on_thread_park(|| {}),
            OnThreadUnpark => builder.on_thread_unpark(|| {}),
            EventInterval(polls) => builder.event_interval(polls),
            GlobalQueueInterval(polls) => builder.global_queue_interval(polls),
            MaxIoEventsPerTick(events) => builder.max_io_events_per_tick(events),
            MaxIoEventsPerBusyTick(events) => builder.max_io_events_per_busy_tick(events),
            Name(name) => builder.name(name),
            #[cfg(feature = "test-util")]
            StartPaused(paused) => builder.start_paused(paused),
        };
    }
}

/// All that the builder has kept, as a text. A new field has to be written here to compile, and belongs to a new [`Setting`].
fn kept(builder: &Builder) -> String {
    let Builder {
        options,
        workers,
        event_interval,
        global_queue_interval,
    } = builder;
    let Options {
        workers: default_workers,
        current_thread,
        local,
        start_paused,
        most_polls,
        most_events,
        name,
        thread_name,
        stack_size,
        on_start,
        on_stop,
        on_park,
        on_unpark,
        spare_workers,
        stalls,
        blocking_threads,
        keep_alive,
        observer: _,
        panics_end,
        cancel_on_ctrl_c,
        debug,
    } = options;
    let MostEvents {
        of_a_turn,
        of_a_look,
    } = most_events;
    // Functions are told apart by whether there is one. There is always one for stalls, and for failures.
    let StallConfig {
        threshold,
        hook: _,
        backtraces,
    } = stalls;
    let numbers = (default_workers, most_polls, of_a_turn, of_a_look);
    let flags = (
        (current_thread, local, start_paused),
        (backtraces, panics_end, cancel_on_ctrl_c),
    );
    let debug = (debug.is_on, debug.slow, debug.hook.is_some());
    let names = (name, thread_name());
    let hooks = [on_start, on_stop, on_park, on_unpark].map(Option::is_some);
    let limits = (stack_size, spare_workers, blocking_threads);
    let times = (keep_alive, threshold);
    let own = (workers, event_interval, global_queue_interval);
    format!("{own:?} {numbers:?} {flags:?} {names:?} {hooks:?} {limits:?} {times:?} {debug:?}")
}

/// What `build` says: nothing, or why not.
fn built(builder: &mut Builder) -> Result<(), String> {
    builder.build().map(drop).map_err(|error| error.to_string())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn settings_in_any_order_are_the_same_builder_and_the_same_refusal(
        current_thread in any::<bool>(),
        (one, other) in in_two_orders(),
    ) {
        let [mut one, mut other] = [one, other].map(|settings| {
            let mut builder = match current_thread {
                true => Builder::new_current_thread(),
                false => Builder::new_multi_thread(),
            };
            settings.iter().for_each(|setting| setting.make(&mut builder));
            builder
        });
        prop_assert_eq!(kept(&one), kept(&other));
        prop_assert_eq!(built(&mut one), built(&mut other));
    }
}
