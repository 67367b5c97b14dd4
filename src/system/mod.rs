//! What is synchronous.

pub mod catching;
pub mod constants;
pub mod errno;
mod files;
mod folders;
pub mod probe;
mod processes;
pub mod refusal;
mod resolver;
mod signals;
pub mod sigpipe;
mod sockets;
mod waiting;

use crate::functions::Table;

/// The functions of all files here.
pub const FUNCTIONS: [Table; 8] = [
    errno::FUNCTIONS,
    files::FUNCTIONS,
    folders::FUNCTIONS,
    processes::FUNCTIONS,
    resolver::FUNCTIONS,
    signals::FUNCTIONS,
    sockets::FUNCTIONS,
    waiting::FUNCTIONS,
];
