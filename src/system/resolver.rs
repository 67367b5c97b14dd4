//! Names, looked up by the system's own resolver. That waits: so it is done in threads, which know
//! nothing of Lua, and whose answer is what can be read from a pipe.

use super::errno::{self, result};
use super::files::CLOSE_ON_EXEC;
use crate::functions::{Pushed, functions};
use crate::lua::{Bytes, Lua, Message, Type};
use crate::sys;
use crate::values::address::{self, Address};
use crate::values::fields;
use crate::values::integers::{bytes, path};
use std::collections::VecDeque;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::mem::{MaybeUninit, zeroed};
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

functions! {
    /// `getaddrinfo(host, service?, options?)`: the end of a pipe, from which what `addrinfo` takes
    /// can be read once the name has been looked up. See getaddrinfo(3).
    fn getaddrinfo(lua, host: path, service: service = None, options: options = Options::NONE) {
        match ask(host, service, options) {
            Ok(end) => i64::from(end),
            Err(errno) => -i64::from(errno),
        }
    }

    /// `addrinfo(bytes)`: the addresses in what was read there, as a list, or nil, a message, and
    /// the number of the error.
    fn addrinfo(lua, answer: bytes) {
        // SAFETY: the string is on the stack.
        let Some((failed, records)) = unsafe { &*answer }.split_first_chunk::<8>() else { unreadable(lua) };
        match number(failed) {
            0 => push_addresses(lua, records),
            code => push_failure(lua, code, number(&failed[4..])),
        }
    }
}

fn push_addresses(lua: &mut Lua, mut records: &[u8]) -> Pushed {
    lua.push_table();
    let mut count = 0;
    while let Some((len, rest)) = records.split_first_chunk::<4>() {
        let len = number(len) as usize;
        let address = rest.get(..len).and_then(Address::from_bytes).unwrap_or_else(|| unreadable(lua));
        records = rest.get(len..).unwrap_or_default();
        count += 1;
        address::push_table(lua, &address);
        lua.raw_set(-2, count);
    }
    if !records.is_empty() {
        unreadable(lua);
    }
    Pushed(1)
}

fn unreadable(lua: &Lua) -> ! {
    lua.argument_error(1, Message::new(format_args!("not what getaddrinfo's descriptor gives")))
}

fn number(bytes: &[u8]) -> i32 {
    bytes.first_chunk().map_or(-1, |bytes| i32::from_ne_bytes(*bytes))
}

/// Pushes nil, why there is no address, and the errno that is nearest to that. May raise.
fn push_failure(lua: &mut Lua, code: c_int, errno: c_int) -> Pushed {
    let nearest = match code {
        sys::EAI_SYSTEM => errno,
        sys::EAI_AGAIN => sys::EAGAIN as c_int,
        sys::EAI_MEMORY => sys::ENOMEM as c_int,
        sys::EAI_NONAME => sys::ENOENT as c_int,
        _ => sys::EINVAL as c_int,
    };
    lua.push_nil();
    match code {
        sys::EAI_SYSTEM => lua.push_bytes(errno::error_text(errno).as_bytes()),
        // SAFETY: the C library's own text, which stays.
        _ => lua.push_text(unsafe { CStr::from_ptr(sys::gai_strerror(code)) }),
    }
    lua.push_integer(nearest.into());
    Pushed(3)
}

/// What a lookup may be asked for.
#[derive(Clone, Copy)]
struct Options {
    family: c_int,
    flags: c_int,
}

impl Options {
    const NONE: Options = Options { family: sys::AF_UNSPEC as c_int, flags: 0 };
}

fn options(lua: &mut Lua, index: c_int) -> Options {
    if lua.kind(index) != Type::Table {
        lua.type_error(index, c"table");
    }
    fields::only(lua, index, &[c"family", c"flags"]);
    let most = c_int::MAX.into();
    Options {
        family: fields::integer(lua, index, c"family", Some(Options::NONE.family.into()), 0, most) as c_int,
        flags: fields::integer(lua, index, c"flags", Some(0), 0, most) as c_int,
    }
}

/// A port's number or a service's name. Raises.
fn service(lua: &mut Lua, index: c_int) -> Option<Bytes> {
    Some(path(lua, index))
}

// ---- lookups ----

/// How many threads there are at most: further names wait for one of them.
const MOST: usize = 8;

/// An answer's room: a pipe takes as much at once.
const ROOM: usize = 4096;

/// A name to be looked up.
struct Lookup {
    /// Each with a NUL at its end.
    host: Vec<u8>,
    service: Option<Vec<u8>>,
    options: Options,
    /// The pipe's other end, which is the lookup's own.
    answer: c_int,
}

/// Starts a lookup: where its answer can be read, or an errno.
fn ask(host: Bytes, service: Option<Bytes>, options: Options) -> Result<c_int, u32> {
    let host = copy(host)?;
    let service = service.map(copy).transpose()?;
    let resolver = Resolver::current()?;
    let mut ends = [-1; 2];
    // SAFETY: there is room for two descriptors.
    let made = result(unsafe { sys::pipe2(ends.as_mut_ptr(), CLOSE_ON_EXEC) });
    if made < 0 {
        return Err(made.unsigned_abs() as u32);
    }
    let lookup = Lookup { host, service, options, answer: ends[1] };
    resolver.begin(lookup).inspect_err(|_| {
        // SAFETY: just made, and nobody else knows it.
        unsafe { sys::close(ends[0]) };
    })?;
    Ok(ends[0])
}

/// A string with its NUL, for another thread.
fn copy(text: Bytes) -> Result<Vec<u8>, u32> {
    let mut copy = Vec::new();
    copy.try_reserve_exact(text.len() + 1).map_err(|_| sys::ENOMEM)?;
    // SAFETY: the string is on the stack.
    copy.extend_from_slice(unsafe { &*text });
    copy.push(0);
    Ok(copy)
}

impl Lookup {
    fn run(&self) {
        if !self.is_wanted() {
            return;
        }
        let mut answer = [0; ROOM];
        let len = self.look_up(&mut answer);
        // SAFETY: so many bytes are there. It has room, and SIGPIPE is blocked here.
        unsafe { sys::write(self.answer, answer.as_ptr().cast(), len as _) };
    }

    /// Whether the other end is still open.
    fn is_wanted(&self) -> bool {
        let mut end = sys::pollfd { fd: self.answer, events: 0, revents: 0 };
        // SAFETY: one, which is live.
        unsafe { sys::poll(&mut end, 1, 0) };
        end.revents & sys::POLLERR as i16 == 0
    }

    /// Writes the answer: an error of getaddrinfo's, errno, and the addresses, each with its length
    /// before it.
    fn look_up(&self, answer: &mut [u8; ROOM]) -> usize {
        // SAFETY: numbers and pointers, which may be zero.
        let mut hints: sys::addrinfo = unsafe { zeroed() };
        hints.ai_family = self.options.family;
        hints.ai_flags = self.options.flags;
        hints.ai_socktype = sys::SOCK_STREAM as c_int; // or each would come for every kind of socket
        let text = |bytes: &Vec<u8>| bytes.as_ptr().cast::<c_char>();
        let mut first = null_mut();
        // SAFETY: the texts end with a NUL; the hints are live; there is room for a pointer.
        let code = unsafe {
            sys::getaddrinfo(text(&self.host), self.service.as_ref().map_or(null(), text), &hints, &mut first)
        };
        let mut len = 0;
        let mut put = |bytes: &[u8]| match answer.get_mut(len..len + bytes.len()) {
            Some(room) => {
                room.copy_from_slice(bytes);
                len += bytes.len();
            }
            None => len = ROOM, // the rest would not fit either
        };
        put(&code.to_ne_bytes());
        put(&errno::last().to_ne_bytes());
        if code == 0 {
            let mut next: *const sys::addrinfo = first;
            // SAFETY: the C library's own list, whose addresses are as long as they say.
            while let Some(info) = unsafe { next.as_ref() } {
                next = info.ai_next;
                let (bytes, size) = (info.ai_addr.cast_const().cast::<u8>(), info.ai_addrlen);
                if bytes.is_null() {
                    continue;
                }
                let mut record = [0; 4 + size_of::<sys::sockaddr_storage>()];
                let Some(room) = record.get_mut(4..4 + size as usize) else { continue };
                // SAFETY: as above.
                unsafe { room.as_mut_ptr().copy_from_nonoverlapping(bytes, size as usize) };
                record[..4].copy_from_slice(&size.to_ne_bytes());
                put(&record[..4 + size as usize]);
            }
            // SAFETY: made above, freed once.
            unsafe { sys::freeaddrinfo(first) };
        }
        len
    }
}

impl Drop for Lookup {
    fn drop(&mut self) {
        // SAFETY: it is the lookup's own.
        unsafe { sys::close(self.answer) };
    }
}

/// A process's threads, and the names that wait for one.
struct Resolver {
    /// Whose threads they are: a forked child has none of them.
    pid: c_int,
    state: Mutex<State>,
}

struct State {
    threads: usize,
    waiting: VecDeque<Lookup>,
}

impl Resolver {
    /// This process's, which is never freed: a thread may be in it whenever the process ends.
    fn current() -> Result<&'static Resolver, u32> {
        static CURRENT: AtomicPtr<Resolver> = AtomicPtr::new(null_mut());
        // SAFETY: takes nothing.
        let pid = unsafe { sys::getpid() };
        loop {
            let current = CURRENT.load(Ordering::Acquire);
            // SAFETY: null, or one that is never freed.
            match unsafe { current.as_ref() } {
                Some(resolver) if resolver.pid == pid => return Ok(resolver),
                _ => {}
            }
            let state = Mutex::new(State { threads: 0, waiting: VecDeque::new() });
            let mut room: Vec<Resolver> = Vec::new();
            room.try_reserve_exact(1).map_err(|_| sys::ENOMEM)?;
            room.push(Resolver { pid, state });
            let new = room.leak().as_mut_ptr();
            // Whoever comes second looks again; what it made is lost, once in a process.
            let _ = CURRENT.compare_exchange(current, new, Ordering::AcqRel, Ordering::Acquire);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives a lookup to a new thread, or to the first that has nothing to do.
    fn begin(&'static self, lookup: Lookup) -> Result<(), u32> {
        let mut state = self.state();
        state.waiting.try_reserve(1).map_err(|_| sys::ENOMEM)?;
        state.waiting.push_back(lookup);
        if state.threads == MOST {
            return Ok(());
        }
        // The thread waits for the lock: should there be none, nobody has taken the lookup.
        state.threads += 1;
        if !start(self) {
            state.threads -= 1;
            if state.threads == 0 {
                state.waiting.pop_back();
                return Err(sys::EAGAIN);
            }
        }
        Ok(())
    }

    /// The next name, or none, and the thread ends.
    fn next(&self) -> Option<Lookup> {
        let mut state = self.state();
        let next = state.waiting.pop_front();
        if next.is_none() {
            state.threads -= 1;
        }
        next
    }
}

/// Starts a thread in which no signal arrives: they are the program's.
fn start(resolver: &'static Resolver) -> bool {
    // SAFETY: the sets are filled in before they are read; the thread is told of what is never freed.
    unsafe {
        let (mut all, mut before) = (MaybeUninit::uninit(), MaybeUninit::uninit());
        sys::sigfillset(all.as_mut_ptr());
        sys::pthread_sigmask(sys::SIG_SETMASK as c_int, all.as_ptr(), before.as_mut_ptr());
        let mut thread = MaybeUninit::uninit();
        let argument = (&raw const *resolver).cast_mut().cast();
        let failed = sys::pthread_create(thread.as_mut_ptr(), null(), Some(work), argument);
        if failed == 0 {
            sys::pthread_detach(thread.assume_init());
        }
        sys::pthread_sigmask(sys::SIG_SETMASK as c_int, before.as_ptr(), null_mut());
        failed == 0
    }
}

/// A thread: looks up one name after the other.
///
/// # Safety
/// `resolver` is one.
unsafe extern "C" fn work(resolver: *mut c_void) -> *mut c_void {
    // SAFETY: the caller's promise; it is never freed.
    let resolver = unsafe { &*resolver.cast::<Resolver>() };
    while let Some(lookup) = resolver.next() {
        lookup.run();
    }
    null_mut()
}
