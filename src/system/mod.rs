//! What is synchronous.

pub mod constants;
pub mod errno;
mod files;
mod folders;
pub mod probe;
mod processes;
pub mod refusal;
mod signals;
pub mod sigpipe;
mod sockets;
mod waiting;

use crate::functions::Table;

/// The functions of all files here.
pub const FUNCTIONS: [Table; 7] = [
    errno::FUNCTIONS,
    files::FUNCTIONS,
    folders::FUNCTIONS,
    processes::FUNCTIONS,
    signals::FUNCTIONS,
    sockets::FUNCTIONS,
    waiting::FUNCTIONS,
];
