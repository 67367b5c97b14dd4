//! What can be changed about actions that are queued and not submitted.

use super::queue::reserve;
use crate::handle::{Handle, RING};
use crate::lua::{Lua, Message, RawState, Type};
use crate::ring::Ring;
use crate::ring::chains::Part;
use crate::ring::in_flight::{InFlight, Reply};
use crate::ring::slab::Key;
use crate::ring::unsubmitted::Place;
use crate::sys::{self, flag};
use crate::values::arg;
use crate::values::integers::integer;
use crate::values::reply::Answer;
use crate::values::{fields, time};
use std::ffi::{CStr, c_int};

const LINK: u8 = flag::IOSQE_IO_LINK as u8;
const HARDLINK: u8 = flag::IOSQE_IO_HARDLINK as u8;
const SKIP: u8 = flag::IOSQE_CQE_SKIP_SUCCESS as u8;

/// The place of the key among the arguments, or of the list of keys.
const KEY: c_int = RING + 1;

// ---- fields of an SQE ----

/// `sqe_set_flags(ring, key, flags)`: adds flags that change when an action is started.
///
/// # Safety
/// Lua has called with `state`.
pub unsafe extern "C-unwind" fn sqe_set_flags(state: RawState) -> c_int {
    // SAFETY: the caller's promise.
    let lua = &mut unsafe { Lua::new(state) };
    let handle = check(lua);
    let allowed = flag::IOSQE_IO_DRAIN | flag::IOSQE_ASYNC;
    let flags = integer(lua, KEY + 1, 0, u8::MAX.into()) as u8;
    if u32::from(flags) & !allowed != 0 {
        let why = "must be IOSQE_ASYNC or IOSQE_IO_DRAIN: arguments and chain say the others";
        lua.argument_error(KEY + 1, Message::new(format_args!("{why}")));
    }
    change(lua, handle, |_, sqe| sqe.flags |= flags)
}

/// `sqe_set_personality(ring, key, id)`: whose rights an action has.
///
/// # Safety
/// Lua has called with `state`.
pub unsafe extern "C-unwind" fn sqe_set_personality(state: RawState) -> c_int {
    // SAFETY: the caller's promise.
    let lua = &mut unsafe { Lua::new(state) };
    let handle = check(lua);
    let id = integer(lua, KEY + 1, 0, u16::MAX.into()) as u16;
    change(lua, handle, |_, sqe| sqe.personality = id)
}

/// `sqe_set_ioprio(ring, key, ioprio)`: the I/O priority of an action that reads or writes.
///
/// # Safety
/// Lua has called with `state`.
pub unsafe extern "C-unwind" fn sqe_set_ioprio(state: RawState) -> c_int {
    // SAFETY: the caller's promise.
    let lua = &mut unsafe { Lua::new(state) };
    let handle = check(lua);
    let ioprio = integer(lua, KEY + 1, 0, u16::MAX.into()) as u16;
    change(lua, handle, |lua, sqe| {
        if !has_priority(sqe.opcode) {
            // In others it is a set of flags, some of which make an action complete repeatedly.
            lua.argument_error(
                KEY,
                Message::new(format_args!("only reads and writes of files have a priority")),
            );
        }
        sqe.ioprio = ioprio;
    })
}

fn has_priority(opcode: u8) -> bool {
    let opcode = opcode.into();
    opcode != sys::IORING_OP_NOP
        && [
            sys::IORING_OP_READ,
            sys::IORING_OP_WRITE,
            sys::IORING_OP_READV,
            sys::IORING_OP_WRITEV,
            sys::IORING_OP_READ_FIXED,
            sys::IORING_OP_WRITE_FIXED,
            flag::IORING_OP_READV_FIXED,
            flag::IORING_OP_WRITEV_FIXED,
        ]
        .contains(&opcode)
}

/// The ring, and that a key comes after it. Raises.
fn check(lua: &mut Lua) -> Handle {
    let handle = Handle::check_open(lua);
    if lua.kind(KEY) != Type::Light {
        lua.type_error(KEY, c"key");
    }
    handle
}

/// Changes the SQE of the key that is an argument. Raises if the kernel has got it.
fn change(lua: &mut Lua, handle: Handle, change: impl FnOnce(&Lua, &mut sys::io_uring_sqe)) -> c_int {
    let ring = handle.ring(lua);
    match find(ring, Key::from_raw(lua.pointer(KEY))) {
        Ok(place) => change(lua, ring.unsubmitted_sqe(place)),
        Err(why) => lua.argument_error(KEY, Message::new(format_args!("{why}"))),
    }
    0
}

/// Where a key's SQE is, or why it can't be changed.
fn find(ring: &mut Ring, key: Key) -> Result<Place, &'static str> {
    match ring.find_unsubmitted(key) {
        Some(place) => Ok(place),
        None if ring.reply_of(key).is_some() => Err("the action has been submitted"),
        None => Err("not a key of this ring, or its action has ended"),
    }
}

// ---- a timeout for an action ----

/// What `link_timeout` brings, without a callback nothing.
pub struct Linked;

impl Answer for Linked {
    const REPLY: Reply = Reply::Plain;
    type Memory = ();
    const ROOM: usize = 0;

    fn place(_block: &mut arg::Place) {}

    fn admit(lua: &Lua, ring: &mut Ring) {
        let key = Key::from_raw(lua.pointer(KEY));
        let why = match find(ring, key) {
            Err(why) => why,
            Ok(place) if ring.newest() != Some(place) => "not the action that was queued last",
            Ok(place) if is_timeout(ring.unsubmitted_sqe(place)) => "a timeout has no timeout",
            Ok(_) if !ring.reserve_amendments(2) => lua.out_of_memory(),
            Ok(_) => return,
        };
        lua.argument_error(KEY, Message::new(format_args!("{why}")))
    }

    fn settle(ring: &mut Ring, key: Key) {
        let is_silent = ring.has_callback(key) == Some(false) && ring.can_skip();
        let Some((timeout, member)) = ring.newest().and_then(|it| Some((it, ring.before(it)?))) else {
            return;
        };
        ring.unsubmitted_sqe(member).flags |= LINK;
        if is_silent {
            ring.unsubmitted_sqe(timeout).flags |= SKIP;
        }
        let whose = key_at(ring, member);
        let part = if is_silent { Part::Quiet } else { Part::Heard };
        if ring.part_of(whose) == Part::Last {
            ring.append(whose, (key, part), timeout);
        } else if is_silent {
            ring.begin(member, (whose, Part::Last));
            ring.append(whose, (key, part), timeout);
        }
    }
}

fn is_timeout(sqe: &sys::io_uring_sqe) -> bool {
    u32::from(sqe.opcode) == sys::IORING_OP_LINK_TIMEOUT
}

// ---- chains ----

/// What a chain is to be like.
#[derive(Clone, Copy, Default)]
struct Options {
    hard: bool,
    skip: bool,
    timeout: Option<sys::__kernel_timespec>,
}

/// The place of the options among the arguments.
const OPTIONS: c_int = KEY + 1;

/// `chain(ring, {key, ...}, {hard=, skip=, timeout=}?)`: each begins when the one before has
/// succeeded. True, or nil when there is no room for the timeout.
///
/// # Safety
/// Lua has called with `state`.
pub unsafe extern "C-unwind" fn chain(state: RawState) -> c_int {
    // SAFETY: the caller's promise.
    let lua = &mut unsafe { Lua::new(state) };
    let handle = Handle::check_open(lua);
    if lua.kind(KEY) != Type::Table {
        lua.type_error(KEY, c"table");
    }
    let options = options(lua);

    // Check. No Lua code runs from here on.
    let ring = handle.ring(lua);
    let members = Members::check(lua, ring);
    if options.skip {
        members.check_skip(lua, ring);
    }
    if options.timeout.is_some() {
        members.check_timeout(lua, ring);
        if ring.is_full() {
            lua.push_nil();
            return 1;
        }
        reserve(lua, ring);
    }
    let room = arg::room(size_of::<sys::__kernel_timespec>());
    if !ring.reserve_amendments(members.count as usize + 1) || !ring.reserve_block(room) {
        lua.out_of_memory();
    }

    // Nothing fails from here on.
    let link = if options.hard { HARDLINK } else { LINK };
    for place in members.places().take(members.count as usize - 1) {
        ring.unsubmitted_sqe(place).flags |= link;
    }
    if options.skip {
        members.silence(ring, options.hard);
    }
    if let Some(time) = options.timeout {
        let block = ring.take_block(room).unwrap_or_else(|| lua.out_of_memory());
        // SAFETY: there is the room.
        let time = unsafe { arg::Place::new(block, 0).put(time) };
        let action = InFlight { block, reply: Reply::Plain, callback: None, anchored: false };
        // SAFETY: there is room, and a slot; the block is the action's.
        let key = unsafe { ring.queue(action, |sqe| sys::io_uring_prep_link_timeout(sqe, time, 0)) };
        Linked::settle(ring, key);
    }
    lua.push_boolean(true);
    1
}

/// The options, whose timeout stands in their place afterwards. Raises, and may run any Lua code.
fn options(lua: &mut Lua) -> Options {
    lua.set_top(OPTIONS);
    if lua.absent(OPTIONS) {
        return Options::default();
    }
    if lua.kind(OPTIONS) != Type::Table {
        lua.type_error(OPTIONS, c"table");
    }
    let names: [&CStr; 3] = [c"hard", c"skip", c"timeout"];
    fields::only(lua, OPTIONS, &names);
    let hard = fields::boolean(lua, OPTIONS, c"hard").unwrap_or(false);
    let skip = fields::boolean(lua, OPTIONS, c"skip").unwrap_or(false);
    lua.get_field(OPTIONS, c"timeout");
    lua.replace(OPTIONS);
    let timeout = time::timeout(lua, OPTIONS).map(time::Time::kernel);
    Options { hard, skip, timeout }
}

/// The unsubmitted SQEs that are to be a chain.
#[derive(Clone, Copy)]
struct Members {
    first: Place,
    count: u32,
}

impl Members {
    /// Those of the list that is an argument. Raises.
    fn check(lua: &Lua, ring: &mut Ring) -> Members {
        let mut members: Option<Members> = None;
        let mut number = 0;
        loop {
            number += 1;
            let kind = lua.raw_get(KEY, number);
            let key = Key::from_raw(lua.pointer(-1));
            lua.pop();
            let found = match (kind, members) {
                (Type::Nil, Some(members)) => {
                    members.check_ties(lua, ring);
                    return members;
                }
                (Type::Light, _) => find(ring, key),
                _ => Err("not a key"),
            };
            match (found, &mut members) {
                (Ok(first), None) => members = Some(Members { first, count: 1 }),
                (Ok(place), Some(so_far)) if place == so_far.end() => so_far.count += 1,
                (Ok(_), _) => wrong(lua, number, "not queued right behind the one before it"),
                (Err(why), _) => wrong(lua, number, why),
            }
        }
    }

    fn places(self) -> impl Iterator<Item = Place> {
        let mut next = self.first;
        (0..self.count).map(move |_| {
            let place = next;
            next = place.next();
            place
        })
    }

    /// The place behind the last.
    fn end(self) -> Place {
        self.places().last().unwrap_or(self.first).next()
    }

    /// The last that is not another's timeout.
    fn last(self, ring: &mut Ring) -> Place {
        let members = self.places().filter(|place| !is_timeout(ring.unsubmitted_sqe(*place)));
        members.last().unwrap_or(self.first)
    }

    /// None is in a chain already, but with its own timeout, which is in the list too. Raises.
    fn check_ties(self, lua: &Lua, ring: &mut Ring) {
        let before = ring.before(self.first);
        let mut is_tied = |place| ring.unsubmitted_sqe(place).flags & (LINK | HARDLINK) != 0;
        let tied: u32 = self.places().map(|place| u32::from(is_tied(place))).sum();
        let last_is_tied = self.places().last().is_some_and(&mut is_tied);
        let before_is_tied = before.is_some_and(is_tied);
        let timeouts: u32 =
            self.places().skip(1).map(|place| u32::from(is_timeout(ring.unsubmitted_sqe(place)))).sum();
        if tied != timeouts || last_is_tied || before_is_tied {
            let why = "some are in a chain already, or one's timeout is not in the list behind it";
            lua.argument_error(KEY, Message::new(format_args!("{why}")));
        }
    }

    /// All but the last can be silent. Raises.
    fn check_skip(self, lua: &Lua, ring: &mut Ring) {
        if !ring.can_skip() {
            let why = "'skip' needs Linux 5.17, and a ring without IORING_SETUP_SQPOLL";
            lua.argument_error(OPTIONS, Message::new(format_args!("{why}")));
        }
        let last = self.last(ring);
        for (number, place) in (1..).zip(self.places()) {
            if place != last && !can_be_silent(ring, place) {
                wrong(
                    lua,
                    number,
                    "may complete more than once, or makes what must be closed: not with 'skip'",
                );
            }
        }
    }

    /// The last can get a timeout. Raises.
    fn check_timeout(self, lua: &Lua, ring: &mut Ring) {
        let last = self.places().last().unwrap_or(self.first);
        let why = match ring.newest() {
            Some(newest) if newest != last => "the last key is not the action that was queued last",
            _ if is_timeout(ring.unsubmitted_sqe(last)) => "the last action has a timeout already",
            _ => return,
        };
        lua.argument_error(KEY, Message::new(format_args!("{why}")))
    }

    /// Makes all but the last complete in silence, unless they fail.
    fn silence(self, ring: &mut Ring, hard: bool) {
        let last = self.last(ring);
        let first = key_at(ring, self.first);
        let mut before_last = true;
        let mut part = |ring: &mut Ring, place: Place| {
            before_last &= place != last;
            let timeout = is_timeout(ring.unsubmitted_sqe(place));
            let sqe = ring.unsubmitted_sqe(place);
            match before_last {
                true if timeout => Part::Quiet,
                true if hard && place == self.first => Part::Head,
                true if hard => Part::Hard,
                true => Part::Silent,
                false if place == last => Part::Last,
                false if sqe.flags & SKIP != 0 => Part::Quiet,
                false => Part::Heard,
            }
        };
        for place in self.places() {
            let part = part(ring, place);
            if matches!(part, Part::Silent | Part::Hard | Part::Quiet) {
                ring.unsubmitted_sqe(place).flags |= SKIP;
            }
            let key = key_at(ring, place);
            match place == self.first {
                true => ring.begin(place, (key, part)),
                false => ring.append(first, (key, part), place),
            }
        }
    }
}

fn key_at(ring: &mut Ring, place: Place) -> Key {
    Key::from_raw(ring.unsubmitted_sqe(place).user_data as usize)
}

/// Whether nothing is lost when an action's success is not heard of.
fn can_be_silent(ring: &mut Ring, place: Place) -> bool {
    let sqe = ring.unsubmitted_sqe(place);
    // SAFETY: numbers, of which every SQE has some.
    let (op_flags, len) = unsafe { (sqe.__bindgen_anon_3.rw_flags as u32, sqe.len) };
    let repeated = match u32::from(sqe.opcode) {
        // In these the field holds flags, such as those for more than one completion.
        sys::IORING_OP_ACCEPT | sys::IORING_OP_RECV | sys::IORING_OP_RECVMSG => sqe.ioprio != 0,
        sys::IORING_OP_POLL_ADD => len != 0,
        sys::IORING_OP_TIMEOUT => op_flags & flag::IORING_TIMEOUT_MULTISHOT != 0,
        opcode => {
            opcode != sys::IORING_OP_NOP
                && [
                    flag::IORING_OP_SEND_ZC,
                    flag::IORING_OP_SENDMSG_ZC,
                    flag::IORING_OP_READ_MULTISHOT,
                    flag::IORING_OP_URING_CMD,
                ]
                .contains(&opcode)
        }
    };
    let selects = sqe.flags & flag::IOSQE_BUFFER_SELECT as u8 != 0;
    let key = key_at(ring, place);
    let silent = ring.reply_of(key).is_some_and(|reply| {
        use Reply::*;
        matches!(
            reply,
            Nothing
                | Data
                | Into
                | Plain
                | Bytes
                | Strings
                | Stat
                | Child
                | Name
                | Option
                | Events
                | Cancelled
        )
    });
    silent && !repeated && !selects && !ring.is_noted(key)
}

fn wrong(lua: &Lua, number: u32, why: &str) -> ! {
    lua.argument_error(KEY, Message::new(format_args!("action {number}: {why}")))
}
