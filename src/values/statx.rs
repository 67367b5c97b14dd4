//! What statx says of a file.

use crate::lua::Lua;
use crate::sys;
use std::ffi::CStr;

/// Pushes the fields that `stx_mask` says are there, and those that always are. May raise.
pub fn push(lua: &mut Lua, stat: &sys::statx) {
    lua.push_record_for(24);
    let mut field = |mask: u32, name: &CStr, value: u64| {
        if mask == 0 || stat.stx_mask & mask != 0 {
            lua.push_integer(value as i64);
            lua.set_field(-2, name);
        }
    };
    field(0, c"stx_mask", stat.stx_mask.into());
    field(0, c"stx_blksize", stat.stx_blksize.into());
    field(0, c"stx_attributes", stat.stx_attributes);
    field(0, c"stx_attributes_mask", stat.stx_attributes_mask);
    field(0, c"stx_rdev_major", stat.stx_rdev_major.into());
    field(0, c"stx_rdev_minor", stat.stx_rdev_minor.into());
    field(0, c"stx_dev_major", stat.stx_dev_major.into());
    field(0, c"stx_dev_minor", stat.stx_dev_minor.into());
    field(sys::STATX_TYPE | sys::STATX_MODE, c"stx_mode", stat.stx_mode.into());
    field(sys::STATX_NLINK, c"stx_nlink", stat.stx_nlink.into());
    field(sys::STATX_UID, c"stx_uid", stat.stx_uid.into());
    field(sys::STATX_GID, c"stx_gid", stat.stx_gid.into());
    field(sys::STATX_INO, c"stx_ino", stat.stx_ino);
    field(sys::STATX_SIZE, c"stx_size", stat.stx_size);
    field(sys::STATX_BLOCKS, c"stx_blocks", stat.stx_blocks);
    let times = [
        (sys::STATX_ATIME, c"stx_atime", stat.stx_atime.tv_sec, stat.stx_atime.tv_nsec),
        (sys::STATX_MTIME, c"stx_mtime", stat.stx_mtime.tv_sec, stat.stx_mtime.tv_nsec),
        (sys::STATX_CTIME, c"stx_ctime", stat.stx_ctime.tv_sec, stat.stx_ctime.tv_nsec),
        (sys::STATX_BTIME, c"stx_btime", stat.stx_btime.tv_sec, stat.stx_btime.tv_nsec),
    ];
    for (mask, name, seconds, nanoseconds) in times {
        if stat.stx_mask & mask != 0 {
            lua.push_record_for(2);
            lua.push_integer(seconds);
            lua.set_field(-2, c"tv_sec");
            lua.push_integer(nanoseconds.into());
            lua.set_field(-2, c"tv_nsec");
            lua.set_field(-2, name);
        }
    }
}
