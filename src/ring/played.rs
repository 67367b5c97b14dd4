//! A ring whose kernel is played by a test: it takes SQEs and brings completions as that says. So
//! Miri can run what otherwise needs io_uring, and completions come in orders that no kernel
//! would bring them in on demand.

use super::buffers::Buffer;
use super::callbacks::Id;
use super::chains::Part;
use super::fork::ForkGuard;
use super::groups::{Group, INCREMENTAL, Lease};
use super::hold::{self, Held, Hold};
use super::in_flight::{InFlight, Reply};
use super::region::{Region, Span, Use};
use super::slab::Key;
use super::unsubmitted::Place;
use super::{Params, Ring, Work};
use crate::dice::{Dice, rounds};
use crate::sys::{self, flag};
use std::collections::{BTreeMap, VecDeque};
use std::mem::zeroed;
use std::sync::atomic::{AtomicU32, Ordering};

const SQES: u32 = 8;
const CQES: u32 = 16;

/// What both sides see.
#[repr(C)]
struct Memory {
    sq_head: AtomicU32,
    sq_tail: AtomicU32,
    sq_flags: AtomicU32,
    cq_head: AtomicU32,
    cq_tail: AtomicU32,
    sq_mask: u32,
    sq_entries: u32,
    cq_mask: u32,
    sqes: [sys::io_uring_sqe; SQES as usize],
    cqes: [sys::io_uring_cqe; CQES as usize],
}

/// The other side.
struct Kernel(*mut Memory);

impl Drop for Kernel {
    fn drop(&mut self) {
        // SAFETY: `play` made it of a box, and the ring is not used any more.
        drop(unsafe { Box::from_raw(self.0) });
    }
}

/// A ring and its kernel, whose queues begin anywhere.
fn play(start: u32) -> (Ring, Kernel) {
    // SAFETY: numbers and pointers may be zero.
    let (mut uring, memory): (sys::io_uring, Memory) = unsafe { (zeroed(), zeroed()) };
    let memory = Box::into_raw(Box::new(memory));
    // SAFETY: just made.
    unsafe {
        for counter in [&(*memory).sq_head, &(*memory).sq_tail, &(*memory).cq_head, &(*memory).cq_tail] {
            counter.store(start, Ordering::Relaxed);
        }
        ((*memory).sq_mask, (*memory).sq_entries, (*memory).cq_mask) = (SQES - 1, SQES, CQES - 1);
        uring.sq.khead = (&raw mut (*memory).sq_head).cast();
        uring.sq.ktail = (&raw mut (*memory).sq_tail).cast();
        uring.sq.kflags = (&raw mut (*memory).sq_flags).cast();
        uring.sq.kring_mask = &raw mut (*memory).sq_mask;
        uring.sq.kring_entries = &raw mut (*memory).sq_entries;
        uring.sq.sqes = (&raw mut (*memory).sqes).cast();
        uring.cq.khead = (&raw mut (*memory).cq_head).cast();
        uring.cq.ktail = (&raw mut (*memory).cq_tail).cast();
        uring.cq.kring_mask = &raw mut (*memory).cq_mask;
        uring.cq.cqes = (&raw mut (*memory).cqes).cast();
    }
    (uring.sq.sqe_head, uring.sq.sqe_tail, uring.ring_fd) = (start, start, -1);
    // SAFETY: set up as liburing would, and used by nothing that enters a kernel.
    let ring = unsafe { Ring::of(uring, None, ForkGuard::new().unwrap(), Params::default()) };
    (ring, Kernel(memory))
}

impl Kernel {
    /// Takes SQEs: their keys.
    fn take(&self, ring: &mut Ring, most: u32) -> Vec<Key> {
        // SAFETY: the ring's memory lives as long as the kernel.
        let memory = unsafe { &*self.0 };
        let count = ring.unsubmitted().min(most);
        let first = memory.sq_head.load(Ordering::Relaxed);
        let keys = (0..count).map(|number| ring.unsubmitted_sqe(Place(first.wrapping_add(number))).user_data);
        let keys = keys.map(|key| Key::from_raw(key as usize)).collect();
        memory.sq_head.store(first.wrapping_add(count), Ordering::Relaxed);
        ring.note_submitted();
        keys
    }

    /// Whether there is room for a completion.
    fn has_room(&self, ring: &Ring) -> bool {
        ring.cq_ready() < CQES
    }

    /// Brings a completion, for which there is room.
    fn bring(&self, user_data: u64, res: i32, flags: u32) {
        // SAFETY: as above; the entry at the tail is the kernel's.
        unsafe {
            let tail = (*self.0).cq_tail.load(Ordering::Relaxed);
            let entry =
                (&raw mut (*self.0).cqes).cast::<sys::io_uring_cqe>().add((tail & (CQES - 1)) as usize);
            ((*entry).user_data, (*entry).res, (*entry).flags) = (user_data, res, flags);
            (*self.0).cq_tail.store(tail.wrapping_add(1), Ordering::Release);
        }
    }
}

/// What the test knows of an action.
struct Action {
    reply: Reply,
    callback: Option<Id>,
    block: Buffer,
    room: usize,
    mark: u8,
    bytes: Vec<(usize, Span, Use)>,
    lease: Option<usize>,
    group: Option<usize>,
}

/// What it knows of a group.
struct Known {
    group: Group,
    incremental: bool,
    /// How far the kernel has come in the queue, and how much of the buffer there is used.
    head: u16,
    used: u32,
}

const BUFFERS: u32 = 4;
const SIZE: u32 = 100;
const REGION: usize = 4096;

/// A completion that the kernel has brought: whose, its res and flags, and what stands in the
/// buffer that it has selected.
type Brought = (Key, i32, u32, Option<u8>);

struct World {
    dice: Dice,
    ring: Ring,
    kernel: Kernel,
    regions: Vec<Region>,
    groups: Vec<Known>,
    leases: Vec<Lease>,
    live: BTreeMap<usize, Action>,
    taken: Vec<Key>,
    brought: VecDeque<Brought>,
    gone: Vec<Key>,
    callbacks: BTreeMap<u32, u32>,
}

impl World {
    fn new(seed: u64) -> World {
        let mut dice = Dice::new(seed);
        let (mut ring, kernel) = play(dice.any() as u32 | if dice.one_in(2) { u32::MAX - 20 } else { 0 });
        let groups = [0, INCREMENTAL].map(|flags| {
            let group = Group::make(&mut ring, BUFFERS, SIZE, flags).unwrap();
            group.begin(&mut ring);
            group.set_manual(true);
            Known { group, incremental: flags != 0, head: 0, used: 0 }
        });
        World {
            dice,
            ring,
            kernel,
            regions: (0..2).map(|_| Region::new(REGION, false).unwrap()).collect(),
            groups: groups.into(),
            leases: Vec::new(),
            live: BTreeMap::new(),
            taken: Vec::new(),
            brought: VecDeque::new(),
            gone: Vec::new(),
            callbacks: BTreeMap::new(),
        }
    }

    /// The callback of an action that is being queued.
    fn callback(&mut self) -> Option<Id> {
        let address = self.dice.below(4);
        if address == 0 {
            return None;
        }
        let callbacks = &mut self.ring.callbacks;
        let id = match callbacks.find(address) {
            Some(id) => {
                callbacks.keep(id);
                id
            }
            None => {
                callbacks.reserve(address);
                callbacks.keep_reserved().unwrap()
            }
        };
        *self.callbacks.entry(id.number()).or_default() += 1;
        Some(id)
    }

    fn span(&mut self) -> (usize, Span) {
        let which = self.dice.below(self.regions.len());
        let (start, len) = (self.dice.below(64), self.dice.below(64) as u32);
        (which, Span { region: self.regions[which], start, len })
    }

    fn queue(&mut self) {
        if self.ring.is_full() {
            return;
        }
        let dice = &mut self.dice;
        let reply = [Reply::Nothing, Reply::Data, Reply::Plain, Reply::Bytes, Reply::Selected][dice.below(5)];
        let room = [0, 1, 64, 300, 5000][dice.below(5)];
        let mark = dice.any() as u8;
        let (mut held, mut bytes, mut group, mut lease) = (Vec::new(), Vec::new(), None, None);
        if reply == Reply::Selected {
            let which = self.dice.below(self.groups.len());
            group = Some(which);
            held.push(Held::Group(self.groups[which].group));
        } else if reply == Reply::Plain && !self.leases.is_empty() {
            let which = self.dice.below(self.leases.len());
            let it = self.leases[which];
            if !it.is_back() {
                lease = Some(which);
                held.push(Held::Lease(it.span(), it));
            }
        }
        for _ in 0..self.dice.below(3) {
            let (which, span) = self.span();
            let how = if self.dice.one_in(2) { Use::Read } else { Use::Fill };
            bytes.push((which, span, how));
            held.push(Held::Bytes(span, how));
        }
        let callback = self.callback();
        let slot = self.ring.reserve().unwrap();
        let block = self.ring.take_block(room + held.len() * hold::SIZE).unwrap();
        let block = if held.is_empty() { block } else { block.with_holds(held.len() as u8) };
        for (number, held) in (1..).zip(held) {
            // SAFETY: there is room for each.
            unsafe { Hold::begin(block.hold(number), held) };
        }
        if room > 0 {
            // SAFETY: the block has that room.
            unsafe { block.ptr().write_bytes(mark, room) };
        }
        let action = InFlight { block: block.with_size(room as u32), reply, anchored: false, callback };
        // SAFETY: there is room and a slot; nothing is pointed to.
        let key = unsafe { self.ring.queue(action, |_| {}) };
        assert_eq!(key.index(), slot);
        self.live.insert(key.raw(), Action { reply, callback, block, room, mark, bytes, lease, group });
    }

    /// A completion of an action that the kernel has, which may not be its last.
    fn bring(&mut self) {
        if !self.kernel.has_room(&self.ring) || self.taken.is_empty() {
            return;
        }
        let index = self.dice.below(self.taken.len());
        let key = self.taken[index];
        let action = &self.live[&key.raw()];
        let (mut res, mut flags, mut filled) = (self.dice.below(200) as i32 - 20, 0, None);
        if action.reply.is_cold() && self.dice.one_in(2) {
            flags |= sys::IORING_CQE_F_MORE;
        }
        if let Some(which) = action.group {
            let mark = self.dice.any() as u8;
            match fill(&mut self.groups[which], self.dice.below(SIZE as usize) as u32, mark) {
                Some((len, more)) => {
                    (res, filled) = (len, Some(mark));
                    flags |= more;
                }
                None => (res, flags) = (-(sys::ENOBUFS as i32), 0),
            }
        }
        if flags & sys::IORING_CQE_F_MORE == 0 {
            self.taken.swap_remove(index);
        }
        self.kernel.bring(key.raw() as u64, res, flags);
        self.brought.push_back((key, res, flags, filled));
    }

    /// What the process does with the head.
    fn reap(&mut self) {
        let Some(completion) = self.ring.peek(Work::All) else { return assert!(self.brought.is_empty()) };
        let (key, res, flags, filled) = self.brought.pop_front().unwrap();
        let more = flags & sys::IORING_CQE_F_MORE != 0;
        let action = &self.live[&key.raw()];
        assert_eq!((completion.key, completion.res, self.ring.head_flags()), (key, res, flags));
        assert_eq!((completion.action.reply, completion.action.callback), (action.reply, action.callback));
        assert!(self.ring.is_head(&completion) && !self.ring.has_delivered(key));
        assert!(!self.ring.has_delivered_more(key));
        assert_eq!(completion.bytes().len(), (res.max(0) as usize).min(action.room));
        if action.room > 0 {
            // SAFETY: the block is the action's own, and was filled when it was queued.
            let block = unsafe { std::slice::from_raw_parts(action.block.ptr(), action.room) };
            assert!(block.iter().all(|byte| *byte == action.mark), "another's");
        }
        let selected = completion.select(flags);
        assert_eq!(selected.is_some(), filled.is_some());
        if let (Some(selected), Some(mark)) = (selected, filled) {
            // SAFETY: the buffer is the process's until it goes back.
            let bytes =
                unsafe { std::slice::from_raw_parts(selected.span.ptr(), selected.span.len as usize) };
            assert!(bytes.len() == res as usize && bytes.iter().all(|byte| *byte == mark));
            if self.leases.len() < 3 && self.dice.one_in(2) {
                self.leases.push(Lease::new(self.groups[action.group.unwrap()].group, selected).unwrap());
            }
        }
        if self.dice.one_in(3) {
            let lent = self.ring.lend_block(key);
            assert!(self.ring.is_lent() && lent.ptr() == action.block.ptr());
            // SAFETY: lent just now.
            unsafe { self.ring.return_block(lent) };
            assert!(!self.ring.is_lent());
        }
        if self.dice.one_in(3) {
            match more {
                true => self.ring.deliver_more(key),
                false => self.ring.deliver(key),
            }
            assert_eq!((self.ring.has_delivered_more(key), self.ring.has_delivered(key)), (more, !more));
        }
        let ended = if self.dice.one_in(2) {
            self.ring.discard(&completion)
        } else if more {
            self.ring.seen_more(key);
            None
        } else {
            completion.note(flags);
            self.ring.seen(key)
        };
        assert_eq!(ended.is_some(), !more);
        assert!(!self.ring.is_head(&completion));
        if !more {
            self.end(key);
        }
    }

    fn end(&mut self, key: Key) {
        let action = self.live.remove(&key.raw()).unwrap();
        self.gone.push(key);
        if let Some(id) = action.callback {
            let count = self.callbacks.get_mut(&id.number()).unwrap();
            *count -= 1;
            assert_eq!(self.ring.callbacks.release(id), *count == 0);
        }
    }

    /// The program is done with a lease that nothing sends.
    fn drop_lease(&mut self) {
        let free = |which: &usize| !self.live.values().any(|action| action.lease == Some(*which));
        let Some(which) = (0..self.leases.len()).rev().take(1).find(free) else { return };
        let lease = self.leases.remove(which);
        assert!(!lease.is_sent());
        // SAFETY: the count is the program's.
        unsafe { lease.release() };
    }

    fn check(&mut self) {
        assert_eq!(self.ring.count_in_flight() as usize, self.live.len());
        if !self.gone.is_empty() {
            let key = self.gone[self.dice.below(self.gone.len())];
            assert!(self.ring.reply_of(key).is_none() && self.ring.lend_and_return(key));
        }
        let (which, span) = self.span();
        let overlaps = |it: &Span| {
            it.start.max(span.start) < (it.start + it.len as usize).min(span.start + span.len as usize)
        };
        for how in [Use::Read, Use::Fill] {
            let used = self.live.values().flat_map(|action| &action.bytes);
            let used = used.filter(|(region, _, its)| *region == which && *its == how);
            assert_eq!(span.is_in(how), used.map(|(_, it, _)| it).any(overlaps));
        }
        for (which, region) in self.regions.iter().enumerate() {
            let holds = self.live.values().flat_map(|action| &action.bytes).filter(|it| it.0 == which);
            assert_eq!(region.count(), 1 + holds.count());
        }
        for (which, known) in self.groups.iter().enumerate() {
            assert_eq!(known.group.is_used(), self.live.values().any(|action| action.group == Some(which)));
        }
        for (which, lease) in self.leases.iter().enumerate() {
            assert_eq!(lease.is_sent(), self.live.values().any(|action| action.lease == Some(which)));
        }
    }

    fn step(&mut self) {
        match self.dice.below(10) {
            0..3 => self.queue(),
            3 | 4 => {
                let most = self.dice.below(4) as u32;
                self.taken.extend(self.kernel.take(&mut self.ring, most));
            }
            5..7 => self.bring(),
            7 if self.dice.one_in(2) => self.drop_lease(),
            7 if self.kernel.has_room(&self.ring) && self.brought.is_empty() => {
                // Nobody's, such as another ring's message that is not wanted.
                self.kernel.bring(self.gone.last().map_or(0, |key| key.raw() as u64), 0, 0);
                assert!(self.ring.peek(Work::All).is_none());
            }
            _ => self.reap(),
        }
        self.check();
    }

    /// All ends.
    fn finish(mut self) {
        while !self.live.is_empty() {
            self.taken.extend(self.kernel.take(&mut self.ring, SQES));
            self.bring();
            self.reap();
        }
        self.leases.iter().for_each(|lease| assert!(!lease.is_sent()));
        while !self.leases.is_empty() {
            self.drop_lease();
        }
        self.check();
        for known in self.groups {
            // An incremental buffer of which the kernel has used a part is still its own.
            assert_eq!(known.group.available(), BUFFERS);
            // SAFETY: the test's own count.
            unsafe { known.group.release() };
        }
        self.ring.end_groups(true);
        for region in self.regions {
            assert_eq!(region.count(), 1);
            // SAFETY: as above.
            unsafe { region.release() };
        }
    }
}

/// The kernel fills some of the next buffer of a group: how much, and the CQE's flags.
fn fill(known: &mut Known, len: u32, mark: u8) -> Option<(i32, u32)> {
    let (address, left, number) = known.group.entry(known.head)?;
    let left = left - known.used;
    let len = len.max(1).min(left);
    // SAFETY: the buffer is the kernel's.
    unsafe { address.add(known.used as usize).write_bytes(mark, len as usize) };
    let more = known.incremental && len < left;
    if more {
        known.used += len;
    } else {
        (known.used, known.head) = (0, known.head.wrapping_add(1));
    }
    let flags = sys::IORING_CQE_F_BUFFER | u32::from(number) << sys::IORING_CQE_BUFFER_SHIFT;
    Some((len as i32, flags | if more { 1 << 4 } else { 0 }))
}

impl Ring {
    /// Whether lending the block of an action that is gone gives nothing.
    fn lend_and_return(&mut self, key: Key) -> bool {
        let block = self.lend_block(key);
        // SAFETY: lent just now.
        unsafe { self.return_block(block) };
        block.ptr().is_null()
    }
}

#[test]
fn what_an_action_has_is_its_own_until_its_last_completion() {
    for seed in 0..rounds(200) as u64 {
        let mut world = World::new(seed);
        for _ in 0..rounds(300).max(60) {
            world.step();
        }
        world.finish();
    }
}

/// A silent chain: which of its actions end with which completion.
#[test]
fn a_silent_chain_ends_with_one_completion() {
    for seed in 0..rounds(1000) as u64 {
        let mut dice = Dice::new(seed);
        let (mut ring, kernel) = play(dice.any() as u32);
        let (hard, length) = (dice.one_in(2), 2 + dice.below(5));
        assert!(ring.reserve_amendments(length));
        let keys: Vec<Key> = (0..length)
            .map(|number| {
                let place = ring.end();
                let block = ring.take_block(64).unwrap();
                let action =
                    InFlight { block, reply: Reply::Nothing, anchored: number % 2 == 0, callback: None };
                ring.reserve().unwrap();
                // SAFETY: there is room, and a slot.
                let key = unsafe { ring.queue(action, |_| {}) };
                let part = match number {
                    _ if number == length - 1 => Part::Last,
                    0 if hard => Part::Head,
                    _ if hard => Part::Hard,
                    _ => Part::Silent,
                };
                let first = Place(place.0.wrapping_sub(number as u32));
                let first = Key::from_raw(ring.unsubmitted_sqe(first).user_data as usize);
                match number {
                    0 => ring.begin(place, (key, part)),
                    _ => ring.append(first, (key, part), place),
                }
                key
            })
            .collect();
        // The kernel may get a part of it only: then nothing tells when the silent ones have ended.
        let part = if dice.one_in(4) { 1 + dice.below(length - 1) } else { length };
        kernel.take(&mut ring, part as u32);
        if part < length {
            kernel.take(&mut ring, SQES);
            let silent = length - 1 - usize::from(hard);
            assert_eq!((ring.amendments.lost(), ring.busy()), (silent, length - silent));
        }
        let mut left: Vec<Key> = keys.clone();
        // Which fail: of a soft chain one at the most, behind which all are cancelled.
        let fails: Vec<bool> = keys.iter().map(|_| dice.one_in(4)).collect();
        for (number, key) in keys.iter().enumerate() {
            let (last, failed) = (number == length - 1, fails[number]);
            let completes = failed || last || hard && number == 0 || part < length;
            if !completes {
                continue;
            }
            kernel.bring(key.raw() as u64, if failed { -5 } else { 0 }, 0);
            let completion = ring.peek(Work::All).unwrap();
            assert_eq!(completion.key, *key);
            let (heard, is_heard) = ring.amended(completion);
            assert_eq!((heard.action.reply, heard.action.anchored), (Reply::Nothing, number % 2 == 0));
            assert_eq!(is_heard, part < length || failed || last || !hard || number != 0);
            assert_eq!(ring.seen(*key).map(|action| action.reply), Some(Reply::Amended));
            let mut besides = Vec::new();
            let ended = ring.end_amended(*key, |_, other, action| besides.push((other, action.anchored)));
            assert_eq!(ended, (Reply::Nothing, number % 2 == 0));
            left.retain(|it| it != key);
            // A soft chain ends where it fails, a hard one with its last.
            if part == length && (last || failed && !hard) {
                besides.sort_by_key(|(other, _)| keys.iter().position(|key| key == other));
                let rest: Vec<_> = left
                    .iter()
                    .map(|key| (*key, keys.iter().position(|it| it == key).unwrap() % 2 == 0))
                    .collect();
                assert_eq!(besides, rest);
                left.clear();
                break;
            }
            assert!(besides.is_empty());
        }
        assert_eq!((ring.count_in_flight() as usize, ring.amendments.lost()), (left.len(), 0));
        assert!(left.is_empty() && ring.amendments.count() == 0);
    }
}

/// Messages are for who wants them, and no number of a message is an action's.
#[test]
fn a_message_ends_no_action() {
    let (mut ring, kernel) = play(0);
    ring.reserve().unwrap();
    let action = InFlight { block: Buffer::EMPTY, reply: Reply::Nothing, anchored: false, callback: None };
    // SAFETY: there is room, and a slot.
    let key = unsafe { ring.queue(action, |_| {}) };
    kernel.take(&mut ring, 1);
    let mut dice = Dice::new(1);
    for round in 0..rounds(100) {
        let wanted = dice.one_in(2);
        if wanted {
            ring.messages.want()
        } else {
            ring.messages.ignore()
        }
        assert_eq!(ring.messages.are_wanted(), wanted);
        let data = if round == 0 { key.raw() as u64 } else { dice.any() & super::messages::MOST };
        let foreign = dice.one_in(4);
        kernel.bring(if foreign { super::CANCELLATION } else { super::messages::MARK | data }, 7, 9);
        assert!(ring.peek(Work::All).is_none());
        let heard = ring.take_message().map(|it| (it.data, it.res, it.flags));
        assert_eq!(heard, (wanted && !foreign).then_some((data, 7, 9)));
        assert!(ring.take_message().is_none() && ring.cq_ready() == 0);
        assert_eq!(ring.count_in_flight(), 1);
    }
}

/// What a program still can take back are the SQEs between head and tail, wherever these stand.
#[test]
fn an_unsubmitted_sqe_is_found_by_its_key() {
    for seed in 0..rounds(200) as u64 {
        let mut dice = Dice::new(seed);
        let (mut ring, kernel) = play(u32::MAX - dice.below(10) as u32);
        let mut waiting = VecDeque::new();
        for _ in 0..30 {
            if dice.one_in(3) {
                for key in kernel.take(&mut ring, dice.below(4) as u32) {
                    assert_eq!(waiting.pop_front(), Some(key));
                    assert!(ring.find_unsubmitted(key).is_none());
                }
            } else if !ring.is_full() {
                ring.reserve().unwrap();
                let action =
                    InFlight { block: Buffer::EMPTY, reply: Reply::Plain, anchored: false, callback: None };
                let place = ring.end();
                // SAFETY: there is room, and a slot.
                let key = unsafe { ring.queue(action, |sqe| (*sqe).flags = flag::IOSQE_IO_LINK as u8) };
                assert!(ring.find_unsubmitted(key) == Some(place) && ring.newest() == Some(place));
                assert_eq!(ring.before(place).is_some(), !waiting.is_empty());
                waiting.push_back(key);
            }
            assert_eq!(ring.is_full(), waiting.len() == SQES as usize);
            assert_eq!(ring.newest().is_some(), !waiting.is_empty());
            assert_eq!(
                (ring.unsubmitted(), ring.space()),
                (waiting.len() as u32, SQES - waiting.len() as u32)
            );
            assert_eq!((ring.sq_ready(), ring.sq_space_left()), (ring.unsubmitted(), ring.space()));
            let wanted = super::cancel::Wanted {
                key: waiting.back().map(|key| key.raw() as u64),
                ..Default::default()
            };
            if !waiting.is_empty() && dice.one_in(4) && !cfg!(miri) {
                // What is withdrawn still completes, and keeps its ties. Miri can't call liburing for that.
                assert!(ring.reserve_amendments(SQES as usize));
                let key = *waiting.back().unwrap();
                let before = u32::from(!ring.is_withdrawn(key));
                let end = ring.end();
                assert_eq!((ring.withdraw(wanted, end), ring.withdraw(wanted, end)), (before, 0));
                let place = ring.find_unsubmitted(key).unwrap();
                assert_eq!(ring.unsubmitted_sqe(place).flags, flag::IOSQE_IO_LINK as u8);
            }
        }
    }
}
