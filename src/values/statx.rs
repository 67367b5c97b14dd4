//! What statx says of a file.

use crate::lua::Lua;
use crate::sys;
use std::ffi::CStr;

/// Fields that older headers lack, at their places in the kernel's struct, and the bits of
/// `stx_mask` that say they are there.
const YOUNGER: [(u32, &CStr, Number); 9] = [
    (MNT_ID, c"stx_mnt_id", Number::U64(0x90)),
    (DIOALIGN, c"stx_dio_mem_align", Number::U32(0x98)),
    (DIOALIGN, c"stx_dio_offset_align", Number::U32(0x9c)),
    (SUBVOL, c"stx_subvol", Number::U64(0xa0)),
    (WRITE_ATOMIC, c"stx_atomic_write_unit_min", Number::U32(0xa8)),
    (WRITE_ATOMIC, c"stx_atomic_write_unit_max", Number::U32(0xac)),
    (WRITE_ATOMIC, c"stx_atomic_write_segments_max", Number::U32(0xb0)),
    (DIO_READ_ALIGN, c"stx_dio_read_offset_align", Number::U32(0xb4)),
    (WRITE_ATOMIC, c"stx_atomic_write_unit_max_opt", Number::U32(0xb8)),
];

/// STATX_MNT_ID and STATX_MNT_ID_UNIQUE.
const MNT_ID: u32 = 0x1000 | 0x4000;
const DIOALIGN: u32 = 0x2000;
const SUBVOL: u32 = 0x8000;
const WRITE_ATOMIC: u32 = 0x10000;
const DIO_READ_ALIGN: u32 = 0x20000;

/// A number at so many bytes from the struct's start.
#[derive(Clone, Copy)]
enum Number {
    U32(usize),
    U64(usize),
}

/// What the kernel fills in: where headers know less of it, they have spare room there.
const SIZE: usize = 256;
const _: () = assert!(size_of::<sys::statx>() == SIZE);

impl Number {
    fn read(self, stat: &sys::statx) -> u64 {
        let start: *const u8 = (&raw const *stat).cast();
        // SAFETY: the places lie within the struct, which the kernel has written to its end.
        unsafe {
            match self {
                Number::U32(at) => start.add(at).cast::<u32>().read_unaligned().into(),
                Number::U64(at) => start.add(at).cast::<u64>().read_unaligned(),
            }
        }
    }
}

/// Pushes the fields that `stx_mask` says are there, and those that always are. May raise.
pub fn push(lua: &mut Lua, stat: &sys::statx) {
    lua.push_record_for(28);
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
    for (mask, name, number) in YOUNGER {
        field(mask, name, number.read(stat));
    }
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
