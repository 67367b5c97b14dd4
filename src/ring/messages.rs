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
    /// The one at the head of the queue, until it is taken.
    next: Option<Message>,
}

impl Messages {
    /// None is wanted.
    pub fn new() -> Messages {
        Messages { wanted: false, next: None }
    }

    /// Those that come are kept for `take_message`.
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

    /// Whether one has come, and was not taken.
    #[inline]
    pub fn has_come(&self) -> bool {
        self.next.is_some()
    }
}

impl Ring {
    /// Looks at the head, which is no action's of this ring; whether it is a message. Anything else
    /// is seen.
    #[cold]
    pub(super) fn hear(&mut self, raw: u64, res: i32) -> bool {
        let is_message = self.messages.wanted && raw & !MOST == MARK;
        if is_message {
            let flags = self.head_flags();
            self.messages.next = Some(Message { res, data: raw & MOST, flags });
        } else {
            self.advance();
        }
        is_message
    }

    /// Takes the message at the head, which is seen.
    pub fn take_message(&mut self) -> Option<Message> {
        let message = self.messages.next.take()?;
        self.advance();
        Some(message)
    }
}
