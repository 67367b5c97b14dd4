//! What happens to an action: it is queued, and its completions reach its callback.

mod queue;
mod reap;
mod select;

pub use queue::{Action, Sqe, queue};
pub use reap::{cqe_seen, do_cqes};
