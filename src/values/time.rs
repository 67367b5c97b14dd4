//! Times: seconds, which may have a fraction, or `{tv_sec=, tv_nsec=}`.

use super::arg::{Arg, Place, room};
use super::fields;
use crate::lua::{Lua, Message, Type};
use crate::sys;
use std::ffi::c_int;

/// A length of time, or a moment: whole seconds, and the nanoseconds after them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time {
    seconds: i64,
    nanoseconds: u32,
}

const SECOND: u32 = 1_000_000_000;

impl Time {
    /// No time at all.
    pub const ZERO: Time = Time { seconds: 0, nanoseconds: 0 };
    /// The present, where a moment is wanted.
    pub const NOW: Time = Time { seconds: 0, nanoseconds: sys::UTIME_NOW };

    /// For io_uring.
    pub fn kernel(self) -> sys::__kernel_timespec {
        sys::__kernel_timespec { tv_sec: self.seconds, tv_nsec: self.nanoseconds.into() }
    }

    /// For the C library, whose seconds may have 32 bits: the nearest time that it knows.
    #[allow(clippy::useless_conversion)] // on this machine, not on all
    pub fn libc(self) -> sys::timespec {
        // SAFETY: numbers only, which may be zero.
        let mut time: sys::timespec = unsafe { std::mem::zeroed() };
        let farthest = if self.seconds < 0 { sys::time_t::MIN } else { sys::time_t::MAX };
        time.tv_sec = self.seconds.try_into().unwrap_or(farthest);
        time.tv_nsec = self.nanoseconds as _;
        time
    }

    /// To the nearest nanosecond, but for a time that is not zero never zero: to a timer that
    /// would mean something else. None for what is no number or too large.
    fn of(seconds: f64) -> Option<Time> {
        let whole = seconds.floor();
        if !(i64::MIN as f64..i64::MAX as f64).contains(&whole) {
            return None;
        }
        let nanoseconds = ((seconds - whole) * f64::from(SECOND)).round() as u32;
        Some(match nanoseconds {
            SECOND.. => Time { seconds: whole as i64 + 1, nanoseconds: 0 },
            0 if seconds != whole => Time { seconds: whole as i64, nanoseconds: 1 },
            _ => Time { seconds: whole as i64, nanoseconds },
        })
    }
}

/// A length of time, or a moment, as an action's argument.
#[derive(Clone, Copy)]
pub struct Duration(sys::__kernel_timespec);

impl Arg for Duration {
    type Wire = *mut sys::__kernel_timespec;

    fn check(lua: &mut Lua, index: c_int) -> Duration {
        Duration(duration(lua, index).kernel())
    }

    fn room(self) -> usize {
        room(size_of::<sys::__kernel_timespec>())
    }

    fn place(self, _lua: &Lua, block: &mut Place, _index: c_int) -> *mut sys::__kernel_timespec {
        // SAFETY: `room` asked for it.
        unsafe { block.put(self.0) }
    }
}

/// A length of time at `index`. Raises for one that is negative, not a number or endless,
/// and may run any Lua code.
pub fn duration(lua: &mut Lua, index: c_int) -> Time {
    time(lua, index, 0, SECOND - 1).unwrap_or_else(|| {
        lua.argument_error(
            index,
            Message::new(format_args!("must be a time of 0 seconds or more, and less than 2^63")),
        )
    })
}

/// How long to wait at the most: None, for ever, where there is nothing at `index`, or
/// `math.huge`. Raises as `duration` does.
pub fn timeout(lua: &mut Lua, index: c_int) -> Option<Time> {
    let forever = lua.absent(index) || lua.number(index) == Some(f64::INFINITY);
    (!forever).then(|| duration(lua, index))
}

/// A moment at `index`, in seconds since 1970, before which it is negative. `tv_nsec` may be
/// UTIME_NOW or UTIME_OMIT too. Raises, and may run any Lua code.
pub fn moment(lua: &mut Lua, index: c_int) -> Time {
    time(lua, index, i64::MIN, sys::UTIME_NOW)
        .unwrap_or_else(|| lua.argument_error(index, Message::new(format_args!("must be a time in seconds"))))
}

fn time(lua: &mut Lua, index: c_int, least: i64, most_nanoseconds: u32) -> Option<Time> {
    if lua.kind(index) == Type::Table {
        let seconds = fields::integer(lua, index, c"tv_sec", None, least, i64::MAX);
        let nanoseconds = fields::integer(lua, index, c"tv_nsec", Some(0), 0, most_nanoseconds.into());
        return Some(Time { seconds, nanoseconds: nanoseconds as u32 });
    }
    let seconds = lua.number(index).unwrap_or_else(|| lua.type_error(index, c"number"));
    if seconds < least as f64 { None } else { Time::of(seconds) }
}

#[cfg(test)]
mod tests {
    use super::Time;

    fn of(seconds: f64) -> (i64, u32) {
        Time::of(seconds).map_or((-1, 1), |time| (time.seconds, time.nanoseconds))
    }

    #[test]
    fn seconds_are_cut_into_whole_ones_and_nanoseconds() {
        assert_eq!(of(0.0), (0, 0));
        assert_eq!(of(-0.0), (0, 0));
        assert_eq!(of(1.5), (1, 500_000_000));
        assert_eq!(of(1.1), (1, 100_000_000));
        assert_eq!(of(-0.25), (-1, 750_000_000));
        assert_eq!(of(0.999_999_999_9), (1, 0));
        assert_eq!(of(1e15), (1_000_000_000_000_000, 0));
    }

    #[test]
    fn a_short_time_is_not_none() {
        assert_eq!(of(1e-12), (0, 1));
        assert_eq!(of(f64::MIN_POSITIVE), (0, 1));
    }

    #[test]
    fn what_is_no_time_is_none() {
        for seconds in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 9_223_372_036_854_775_807.0] {
            assert_eq!(Time::of(seconds), None);
        }
    }
}
