//! Blocks come back, on the same thread and from another, and not more of them than there is room for.

use std::thread;

use super::*;

/// A size that no task in this crate's unit tests has: its blocks are these tests' own, one test a size.
fn layout(words: usize) -> Layout {
    Layout::array::<u64>(words).unwrap()
}

fn allocate_many(count: usize, layout: Layout) -> Vec<usize> {
    let allocated = (0..count).map(|_| allocate(layout));
    allocated
        .map(|block| block.as_ptr().expose_provenance())
        .collect()
}

fn free_all(blocks: &[usize], layout: Layout) {
    for block in blocks {
        let block = NonNull::new(std::ptr::with_exposed_provenance_mut::<u8>(*block)).unwrap();
        // SAFETY: it came from `allocate`, with this layout.
        unsafe { free(block, layout) };
    }
}

#[test]
fn a_block_comes_back_where_a_task_of_its_size_ended() {
    let _keeper = Keeper::start();
    let block = allocate_many(1, layout(48));
    free_all(&block, layout(48));
    let larger = allocate_many(1, layout(52));
    assert_ne!(larger, block);
    let again = allocate_many(1, layout(49));
    assert_eq!(again, block, "both round up to the same size");
    free_all(&again, layout(49));
    free_all(&larger, layout(52));
}

#[test]
fn blocks_that_ended_on_another_thread_come_back_a_bundle_at_a_time() {
    let layout = layout(56);
    let class = Class::of(layout).unwrap();
    // So that this thread has none left beside these.
    let many = ((FULL + 2) * class.bundle()).next_multiple_of(depot::new_blocks(class));
    let blocks = allocate_many(many, layout);
    let freed = blocks.clone();
    // Its thread lives on: at its end it gives what it holds to the allocator.
    let (stay, stays) = std::sync::mpsc::channel::<()>();
    let (done, is_done) = std::sync::mpsc::channel();
    let other = thread::spawn(move || {
        let _keeper = Keeper::start();
        free_all(&freed, layout);
        done.send(()).unwrap();
        let _ = stays.recv();
    });
    is_done.recv().unwrap();
    // The other thread has kept a bundle at hand and `FULL` beside it.
    let again = allocate_many(class.bundle(), layout);
    assert!(again.iter().all(|block| blocks.contains(block)));
    drop(stay);
    other.join().unwrap();
    free_all(&again, layout);
}

#[test]
fn no_more_is_kept_than_there_is_room_for_and_nothing_after_the_last_keeper() {
    let layout = layout(60);
    let class = Class::of(layout).unwrap();
    let many = (FULL + 3) * class.bundle();
    let held = || KEPT.with(|kept| held(kept.of(class)));
    let keeper = Keeper::start();
    drop(Keeper::start());
    for _ in 0..2 {
        let blocks = allocate_many(many, layout);
        // Of the page that came last.
        let left = held();
        free_all(&blocks, layout);
        // Beside the full bundles what is at hand: whole bundles have gone to the depot.
        let at_hand = (many + left - 1) % class.bundle() + 1;
        assert_eq!(held(), FULL * class.bundle() + at_hand);
    }
    drop(keeper);
    assert_eq!(held(), 0);
    let blocks = allocate_many(many, layout);
    let left = held();
    free_all(&blocks, layout);
    // What came last was a page, so that is what goes at a time.
    let at_hand = (many + left - 1) % depot::new_blocks(class) + 1;
    assert_eq!(held(), at_hand);
}

#[test]
fn what_a_thread_has_taken_before_it_keeps_becomes_a_bundle() {
    let layout = layout(50);
    let class = Class::of(layout).unwrap();
    thread::spawn(move || {
        // Of the last page one is in use, the others are at hand.
        let many = (2 * class.bundle()).next_multiple_of(depot::new_blocks(class)) + 1;
        let blocks = allocate_many(many, layout);
        let _keeper = Keeper::start();
        free_all(&blocks, layout);
        KEPT.with(|kept| {
            let full = kept.full.get() * class.bundle();
            let beside = kept.of(class).at_hand();
            assert_eq!(held(kept.of(class)), full + beside);
        });
    })
    .join()
    .unwrap();
}

fn held(blocks: &Blocks) -> usize {
    let chain = |first: Option<NonNull<Block>>| {
        // SAFETY: the blocks of a chain are this thread's.
        std::iter::successors(first, |block| unsafe { block.as_ref() }.before).count()
    };
    let mut count = chain(blocks.latest.get());
    let (mut full, mut again) = (blocks.full.take(), Bundles::new());
    while let Some(bundle) = full.pop() {
        let first = bundle.into_chain();
        count += chain(Some(first));
        // SAFETY: it was one.
        again.push(unsafe { Bundle::of(first) });
    }
    blocks.full.set(again);
    count
}

#[test]
fn spans_go_back_to_the_allocator_once_all_their_blocks_are_there() {
    let class = Class::of(layout(60)).unwrap();
    let mut spans = spans::Spans::new();
    let mut take = || {
        if let Some(block) = spans.take() {
            return block;
        }
        spans.add(spans::NewSpan::allocate(class, spans.want_huge()));
        spans.take().expect("a new span has blocks")
    };
    let mut blocks: Vec<_> = (0..20_000).map(|_| take()).collect();
    assert!(spans.count() > 3);
    for block in &blocks {
        // SAFETY: it is ours, and has the size of its class.
        unsafe { block.cast::<u8>().write_bytes(0xA5, class.size()) };
    }
    let last = blocks.swap_remove(12_345);
    let mut put = |block| {
        // SAFETY: it came from there, and nobody uses it again.
        unsafe { spans.put(block, &mut spans::Whole::default()) };
        spans.count()
    };
    blocks.sort_by_key(|block| block.addr().get() % 1009);
    let left = blocks.into_iter().map(&mut put).last();
    assert!(
        left.is_some_and(|left| left <= 2),
        "one has a block in use, one stays"
    );
    assert_eq!(put(last), 1);
    spans.clean(&mut spans::Whole::default());
    assert_eq!(spans.count(), 0);
}

#[test]
fn blocks_of_a_span_lie_inside_of_it_side_by_side() {
    const SPAN: usize = 2 << 20;
    for class in Class::all().step_by(6) {
        let mut spans = spans::Spans::new();
        spans.add(spans::NewSpan::allocate(class, false));
        let blocks: Vec<_> = std::iter::from_fn(|| spans.take()).collect();
        assert!(blocks.len() * (class.size() + 8) > SPAN - 1024);
        let span = blocks[0].addr().get() / SPAN;
        for (number, block) in blocks.iter().enumerate() {
            let (start, end) = (block.addr().get(), block.addr().get() + class.size());
            assert!(start.is_multiple_of(8) && start / SPAN == span && (end - 1) / SPAN == span);
            // SAFETY: it is ours, and has the size of its class.
            unsafe { block.cast::<u8>().write_bytes(number as u8, class.size()) };
        }
        for (number, block) in blocks.into_iter().enumerate() {
            // SAFETY: as above; it is written.
            let bytes =
                unsafe { std::slice::from_raw_parts(block.as_ptr().cast::<u8>(), class.size()) };
            assert!(bytes.iter().all(|byte| *byte == number as u8));
            // SAFETY: it came from there, and nobody uses it again.
            unsafe { spans.put(block, &mut spans::Whole::default()) };
        }
        spans.clean(&mut spans::Whole::default());
        assert_eq!(spans.count(), 0);
    }
}

#[test]
fn what_a_thread_has_left_comes_back_when_it_ends() {
    for (words, keeps) in [(54, false), (58, true)] {
        let layout = layout(words);
        // All that came with the first, so that the next come from the depot again.
        let page = depot::new_blocks(Class::of(layout).unwrap());
        let first = allocate_many(page, layout);
        let left = thread::spawn(move || {
            let _keeper = keeps.then(Keeper::start);
            let blocks = allocate_many(1, layout);
            free_all(&blocks, layout);
            blocks[0]
        });
        let left = left.join().unwrap();
        let next = allocate_many(page, layout);
        assert!(next.contains(&left));
        free_all(&first, layout);
        free_all(&next, layout);
    }
}

#[test]
fn what_is_tiny_or_large_or_widely_aligned_has_no_class() {
    #[repr(align(64))]
    struct Wide(#[expect(dead_code, reason = "the alignment is what counts")] [u8; 64]);
    assert!(Class::of(Layout::new::<Wide>()).is_none());
    assert!(Class::of(layout(1)).is_none() && Class::of(layout(64)).is_none());
    for words in 2..64 {
        let size = Class::of(layout(words)).unwrap().size();
        assert!(size >= 8 * words && size <= 8 * words + 8);
    }
}
