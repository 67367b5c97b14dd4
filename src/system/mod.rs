//! What is synchronous.

pub mod constants;
pub mod files;
pub mod refusal;
pub mod sigpipe;
pub mod sockets;
