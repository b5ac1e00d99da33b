//! An allocator that spawns a task whenever it is asked for a span of tasks' memory, or gets one back. A test runs this: under a lock of the runtime's it
//! would wait for ever. In the end it has all of them back.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use executor::runtime::{Builder, Handle};

struct Spawning;

#[global_allocator]
static ALLOCATOR: Spawning = Spawning;

static RUNTIME: OnceLock<Handle> = OnceLock::new();
static ASKED: AtomicUsize = AtomicUsize::new(0);
static RETURNED: AtomicUsize = AtomicUsize::new(0);
/// Spans that have not come back.
static OUT: AtomicUsize = AtomicUsize::new(0);
static INSIDE: AtomicBool = AtomicBool::new(false);

// SAFETY: the system's allocator does it; what is spawned beside touches none of that memory.
unsafe impl GlobalAlloc for Spawning {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if is_span(layout) {
            OUT.fetch_add(1, SeqCst);
            spawn_for(&ASKED);
        }
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        if is_span(layout) {
            OUT.fetch_sub(1, SeqCst);
            spawn_for(&RETURNED);
        }
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(memory, layout) }
    }
}

fn is_span(layout: Layout) -> bool {
    layout.align() >= 1 << 20
}

/// One in another would go on without end.
fn spawn_for(count: &AtomicUsize) {
    if INSIDE.swap(true, SeqCst) {
        return;
    }
    if let Some(runtime) = RUNTIME.get() {
        // Larger than the others: it needs memory that no thread has yet.
        let large = [0_u64; 40];
        runtime.spawn(async move {
            executor::task::yield_now().await;
            std::hint::black_box(large);
        });
        count.fetch_add(1, SeqCst);
    }
    INSIDE.store(false, SeqCst);
}

fn spawn_many() {
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .unwrap();
    RUNTIME.get_or_init(|| runtime.handle().clone());
    runtime.block_on(async {
        for _ in 0..3 {
            let tasks: Vec<_> = (0..60_000).map(|_| executor::spawn(async {})).collect();
            for task in tasks {
                task.await.unwrap();
            }
        }
    });
}

fn main() {
    // On another thread, which gives back what it has of tasks' memory when it ends.
    thread::spawn(spawn_many).join().unwrap();
    println!("asked: {}", ASKED.load(SeqCst) > 0);
    println!("returned: {}", RETURNED.load(SeqCst) > 0);
    // Nothing is spawned from here on but by that thread: what came at the ends of threads may have left a span.
    while INSIDE.swap(true, SeqCst) {
        thread::yield_now();
    }
    thread::spawn(spawn_many).join().unwrap();
    let is_all_back = || OUT.load(SeqCst) == 0;
    for _ in 0..1000 {
        if is_all_back() {
            break;
        }
        thread::sleep(Duration::from_millis(10));
    }
    println!("all back: {}", is_all_back());
}
