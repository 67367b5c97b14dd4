//! What goes between Lua and C, a noun a file.

pub mod address;
pub mod integers;
