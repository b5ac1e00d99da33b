//! An allocator that spawns a task whenever it is asked for a span of tasks' memory, or gets one back. A test runs this: under a lock of the runtime's it
//! would wait for ever.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

use executor::runtime::{Builder, Handle};

struct Spawning;

#[global_allocator]
static ALLOCATOR: Spawning = Spawning;

static RUNTIME: OnceLock<Handle> = OnceLock::new();
static ASKED: AtomicUsize = AtomicUsize::new(0);
static RETURNED: AtomicUsize = AtomicUsize::new(0);
static INSIDE: AtomicBool = AtomicBool::new(false);

// SAFETY: the system's allocator does it; what is spawned beside touches none of that memory.
unsafe impl GlobalAlloc for Spawning {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        spawn_for(&ASKED, layout);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        spawn_for(&RETURNED, layout);
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(memory, layout) }
    }
}

/// If it is about a span. One in another would go on without end.
fn spawn_for(count: &AtomicUsize, layout: Layout) {
    if layout.align() < 1 << 20 || INSIDE.swap(true, SeqCst) {
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

fn main() {
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
    drop(runtime);
    println!("asked: {}", ASKED.load(SeqCst) > 0);
    println!("returned: {}", RETURNED.load(SeqCst) > 0);
}
