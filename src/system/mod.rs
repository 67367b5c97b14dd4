//! What is synchronous.

pub mod constants;
pub mod files;
pub mod refusal;
pub mod sockets;
