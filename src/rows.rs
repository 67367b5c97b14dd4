//! What a row of `crate::actions` is, and what is made of it.

use crate::lua::Function;
use std::ffi::CStr;

/// An action or another function, by the name that Lua calls it by.
pub type Entry = (&'static CStr, Function);

/// What the documentation is made of.
#[cfg(test)]
#[derive(Debug)]
pub struct Row {
    /// What Lua calls it.
    pub name: &'static str,
    /// Its comment, a line each.
    pub doc: &'static [&'static str],
    /// Its arguments after the ring, and their kinds.
    pub args: &'static [(&'static str, &'static str)],
    /// What the callback gets.
    pub reply: &'static str,
    /// The liburing that it needs, if the oldest does not have it.
    pub needs: Option<&'static str>,
}

/// A name with the zero that C wants.
pub const fn c_name(name: &'static str) -> &'static CStr {
    match CStr::from_bytes_with_nul(name.as_bytes()) {
        Ok(name) => name,
        Err(_) => panic!("a name holds no NUL"), // at compile time
    }
}

/// Rows read like the man page of liburing's helper:
///
/// ```text
/// /// What it does.
/// fn name(argument: Kind, ...) [mostly (Kind, ...)] -> Reply [in memory] [needs "prep" "version"] [= |sqe| prep::name(sqe, ...)];
/// ```
///
/// An argument is its wire in the body, which is what liburing takes: without a body, the
/// helper of the row's name is called with all of them, and with the reply's memory last. What
/// an action mostly gets is tried first, where its kinds are simpler. A row that needs a newer
/// liburing than there is raises an error that says so.
macro_rules! rows {
    ($($(#[doc = $doc:literal])*
    fn $name:ident($($arg:ident: $kind:ty),*) $(mostly ($($simple:ty),*))? -> $reply:ident $(in $memory:ident)?
        $(needs $prep:literal $version:literal)? $(= |$sqe:ident| $body:expr)?;)*) => {
        $(
            $(#[doc = $doc])*
            $(#[cfg(prep = $prep)])?
            unsafe extern "C-unwind" fn $name(state: $crate::lua::RawState) -> std::ffi::c_int {
                struct Row;

                impl $crate::action::Action for Row {
                    type Args = ($($kind,)*);
                    type Simple = rows!(@simple ($($kind,)*) $(($($simple,)*))?);
                    type Answer = $reply;

                    #[inline]
                    unsafe fn prep(
                        sqe: $crate::action::Sqe,
                        _memory: <$reply as $crate::values::reply::Answer>::Memory,
                        ($($arg,)*): <Self::Args as $crate::values::arg::Args>::Wires,
                    ) {
                        // SAFETY: the SQE is free, and the memory there while in flight, the
                        // caller says.
                        unsafe { rows!(@prep sqe, _memory, $name, ($($arg),*), ($($memory)?), $(|$sqe| $body)?) }
                    }
                }

                // SAFETY: Lua calls with a live state.
                unsafe { $crate::action::queue::<Row>(state) }
            }

            $(
                #[cfg(not(prep = $prep))]
                unsafe extern "C-unwind" fn $name(state: $crate::lua::RawState) -> std::ffi::c_int {
                    // SAFETY: Lua calls with a live state.
                    let lua = &mut unsafe { $crate::lua::Lua::new(state) };
                    $crate::system::refusal::missing(lua, stringify!($name), $version)
                }
            )?
            // Where a row is missing, its kinds count as used all the same.
            const _: fn(&mut $crate::lua::Lua, std::ffi::c_int) -> ($($kind,)*) =
                <($($kind,)*) as $crate::values::arg::Args>::check;
            const _: $crate::ring::in_flight::Reply = <$reply as $crate::values::reply::Answer>::REPLY;
        )*

        /// Every action, by the name that Lua calls it by.
        pub const ACTIONS: &[$crate::rows::Entry] =
            &[$(($crate::rows::c_name(concat!(stringify!($name), "\0")), $name),)*];

        /// Those that this build's liburing does not have.
        pub const MISSING: &[&std::ffi::CStr] =
            &[$($(#[cfg(not(prep = $prep))] $crate::rows::c_name(concat!(stringify!($name), "\0")),)?)*];

        /// What there is to say about each.
        #[cfg(test)]
        pub const ROWS: &[$crate::rows::Row] = &[$($crate::rows::Row {
            name: stringify!($name),
            doc: &[$($doc),*],
            args: &[$((stringify!($arg), stringify!($kind))),*],
            reply: stringify!($reply),
            needs: rows!(@needs $($version)?),
        },)*];
    };

    (@prep $from:ident, $of:ident, $name:ident, ($($arg:ident),*), (), |$sqe:ident| $body:expr) => {{
        let $sqe = $from;
        $body
    }};
    (@prep $from:ident, $of:ident, $name:ident, ($($arg:ident),*), ($memory:ident), |$sqe:ident| $body:expr) => {{
        let ($sqe, $memory) = ($from, $of);
        $body
    }};
    (@prep $from:ident, $of:ident, $name:ident, ($($arg:ident),*), (), ) => {
        $crate::sys::prep::$name($from $(, $arg)*)
    };
    (@prep $from:ident, $of:ident, $name:ident, ($($arg:ident),*), ($memory:ident), ) => {
        $crate::sys::prep::$name($from $(, $arg)*, $of)
    };
    (@simple ($($kind:ty,)*)) => { ($($kind,)*) };
    (@simple ($($kind:ty,)*) ($($simple:ty,)*)) => { ($($simple,)*) };
    (@needs) => { None };
    (@needs $version:literal) => { Some($version) };
}

pub(crate) use rows;
