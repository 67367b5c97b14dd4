//! What goes between Lua and C, a noun a file: how an argument is checked and placed, how a
//! value is made of what the kernel has written.

pub mod address;
pub mod arg;
pub mod buffer;
pub mod buffers;
pub mod content;
pub mod cpus;
pub mod descriptor;
pub mod descriptors;
pub mod epoll;
pub mod fd;
pub mod fields;
pub mod futexes;
pub mod group;
pub mod inbox;
pub mod integers;
pub mod iovecs;
pub mod key;
pub mod message;
pub mod napi;
pub mod object;
pub mod open_how;
pub mod optval;
pub mod params;
pub mod path;
pub mod reply;
pub mod siginfo;
pub mod size;
pub mod slot;
pub mod statx;
pub mod time;
pub mod views;
pub mod word;
pub mod words;
pub mod zero_copy;
