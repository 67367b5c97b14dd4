//! What a zero-copy send says of itself.

use super::arg::{Arg, Place};
use super::integers::integer;
use crate::lua::{Lua, Message};
use crate::ring::in_flight::Reply;
use crate::sys::flag;
use std::ffi::{CStr, c_int};

/// IORING_SEND_ZC_REPORT_USAGE, or 0.
#[derive(Clone, Copy)]
pub struct ZcFlags(u32);

impl Arg for ZcFlags {
    type Wire = u32;

    fn check(lua: &mut Lua, index: c_int) -> ZcFlags {
        let flags = integer(lua, index, 0, u16::MAX.into()) as u32;
        let allowed = flag::IORING_SEND_ZC_REPORT_USAGE | flag::IORING_RECVSEND_POLL_FIRST;
        if flags & !allowed != 0 {
            // One of the others takes a string for a list of addresses, and sends what is there.
            let most = "IORING_SEND_ZC_REPORT_USAGE and IORING_RECVSEND_POLL_FIRST";
            lua.argument_error(index, Message::new(format_args!("no flags but {most}")));
        }
        ZcFlags(flags)
    }

    fn reply(self, reply: Reply) -> Reply {
        if self.0 & flag::IORING_SEND_ZC_REPORT_USAGE != 0 { Reply::ZeroCopyReport } else { reply }
    }

    fn place(self, _lua: &Lua, _block: &mut Place, _index: c_int) -> u32 {
        self.0
    }
}

/// IORING_NOTIF_USAGE_ZC_COPIED, which is the sign of the result.
const COPIED: u32 = 1 << 31;

/// What the result of a notification means.
pub fn usage(res: i32) -> &'static CStr {
    if res as u32 & COPIED != 0 { c"copied" } else { c"zerocopy" }
}
