//! liburing and the C library, as bindgen found them on the system that built this.

#![allow(non_camel_case_types, non_upper_case_globals, non_snake_case)]
#![allow(dead_code, unsafe_op_in_unsafe_fn, missing_docs, clippy::all, clippy::undocumented_unsafe_blocks)]

include!(concat!(env!("OUT_DIR"), "/bindings.rs"));

/// liburing's `io_uring_prep_NAME`, as `NAME`: those that it has.
#[allow(unused_imports)]
pub mod prep {
    include!(concat!(env!("OUT_DIR"), "/prep.rs"));
}

/// Flags that are zero where this liburing is older than they are.
pub mod flag {
    include!(concat!(env!("OUT_DIR"), "/flags.rs"));
}
