//! liburing and the C library, as bindgen found them on the system that built this.

#![allow(non_camel_case_types, non_upper_case_globals, non_snake_case)]
#![allow(dead_code, unsafe_op_in_unsafe_fn, missing_docs, clippy::all, clippy::undocumented_unsafe_blocks)]

include!(concat!(env!("OUT_DIR"), "/bindings.rs"));
