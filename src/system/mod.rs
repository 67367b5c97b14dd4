//! What is synchronous.

pub mod constants;
pub mod errno;
mod files;
pub mod refusal;
pub mod sigpipe;
mod sockets;

use crate::calls::Table;

/// The functions of all files here.
pub const FUNCTIONS: [Table; 3] = [
    errno::FUNCTIONS,
    files::FUNCTIONS,
    sockets::FUNCTIONS,
];
