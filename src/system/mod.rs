//! What is synchronous.

pub mod constants;
pub mod errno;
mod files;
mod folders;
pub mod refusal;
pub mod sigpipe;
mod sockets;

use crate::calls::Table;

/// The functions of all files here.
pub const FUNCTIONS: [Table; 4] = [
    errno::FUNCTIONS,
    files::FUNCTIONS,
    folders::FUNCTIONS,
    sockets::FUNCTIONS,
];
