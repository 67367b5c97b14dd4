//! Descriptors that a loop waits for: counters, timers, changes of files, processes.

use super::errno::result;
use super::files::CLOSE_ON_EXEC;
use crate::functions::{Pushed, functions, unsigned};
use crate::lua::{Lua, Message};
use crate::sys;
use crate::values::descriptor::descriptor;
use crate::values::integers::{bytes, int, path};
use crate::values::time::{Time, duration};
use std::ffi::c_int;
use std::ptr::null_mut;

// EFD_CLOEXEC, TFD_CLOEXEC, IN_CLOEXEC and EPOLL_CLOEXEC are the kernel's O_CLOEXEC.
functions! {
    /// `eventfd(initval?, flags?)`. See eventfd(2).
    fn eventfd(lua, initval: unsigned = 0, flags: int = 0) {
        // SAFETY: takes numbers only.
        result(unsafe { sys::eventfd(initval, flags | CLOSE_ON_EXEC) })
    }

    /// `timerfd_create(clockid?, flags?)`: on CLOCK_MONOTONIC by default. See timerfd_create(2).
    fn timerfd_create(lua, clockid: int = sys::CLOCK_MONOTONIC as c_int, flags: int = 0) {
        // SAFETY: takes numbers only.
        result(unsafe { sys::timerfd_create(clockid as _, flags | CLOSE_ON_EXEC) })
    }

    /// `timerfd_settime(fd, flags, value, interval?)`; a value of 0 stops it. See
    /// timerfd_settime(2).
    fn timerfd_settime(lua, fd: descriptor, flags: int, value: duration, interval: duration = Time::ZERO) {
        let times = sys::itimerspec { it_value: value.libc(), it_interval: interval.libc() };
        // SAFETY: the times are live; null asks for nothing.
        result(unsafe { sys::timerfd_settime(fd, flags, &times, null_mut()) })
    }

    /// `inotify_init(flags?)`. See inotify_init1(2).
    fn inotify_init(lua, flags: int = 0) {
        // SAFETY: takes numbers only.
        result(unsafe { sys::inotify_init1(flags | CLOSE_ON_EXEC) })
    }

    /// `inotify_add_watch(fd, path, mask)`: the watch's number. See inotify_add_watch(2).
    fn inotify_add_watch(lua, fd: descriptor, path: path, mask: unsigned) {
        // SAFETY: the path ends with a NUL, and is on the stack.
        result(unsafe { sys::inotify_add_watch(fd, path.cast(), mask) })
    }

    /// `inotify_rm_watch(fd, wd)`. See inotify_rm_watch(2).
    fn inotify_rm_watch(lua, fd: descriptor, wd: int) {
        // SAFETY: takes numbers only.
        result(unsafe { sys::inotify_rm_watch(fd, wd) })
    }

    /// `inotify_events(bytes)`: what was read from an inotify descriptor, as a list of
    /// `{wd=, mask=, cookie=, name=}`. See inotify(7).
    fn inotify_events(lua, records: bytes) {
        lua.push_table();
        let mut at = 0;
        let mut count = 0;
        // SAFETY: the string is on the stack.
        while let Some(event) = Event::at(unsafe { &*records }, at) {
            count += 1;
            at = event.end;
            event.push(lua);
            lua.raw_set(-2, count);
        }
        if at != records.len() {
            lua.argument_error(1, Message::new(format_args!("not what an inotify descriptor gives")));
        }
        Pushed(1)
    }

    /// `epoll_create1(flags?)`. See epoll_create1(2).
    fn epoll_create1(lua, flags: int = 0) {
        // SAFETY: takes numbers only.
        result(unsafe { sys::epoll_create1(flags | CLOSE_ON_EXEC) })
    }

    /// `now()`: seconds on the clock that nobody sets.
    fn now(lua) {
        // SAFETY: numbers only, which may be zero.
        let mut time: sys::timespec = unsafe { std::mem::zeroed() };
        // SAFETY: there is room for the time.
        unsafe { sys::clock_gettime(sys::CLOCK_MONOTONIC as _, &mut time) };
        lua.push_number(time.tv_sec as f64 + time.tv_nsec as f64 / 1e9);
        Pushed(1)
    }

    /// `cpus()`: how many processors this process may use at a time.
    fn cpus(lua) {
        std::thread::available_parallelism().map_or(1, |cpus| cpus.get() as i64)
    }
}

/// A record of an inotify descriptor: `struct inotify_event` and the name after it.
struct Event<'a> {
    wd: i32,
    mask: u32,
    cookie: u32,
    name: &'a [u8],
    /// Where the next one begins.
    end: usize,
}

impl Event<'_> {
    fn at(records: &[u8], start: usize) -> Option<Event<'_>> {
        let number =
            |nth: usize| -> Option<[u8; 4]> { records.get(start + 4 * nth..)?.first_chunk().copied() };
        let name_at = start + 16;
        let end = name_at.checked_add(u32::from_ne_bytes(number(3)?) as usize)?;
        let name = records.get(name_at..end)?;
        Some(Event {
            wd: i32::from_ne_bytes(number(0)?),
            mask: u32::from_ne_bytes(number(1)?),
            cookie: u32::from_ne_bytes(number(2)?),
            name: name.split(|byte| *byte == 0).next().unwrap_or_default(),
            end,
        })
    }

    /// Pushes it as a table; `name` is there for what happened in a watched folder.
    fn push(&self, lua: &mut Lua) {
        lua.push_table();
        lua.set_integer(c"wd", self.wd.into());
        lua.set_integer(c"mask", self.mask.into());
        lua.set_integer(c"cookie", self.cookie.into());
        if !self.name.is_empty() {
            lua.push_bytes(self.name);
            lua.set_field(-2, c"name");
        }
    }
}
