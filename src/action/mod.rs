//! What happens to an action: it is queued, maybe changed after that, and its completions reach
//! its callback.

pub mod amend;
pub mod cancel;
pub mod message;
mod queue;
mod reap;
pub mod run;
mod select;

pub use queue::{Action, Sqe, queue};
pub use reap::{cqe_flags, cqe_seen, do_cqes, more};
