//! io_uring for Lua: the module that `require "luring"` loads.
//!
//! `actions` has a row for each I/O action, `action` queues them and `reap` brings their
//! completions to callbacks. `ring` and what it is made of (`slab`, `buffers`, `callbacks`, `fork`)
//! know no Lua; `lua` is the one place that calls Lua's C API, and `handle` the userdata
//! between the two. `guard` ends what rings are left when a Lua state is closed.

mod action;
mod actions;
mod calls;
mod co;
#[cfg(test)]
mod dice;
mod functions;
mod guard;
mod handle;
mod lua;
mod pollable;
#[cfg(test)]
mod reference;
mod ring;
mod rings;
mod rows;
mod sys;
mod system;
mod values;

use lua::{Function, Lua, RawState};
use std::ffi::{CStr, c_int};
use system::{constants, probe};
use values::slot;

/// Functions that take a ring first, beside the actions: also `ring:name(...)`.
const METHODS: [(&CStr, Function); 18] = [
    (c"buf_ring", values::group::buf_ring),
    (c"chain", action::amend::chain),
    (c"cqe_flags", action::cqe_flags),
    (c"cqe_seen", action::cqe_seen),
    (c"do_cqes", action::do_cqes),
    (c"features", probe::features),
    (c"on_message", action::message::on_message),
    (c"pollable", pollable::pollable),
    (c"queue_exit", rings::queue_exit),
    (c"reserve", action::run::reserve),
    (c"run", action::run::run),
    (c"sqe_set_flags", action::amend::sqe_set_flags),
    (c"sqe_set_ioprio", action::amend::sqe_set_ioprio),
    (c"sqe_set_personality", action::amend::sqe_set_personality),
    (c"stop", action::run::stop),
    (c"submit", rings::submit),
    (c"submit_and_wait", rings::submit_and_wait),
    (c"sync_cancel", action::cancel::sync_cancel),
];

/// Functions that take no ring, beside those of `system`.
const FUNCTIONS: functions::Table = &[
    (c"available", probe::available),
    (c"buffer", values::buffer::buffer),
    (c"can", probe::can),
    (c"fixed", slot::fixed_of_slot),
    (c"has", values::integers::has),
    (c"more", action::more),
    (c"probe", probe::probe),
    (c"queue_init", rings::queue_init),
    (c"queue_init_params", rings::queue_init_params),
];

/// The module's own name and version.
const VERSION: &str = concat!("luring ", env!("CARGO_PKG_VERSION"));

/// All functions but the actions, by the name that Lua calls them by.
fn others() -> impl Iterator<Item = &'static rows::Entry> {
    METHODS.iter().chain(calls::CALLS).chain(FUNCTIONS).chain(system::FUNCTIONS.into_iter().flatten())
}

/// Makes the module's table.
///
/// # Safety
/// Lua calls this, with a live state, when the module is required.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn luaopen_luring(state: RawState) -> c_int {
    // SAFETY: the caller's promise.
    let lua = &mut unsafe { Lua::new(state) };
    lua.check_version();
    lua.set_top(0);
    lua.push_table();
    lua.push_table();
    let (module, methods) = (1, 2);
    for (name, function) in METHODS.iter().chain(actions::ACTIONS).chain(calls::CALLS) {
        lua.push_function(*function);
        lua.push_copy(-1);
        lua.set_field(module, name);
        lua.set_field(methods, name);
    }
    guard::register(lua);
    handle::register(lua, methods);
    for bits in ring::slab::Key::high_bits() {
        lua.push_light(bits);
        lua.pop();
    }
    lua.set_top(module);
    for (name, function) in FUNCTIONS.iter().chain(system::FUNCTIONS.into_iter().flatten()) {
        lua.push_function(*function);
        lua.set_field(module, name);
    }
    lua.push_bytes(VERSION.as_bytes());
    lua.set_field(module, c"_VERSION");
    constants::register(lua);
    1
}
