//! What is synchronous.

pub mod constants;
pub mod errno;
mod files;
mod folders;
pub mod refusal;
mod signals;
pub mod sigpipe;
mod sockets;
mod waiting;

use crate::calls::Table;

/// The functions of all files here.
pub const FUNCTIONS: [Table; 6] = [
    errno::FUNCTIONS,
    files::FUNCTIONS,
    folders::FUNCTIONS,
    signals::FUNCTIONS,
    sockets::FUNCTIONS,
    waiting::FUNCTIONS,
];
