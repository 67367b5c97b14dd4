//! What other rings send to this one, by `msg_ring`.

use super::Ring;

/// What every message's user_data has, and no key: so none ends an action here.
pub const MARK: u64 = 1 << 63;

/// What a message may carry: as much as all Luas' numbers hold exactly.
pub const MOST: u64 = (1 << 53) - 1;

/// A message.
#[derive(Clone, Copy)]
pub struct Message {
    /// The number that goes with it.
    pub res: i32,
    /// What was sent.
    pub data: u64,
    /// The CQE's flags.
    pub flags: u32,
}

/// What a ring does with messages.
pub struct Messages {
    wanted: bool,
    /// The one that has come, until it is delivered.
    next: Option<Message>,
}

impl Messages {
    /// None is wanted.
    pub fn new() -> Messages {
        Messages { wanted: false, next: None }
    }

    /// Those that come are kept for `take`.
    pub fn want(&mut self) {
        self.wanted = true;
    }

    /// Those that come are dropped.
    pub fn ignore(&mut self) {
        *self = Messages::new();
    }

    /// Whether any are wanted.
    pub fn are_wanted(&self) -> bool {
        self.wanted
    }

    /// The one that has come.
    #[inline]
    pub fn take(&mut self) -> Option<Message> {
        self.next.take()
    }
}

impl Ring {
    /// Sees the head, which is no action's of this ring; whether it was a message.
    #[cold]
    pub(super) fn hear(&mut self, raw: u64, res: i32) -> bool {
        let flags = self.head_flags();
        self.advance();
        let is_message = self.messages.wanted && raw & !MOST == MARK;
        if is_message {
            self.messages.next = Some(Message { res, data: raw & MOST, flags });
        }
        is_message
    }
}
