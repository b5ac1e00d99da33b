//! The shortest way through everything: spawn, queue, worker, poll, wake.
use executor::runtime::Builder;
use std::time::Duration;

#[test]
fn smoke_multi() {
    let rt = Builder::new_multi_thread().worker_threads(2).build().unwrap();
    assert_eq!(rt.block_on(async { executor::spawn(async { 1 + executor::spawn(async { 41 }).await.unwrap() }).await.unwrap() }), 42);
    let n = rt.block_on(async { let mut v = vec![]; for i in 0..10000u64 { v.push(executor::spawn(async move { executor::task::yield_now().await; i })); } let mut s = 0; for h in v { s += h.await.unwrap(); } s });
    assert_eq!(n, 49995000);
    rt.block_on(async { executor::spawn(async { let t = std::time::Instant::now(); executor::time::sleep(Duration::from_micros(500)).await; println!("{:?}", t.elapsed()); }).await.unwrap() });
    let t = std::time::Instant::now(); rt.block_on(executor::time::sleep(Duration::from_micros(500))); println!("{:?}", t.elapsed());
    drop(rt);
}

#[test]
fn smoke_current() {
    let rt = Builder::new_current_thread().start_paused(true).build().unwrap();
    let t = std::time::Instant::now();
    rt.block_on(async { let a = executor::time::Instant::now(); let h = executor::spawn(executor::time::sleep(Duration::from_secs(7200))); executor::time::sleep(Duration::from_secs(3600)).await; assert_eq!(a.elapsed(), Duration::from_secs(3600)); h.await.unwrap(); assert_eq!(a.elapsed(), Duration::from_secs(7200)); });
    assert!(t.elapsed() < Duration::from_secs(5));
    assert!(rt.block_on(executor::spawn(async { panic!("x") })).is_err());
}
