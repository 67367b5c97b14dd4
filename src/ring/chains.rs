//! What becomes of an action after it was queued: it is cancelled before it was submitted, or
//! linked with others, some of which complete in silence.
//!
//! An action that completes in silence has no CQE of its own that could end it: another's does.
//! Those that end together form a circle.

use super::Ring;
use super::hold::Held;
use super::in_flight::{Completion, InFlight, Reply};
use super::slab::Key;
use super::unsubmitted::Place;
use crate::sys;
use std::collections::HashMap;

/// What an action's last completion ends besides itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// Nothing.
    Alone,
    /// It completes only if it fails. Then nothing more of its chain completes: it ends all.
    Silent,
    /// It completes only if it fails, and its chain goes on.
    Hard,
    /// The first of a hard chain. Were it silent to the kernel, and another member's arguments
    /// refused, the rest would be so too: so it always completes, and success is dropped here.
    Head,
    /// The last of a chain, or the one that a silent timeout belongs to: all have ended.
    Last,
    /// A timeout that never completes, unless its chain has failed.
    Quiet,
    /// A timeout that completes, unless a silent member has failed.
    Heard,
    /// It may never complete, and nothing says when it has ended: it is kept until exit.
    Lost,
}

/// What is changed about an action. Its reply is `Amended` then, and it counts as anchored.
#[derive(Clone, Copy)]
struct Amendment {
    reply: Reply,
    anchored: bool,
    withdrawn: bool,
    part: Part,
    /// The next of its circle.
    next: Key,
}

/// Of a circle, where its unsubmitted SQEs are.
#[derive(Clone, Copy)]
struct Span {
    first: u32,
    last: u32,
    member: Key,
}

/// What is changed about a ring's actions.
pub struct Amendments {
    of: HashMap<Key, Amendment>,
    spans: Vec<Span>,
    lost: usize,
}

impl Amendments {
    /// None yet.
    pub fn new() -> Amendments {
        Amendments { of: HashMap::new(), spans: Vec::new(), lost: 0 }
    }

    /// How many actions are kept that may never complete.
    pub fn lost(&self) -> usize {
        self.lost
    }

    /// How many actions are amended.
    #[cfg(test)]
    pub fn count(&self) -> usize {
        self.of.len()
    }

    /// Makes each of the circle's actions one that ends for itself; what is silent is lost.
    fn dissolve(&mut self, member: Key) {
        let mut key = member;
        while let Some(it) = self.of.get_mut(&key) {
            let next = std::mem::replace(&mut it.next, key);
            it.part = match it.part {
                Part::Silent | Part::Hard | Part::Quiet => {
                    self.lost += 1;
                    Part::Lost
                }
                _ => Part::Alone,
            };
            key = next;
            if key == member {
                break;
            }
        }
    }

    /// Takes one action out of its circle.
    fn unlink(&mut self, key: Key, next: Key) {
        let mut at = next;
        while let Some(it) = self.of.get_mut(&at) {
            if it.next == key {
                it.next = next;
                return;
            }
            at = it.next;
        }
    }

    /// Looks at what the kernel has got since: up to `head`. A chain that it got only a part of
    /// goes on as two, and nothing tells when the first has ended.
    fn submitted(&mut self, head: u32) {
        let mut index = 0;
        while let Some(span) = self.spans.get(index).copied() {
            let taken = head.wrapping_sub(span.first) as i32;
            if taken <= 0 {
                index += 1;
                continue;
            }
            if taken as u32 <= span.last.wrapping_sub(span.first) {
                self.dissolve(span.member);
            }
            self.spans.swap_remove(index);
        }
    }
}

impl Ring {
    /// Makes sure that so many actions can be amended.
    pub fn reserve_amendments(&mut self, count: usize) -> bool {
        let amendments = &mut self.amendments;
        amendments.of.try_reserve(count).is_ok() && amendments.spans.try_reserve(1).is_ok()
    }

    /// An action's amendment: a new one takes what was reserved.
    fn amend(&mut self, key: Key) -> Option<&mut Amendment> {
        let action = self.in_flight.get(key)?;
        if action.reply != Reply::Amended {
            let (reply, anchored) = (action.reply, action.anchored);
            action.reply = Reply::Amended;
            action.anchored = true;
            let new = Amendment { reply, anchored, withdrawn: false, part: Part::Alone, next: key };
            self.amendments.of.insert(key, new);
        }
        self.amendments.of.get_mut(&key)
    }

    pub(super) fn set_withdrawn(&mut self, key: Key) {
        if let Some(it) = self.amend(key) {
            it.withdrawn = true;
        }
    }

    pub(super) fn is_withdrawn(&self, key: Key) -> bool {
        self.amendments.of.get(&key).is_some_and(|it| it.withdrawn)
    }

    /// What an action really brings.
    pub fn reply_of(&mut self, key: Key) -> Option<Reply> {
        let action = self.in_flight.get(key)?;
        match action.reply {
            Reply::Amended => self.amendments.of.get(&key).map(|it| it.reply),
            reply => Some(reply),
        }
    }

    /// Whether an action holds what its completion is to say more about: a lease, or a group.
    pub fn is_noted(&mut self, key: Key) -> bool {
        self.in_flight.get(key).is_some_and(|action| {
            // SAFETY: the action is in flight, so its holds have begun.
            action
                .block
                .holds()
                .any(|hold| matches!(unsafe { (*hold).held() }, Held::Lease(..) | Held::Group(_)))
        })
    }

    /// Whether an action's end depends on others'.
    pub fn part_of(&self, key: Key) -> Part {
        self.amendments.of.get(&key).map_or(Part::Alone, |it| it.part)
    }

    /// Makes an action, whose SQE is unsubmitted at `place`, the first of a circle. One that it
    /// was in is no more. Memory has been reserved.
    pub fn begin(&mut self, place: Place, (key, part): (Key, Part)) {
        if let Some(it) = self.amend(key) {
            (it.part, it.next) = (part, key);
            self.amendments.spans.retain(|span| span.first != place.0);
            self.amendments.spans.push(Span { first: place.0, last: place.0, member: key });
        }
    }

    /// Adds an action to the circle that `member` is in, and that began with the unsubmitted SQE
    /// at `first`. Its own SQE is the next of it, at `place`. Memory has been reserved.
    pub fn append(&mut self, member: Key, (key, part): (Key, Part), place: Place) {
        let Some(next) = self.amendments.of.get(&member).map(|it| it.next) else { return };
        let Some(it) = self.amend(key) else { return };
        (it.part, it.next) = (part, next);
        if let Some(it) = self.amendments.of.get_mut(&member) {
            it.next = key;
        }
        self.amendments.spans.retain(|span| span.first != place.0);
        if let Some(span) = self.amendments.spans.iter_mut().find(|span| span.last.wrapping_add(1) == place.0)
        {
            span.last = place.0;
        }
    }

    /// Notes what the kernel has got.
    #[inline]
    pub(super) fn note_submitted(&mut self) {
        if !self.amendments.spans.is_empty() {
            let head = self.first_unsubmitted();
            self.amendments.submitted(head);
        }
    }

    /// A completion as its callback is to hear of it, and whether it is to hear.
    pub fn amended(&self, completion: Completion) -> (Completion, bool) {
        let Some(it) = self.amendments.of.get(&completion.key) else { return (completion, true) };
        let action = InFlight { reply: it.reply, anchored: it.anchored, ..completion.action };
        let res = if it.withdrawn { -(sys::ECANCELED as i32) } else { completion.res };
        (Completion { action, res, ..completion }, it.part != Part::Head || res < 0)
    }

    /// Ends what an amended action, which has just ended, ends besides: `visit` gets each.
    /// Returns what the action itself brought, and whether a Lua value is anchored for it.
    pub fn end_amended(
        &mut self,
        key: Key,
        mut visit: impl FnMut(&mut Ring, Key, InFlight),
    ) -> (Reply, bool) {
        let Some(it) = self.amendments.of.remove(&key) else { return (Reply::Nothing, false) };
        if !matches!(it.part, Part::Silent | Part::Last) {
            self.amendments.unlink(key, it.next);
            self.amendments.lost -= usize::from(it.part == Part::Lost);
            return (it.reply, it.anchored);
        }
        let mut next = it.next;
        while let Some(other) = self.amendments.of.get_mut(&next).filter(|_| next != key) {
            let here = next;
            next = std::mem::replace(&mut other.next, here);
            if other.part == Part::Heard && it.part == Part::Last {
                other.part = Part::Alone;
                continue;
            }
            let (reply, anchored) = (other.reply, other.anchored);
            self.amendments.of.remove(&here);
            if let Some(action) = self.release(here) {
                visit(self, here, InFlight { reply, anchored, ..action });
            }
        }
        (it.reply, it.anchored)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A silent chain of four, whose first SQE stands at `first`.
    fn chain(first: u32) -> Amendments {
        let mut amendments = Amendments::new();
        for number in 0..4 {
            let part = if number == 3 { Part::Last } else { Part::Silent };
            let (key, next) = (Key::from_raw(number), Key::from_raw((number + 1) % 4));
            let amendment =
                Amendment { reply: Reply::Nothing, anchored: false, withdrawn: false, part, next };
            amendments.of.insert(key, amendment);
        }
        let member = Key::from_raw(2);
        amendments.spans.push(Span { first, last: first.wrapping_add(3), member });
        amendments
    }

    fn parts(amendments: &Amendments) -> Vec<Part> {
        (0..4).map(|number| amendments.of[&Key::from_raw(number)].part).collect()
    }

    #[test]
    fn a_chain_that_was_taken_whole_stays_one() {
        for first in [0, 7, u32::MAX - 1] {
            let mut amendments = chain(first);
            amendments.submitted(first.wrapping_add(4));
            assert_eq!(parts(&amendments), [Part::Silent, Part::Silent, Part::Silent, Part::Last]);
            assert!(amendments.spans.is_empty() && amendments.lost() == 0);
        }
    }

    #[test]
    fn one_that_is_still_queued_stays_one() {
        for first in [0, 7, u32::MAX - 1] {
            let mut amendments = chain(first);
            amendments.submitted(first);
            amendments.submitted(first.wrapping_sub(5));
            assert_eq!(amendments.spans.len(), 1);
        }
    }

    #[test]
    fn one_that_was_taken_in_part_is_kept() {
        for first in [0, u32::MAX - 1] {
            let mut amendments = chain(first);
            amendments.submitted(first.wrapping_add(3));
            assert_eq!(parts(&amendments), [Part::Lost, Part::Lost, Part::Lost, Part::Alone]);
            assert!(amendments.spans.is_empty() && amendments.lost() == 3);
            assert!(amendments.of.iter().all(|(key, it)| it.next == *key));
        }
    }

    #[test]
    fn who_leaves_a_circle_is_not_in_it() {
        let mut amendments = chain(0);
        let key = Key::from_raw(1);
        let it = amendments.of.remove(&key).unwrap();
        amendments.unlink(key, it.next);
        assert_eq!(amendments.of[&Key::from_raw(0)].next, Key::from_raw(2));
    }
}
