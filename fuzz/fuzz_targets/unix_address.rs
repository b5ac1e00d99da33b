//! What a path says about a Unix socket: an abstract name, a path, or an error; and it stays the same on the way through the system's form.
#![no_main]

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use libfuzzer_sys::fuzz_target;

// The library's own file, which keeps these functions to its module.
#[allow(dead_code)]
#[path = "../../executor/src/net/unix/addr.rs"]
mod addr;

fuzz_target!(|bytes: &[u8]| {
    let Ok(address) = addr::SocketAddr::of(Path::new(OsStr::from_bytes(bytes))) else {
        // 108 bytes are what the system has room for, with the zero at the end of a path.
        assert!(bytes.len() > 107 || bytes.iter().skip(1).any(|byte| *byte == 0) || bytes == [0]);
        return;
    };
    match bytes {
        [0, name @ ..] => assert_eq!(address.as_abstract_name(), Some(name)),
        [] => assert!(address.is_unnamed()),
        path => assert_eq!(address.as_pathname().unwrap().as_os_str().as_bytes(), path),
    }
    assert!(!format!("{} {address:?}", addr::Shown(&address)).contains('\0'));
    let again = addr::SocketAddr::of_socket2(&address.to_socket2().unwrap()).unwrap();
    assert_eq!(again.as_abstract_name(), address.as_abstract_name());
    assert_eq!(again.as_pathname(), address.as_pathname());
});
