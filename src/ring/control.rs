//! Control messages, beside a socket's data: see cmsg(3), whose macros these are.

use crate::sys;
use std::ffi::c_int;
use std::ptr::slice_from_raw_parts;

/// The kind, at level SOL_SOCKET, that brings descriptors.
pub const RIGHTS: c_int = 1;
/// The kind that brings one of the sender's process (SCM_PIDFD), which a program asks for by
/// SO_PASSPIDFD. Where there is none it is an error, which is negative.
const PIDFD: c_int = 4;

const HEADER: usize = size_of::<sys::cmsghdr>().next_multiple_of(size_of::<usize>());

/// How many bytes one with `len` bytes of data takes.
pub fn space(len: usize) -> usize {
    HEADER + len.next_multiple_of(size_of::<usize>())
}

/// Writes one, and gives the place behind it.
///
/// # Safety
/// There is `space` at `place`, aligned for a pointer, and `data` can be read.
pub unsafe fn put(place: *mut u8, level: c_int, kind: c_int, data: *const [u8]) -> *mut u8 {
    // SAFETY: the caller's promise; numbers only, which may be zero.
    unsafe {
        let mut header: sys::cmsghdr = std::mem::zeroed();
        header.cmsg_len = (HEADER + data.len()) as _;
        header.cmsg_level = level;
        header.cmsg_type = kind;
        place.cast::<sys::cmsghdr>().write(header);
        place.add(HEADER).copy_from_nonoverlapping(data.cast(), data.len());
        place.add(space(data.len()))
    }
}

/// One that was received.
pub struct Control {
    /// SOL_SOCKET, IPPROTO_IP, ...
    pub level: c_int,
    /// What it is at that level.
    pub kind: c_int,
    /// Its data.
    pub data: *const [u8],
}

/// Those of a message that was received.
///
/// # Safety
/// The kernel has filled them in, and they stay while the iterator is used.
#[allow(clippy::unnecessary_cast)] // the C libraries differ in the types of lengths
pub unsafe fn walk(message: &sys::msghdr) -> impl Iterator<Item = Control> {
    let start: *const u8 = message.msg_control.cast();
    let end = if start.is_null() { 0 } else { message.msg_controllen as usize };
    let mut at = 0;
    std::iter::from_fn(move || {
        if end < at + HEADER {
            return None;
        }
        // SAFETY: a header lies within the control data; the caller's promise.
        let header = unsafe { start.add(at).cast::<sys::cmsghdr>().read_unaligned() };
        let len = (header.cmsg_len as usize).clamp(HEADER, end - at) - HEADER;
        // SAFETY: as above.
        let data = slice_from_raw_parts(unsafe { start.add(at + HEADER) }, len);
        at += space(len);
        Some(Control { level: header.cmsg_level, kind: header.cmsg_type, data })
    })
}

/// The descriptors that came with a message.
///
/// # Safety
/// As `walk`.
pub unsafe fn brought(message: &sys::msghdr) -> impl Iterator<Item = c_int> {
    // SAFETY: the caller's promise.
    unsafe { walk(message) }
        .filter(|it| it.level == sys::SOL_SOCKET as c_int && matches!(it.kind, RIGHTS | PIDFD))
        // SAFETY: as above.
        .flat_map(|it| unsafe { descriptors(it.data) })
        .filter(|fd| *fd >= 0)
}

/// The descriptors in the data of such a control message.
///
/// # Safety
/// The data can be read while the iterator is used.
pub unsafe fn descriptors(data: *const [u8]) -> impl Iterator<Item = c_int> {
    let first: *const c_int = data.cast();
    // SAFETY: so many lie within the data.
    (0..data.len() / size_of::<c_int>()).map(move |number| unsafe { first.add(number).read_unaligned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::{Dice, rounds};
    use std::mem::zeroed;

    fn message(control: &mut [u64], len: usize) -> sys::msghdr {
        // SAFETY: numbers and pointers may be zero.
        let mut message: sys::msghdr = unsafe { zeroed() };
        message.msg_control = control.as_mut_ptr().cast();
        message.msg_controllen = len as _;
        message
    }

    fn walked(message: &sys::msghdr) -> Vec<(c_int, c_int, Vec<u8>)> {
        // SAFETY: the control data lives, and so do the parts of it.
        unsafe { walk(message).map(|it| (it.level, it.kind, (*it.data).to_vec())).collect() }
    }

    #[test]
    fn what_is_put_is_what_is_walked() {
        for seed in 0..rounds(500) as u64 {
            let mut dice = Dice::new(seed);
            let mut control = [0u64; 256];
            let (mut place, mut put_before, mut descriptors) =
                (control.as_mut_ptr().cast::<u8>(), Vec::new(), Vec::new());
            let mut room = 0;
            for _ in 0..dice.below(6) {
                let data: Vec<u8> = (0..dice.below(40)).map(|_| dice.any() as u8).collect();
                let (level, kind) = (dice.below(2) as c_int, dice.below(5) as c_int);
                // SAFETY: six of this size have room.
                let next = unsafe { put(place, level, kind, &*data) };
                assert_eq!(next as usize - place as usize, space(data.len()));
                (place, room) = (next, room + space(data.len()));
                if level == sys::SOL_SOCKET as c_int && [RIGHTS, PIDFD].contains(&kind) {
                    let whole = data.chunks_exact(4).map(|it| c_int::from_ne_bytes(it.try_into().unwrap()));
                    descriptors.extend(whole.filter(|fd| *fd >= 0));
                }
                put_before.push((level, kind, data));
            }
            let all = message(&mut control, room);
            assert_eq!(walked(&all), put_before);
            // SAFETY: the control data lives.
            assert_eq!(unsafe { brought(&all) }.collect::<Vec<_>>(), descriptors);
            // The kernel cuts what has no room.
            let cut = walked(&message(&mut control, dice.below(room + 1)));
            assert!(cut.len() <= put_before.len());
            for (number, (level, kind, data)) in cut.iter().enumerate() {
                let whole = &put_before[number];
                assert!((*level, *kind) == (whole.0, whole.1) && whole.2.starts_with(data));
                assert!(data.len() == whole.2.len() || number == cut.len() - 1);
            }
        }
    }

    #[test]
    fn what_is_no_control_data_is_not_read_past() {
        for seed in 0..rounds(1000) as u64 {
            let mut dice = Dice::new(seed);
            let len = dice.below(100);
            let mut control: Vec<u64> = (0..len.div_ceil(8)).map(|_| dice.any() >> dice.below(64)).collect();
            walked(&message(&mut control, len));
        }
        // SAFETY: numbers and pointers may be zero.
        assert!(walked(&unsafe { zeroed() }).is_empty());
    }
}
