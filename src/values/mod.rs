//! What goes between Lua and C, a noun a file: how an argument is checked and placed, how a
//! value is made of what the kernel has written.

pub mod address;
pub mod arg;
pub mod content;
pub mod fd;
pub mod descriptor;
pub mod fields;
pub mod integers;
pub mod path;
pub mod reply;
pub mod size;
pub mod time;
