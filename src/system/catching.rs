//! Signals that `co.signal` waits for, caught by a handler: unlike a mask, it is reset by exec, and
//! so no business of the programs that this one starts.
//!
//! The handler notes the signal for all who wait for it, and counts one more on the eventfd of
//! each. It may run at any moment, on any thread, and so it takes no lock and no memory: what it
//! reads are numbers, each of which changes at once.

use super::errno::result;
use super::files::CLOSE_ON_EXEC;
use crate::functions::{Pushed, functions};
use crate::lua::{Lua, Message, RawState, Type};
use crate::sys;
use std::cell::Cell;
use std::ffi::c_int;
use std::mem::zeroed;
use std::sync::atomic::{AtomicI32, AtomicU32, AtomicU64, Ordering::SeqCst};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// One who waits: a loop, for a set of signals.
struct Watch {
    /// What Lua knows it by; no two have the same.
    number: AtomicU64,
    /// The signals, a bit each.
    signals: AtomicU64,
    /// Those that came and have not been asked for.
    noted: AtomicU64,
    /// Negative where nobody waits.
    event: AtomicI32,
    /// Whose it is: a forked child inherits the memory, and shares the eventfd.
    process: AtomicI32,
    /// How many handlers look at it.
    busy: AtomicU32,
}

/// As many as can wait at a time.
const PLACES: usize = 256;

static WATCHES: [Watch; PLACES] = [const {
    Watch {
        number: AtomicU64::new(0),
        signals: AtomicU64::new(0),
        noted: AtomicU64::new(0),
        event: AtomicI32::new(-1),
        process: AtomicI32::new(0),
        busy: AtomicU32::new(0),
    }
}; PLACES];

/// The last of Linux' signals.
const LAST: usize = 64;

/// A signal that is caught, or was.
struct Caught {
    /// How many wait for it.
    count: u32,
    /// What it did before.
    before: Option<sys::sigaction>,
}

thread_local! {
    /// How many of this thread wait for each signal: a signal is blocked on a thread, and caught by
    /// a process.
    static HERE: [Cell<u32>; LAST] = const { [const { Cell::new(0) }; LAST] };
    /// Which of these were blocked here before, a bit each.
    static BLOCKED: Cell<u64> = const { Cell::new(0) };
}

/// One more of this thread waits for a signal, which may come from now on.
fn let_in(signal: c_int) {
    HERE.with(|here| {
        let Some(count) = here.get(signal as usize - 1) else { return };
        if count.replace(count.get() + 1) == 0 && set_blocked(signal, sys::SIG_UNBLOCK) {
            BLOCKED.set(BLOCKED.get() | bit(signal));
        }
    });
}

/// One less. Those of another thread, if a Lua state has gone from one to another, are not counted.
fn keep_out(signal: c_int) {
    HERE.with(|here| {
        let Some(count) = here.get(signal as usize - 1).filter(|count| count.get() > 0) else { return };
        if count.replace(count.get() - 1) == 1 && BLOCKED.get() & bit(signal) != 0 {
            BLOCKED.set(BLOCKED.get() & !bit(signal));
            set_blocked(signal, sys::SIG_BLOCK);
        }
    });
}

/// What is done to signals, one thread at a time.
struct Signals {
    caught: [Caught; LAST],
    /// The last watch's.
    number: u64,
}

static SIGNALS: Mutex<Signals> =
    Mutex::new(Signals { caught: [const { Caught { count: 0, before: None } }; LAST], number: 0 });

/// Nothing that is done meanwhile calls Lua, and so nothing raises.
fn signals() -> MutexGuard<'static, Signals> {
    SIGNALS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn process() -> c_int {
    // SAFETY: takes nothing.
    unsafe { sys::getpid() }
}

fn bit(signal: c_int) -> u64 {
    1u64.checked_shl((signal - 1) as u32).unwrap_or(0)
}

/// The handler.
extern "C" fn note(signal: c_int) {
    let (bit, process) = (bit(signal), process());
    let (mut noted, mut inherited) = (false, false);
    for watch in &WATCHES {
        if watch.signals.load(SeqCst) & bit == 0 {
            continue;
        }
        // Its eventfd stays open from here on, or its signals are none any more.
        watch.busy.fetch_add(1, SeqCst);
        if watch.signals.load(SeqCst) & bit != 0 {
            if watch.process.load(SeqCst) == process {
                watch.noted.fetch_or(bit, SeqCst);
                // SAFETY: changes no memory, and errno not either.
                unsafe { sys::luring_count(watch.event.load(SeqCst)) };
                noted = true;
            } else {
                inherited = true;
            }
        }
        watch.busy.fetch_sub(1, SeqCst);
    }
    // In a forked child nobody waits for what its parent waits for.
    if inherited && !noted {
        // SAFETY: only the signal that is being handled changes.
        unsafe { sys::luring_end_by_default(signal) };
    }
}

/// What a fault of the program raises: a handler that returned from it would be called again at once.
const FAULTS: [u32; 4] = [sys::SIGSEGV, sys::SIGBUS, sys::SIGFPE, sys::SIGILL];

impl Signals {
    /// Waits for these signals: the watch, or `-errno`.
    fn watch(&mut self, wanted: u64) -> Result<&'static Watch, i64> {
        let place = WATCHES.iter().find(|watch| watch.event.load(SeqCst) < 0);
        let watch = place.ok_or(-i64::from(sys::ENFILE))?;
        // It counts signals, and each read takes one. It never blocks a write: so many never come.
        // SAFETY: takes numbers only.
        let event = result(unsafe { sys::eventfd(0, sys::EFD_SEMAPHORE as c_int | CLOSE_ON_EXEC) });
        if event < 0 {
            return Err(event);
        }
        self.number += 1;
        if watch.process.load(SeqCst) != process() {
            watch.busy.store(0, SeqCst); // the handlers of another process, or of none
        }
        watch.number.store(self.number, SeqCst);
        watch.noted.store(0, SeqCst);
        watch.event.store(event as c_int, SeqCst);
        watch.process.store(process(), SeqCst);
        for signal in signals_of(wanted) {
            watch.signals.fetch_or(bit(signal), SeqCst);
            if let Err(errno) = self.catch(signal) {
                watch.signals.fetch_and(!bit(signal), SeqCst);
                self.leave(watch);
                return Err(errno);
            }
        }
        Ok(watch)
    }

    /// The watch is no more.
    fn leave(&mut self, watch: &Watch) {
        // What comes while the signals are let go of is noted, and does nothing else.
        for signal in signals_of(watch.signals.load(SeqCst)) {
            self.let_go(signal);
        }
        watch.signals.store(0, SeqCst);
        if watch.process.load(SeqCst) == process() {
            while watch.busy.load(SeqCst) != 0 {
                std::thread::yield_now();
            }
        }
        // SAFETY: the watch's own, and no handler's any more.
        unsafe { sys::close(watch.event.load(SeqCst)) };
        watch.number.store(0, SeqCst);
        watch.event.store(-1, SeqCst);
    }

    fn catch(&mut self, signal: c_int) -> Result<(), i64> {
        let Some(caught) = self.caught.get_mut(signal as usize - 1) else {
            return Err(-i64::from(sys::EINVAL));
        };
        if FAULTS.contains(&(signal as u32)) {
            return Err(-i64::from(sys::EINVAL));
        }
        // SAFETY: numbers and null pointers, which may be zero.
        let mut before = unsafe { zeroed() };
        // SAFETY: there is room for what was; the handler may run at any moment.
        match result(unsafe { sys::luring_catch(signal, Some(note), &mut before) }) {
            0 => {} // it is caught already
            errno if errno < 0 => return Err(errno),
            _ => caught.before = Some(before),
        }
        caught.count += 1;
        let_in(signal);
        Ok(())
    }

    fn let_go(&mut self, signal: c_int) {
        let Some(caught) = self.caught.get_mut(signal as usize - 1) else { return };
        keep_out(signal);
        caught.count -= 1;
        if caught.count > 0 {
            return;
        }
        if let Some(before) = &caught.before {
            // SAFETY: this is what the system gave.
            unsafe { sys::luring_let_go(signal, Some(note), before) };
        }
    }
}

/// The numbers of the signals in a set.
fn signals_of(set: u64) -> impl Iterator<Item = c_int> {
    (1..=LAST as c_int).filter(move |signal| set & bit(*signal) != 0)
}

/// Blocks a signal on this thread, or lets it come. Tells whether it was blocked.
fn set_blocked(signal: c_int, how: u32) -> bool {
    // SAFETY: numbers only, which may be zero, and are then made sets.
    let (mut set, mut before): (sys::sigset_t, sys::sigset_t) = unsafe { (zeroed(), zeroed()) };
    // SAFETY: the sets are live.
    unsafe {
        sys::sigemptyset(&mut set);
        sys::sigaddset(&mut set, signal);
        sys::pthread_sigmask(how as c_int, &set, &mut before);
        sys::sigismember(&before, signal) == 1
    }
}

/// The watch that the userdata at `index` names, unless it has been left.
fn find(lua: &Lua, index: c_int) -> Option<&'static Watch> {
    let (memory, size) = lua.userdata(index);
    if size != size_of::<u64>() {
        return None;
    }
    // SAFETY: it is there, and that large.
    let number = unsafe { memory.cast::<u64>().read_unaligned() };
    WATCHES.iter().find(|watch| number != 0 && watch.number.load(SeqCst) == number)
}

functions! {
    /// `catch(signals)`: from now on these do nothing but that they are counted: what to ask, and
    /// the eventfd.
    fn catch(lua, wanted: set) {
        let number: *mut u64 = lua.push_userdata(size_of::<u64>()).cast();
        // SAFETY: it has just been made that large.
        unsafe { number.write(0) };
        lua.push_table();
        lua.push_function(forget);
        lua.set_field(-2, c"__gc");
        lua.set_metatable(-2);
        let watched = signals().watch(wanted);
        match watched {
            Ok(watch) => {
                // SAFETY: as above; it is on the stack.
                unsafe { number.write(watch.number.load(SeqCst)) };
                lua.push_integer(watch.event.load(SeqCst).into());
                Pushed(2)
            }
            Err(errno) => {
                lua.push_integer(errno);
                Pushed(1)
            }
        }
    }

    /// `take(caught)`: a signal that has come, which is then no more; or nil.
    fn take(lua) {
        let mut taken = 0;
        if let Some(watch) = find(lua, 1) {
            let noted = watch.noted.load(SeqCst);
            if noted != 0 {
                taken = noted.trailing_zeros() + 1;
                watch.noted.fetch_and(!bit(taken as c_int), SeqCst);
            }
        }
        if taken == 0 {
            lua.push_nil();
        } else {
            lua.push_integer(taken.into());
        }
        Pushed(1)
    }

    /// `let_go(caught)`: what the signals did before is done again.
    fn let_go(lua) {
        if let Some(watch) = find(lua, 1) {
            signals().leave(watch);
        }
        Pushed(0)
    }
}

/// The finalizer of what `catch` gives: a loop may never come to its end.
unsafe extern "C-unwind" fn forget(state: RawState) -> c_int {
    // SAFETY: Lua calls with a live state.
    unsafe { let_go(state) }
}

/// The signals in the list at `index`, a bit each. Raises.
fn set(lua: &mut Lua, index: c_int) -> u64 {
    if lua.kind(index) != Type::Table {
        lua.type_error(index, c"table");
    }
    let (mut set, mut number) = (0, 1);
    while lua.raw_get(index, number) != Type::Nil {
        match lua.integer(-1) {
            Ok(signal) if (1..=LAST as i64).contains(&signal) => set |= bit(signal as c_int),
            _ => lua.argument_error(index, Message::new(format_args!("no such signal"))),
        }
        lua.pop();
        number += 1;
    }
    lua.pop();
    set
}
