//! Why the system makes no ring, in words that say what to do.

use super::errno::error_text;
use crate::lua::{Lua, Message};
use crate::ring::Errno;
use crate::sys;
use std::fs::File;
use std::io::Read;

const WHAT: &str = "could not initialise queue";

/// The message for flags that this build of luring does not know.
pub fn unknown_flags(flags: u32) -> Message {
    let text = error_text(sys::EINVAL as i32);
    Message::new(format_args!(
        "{WHAT}: {text} (flags 0x{flags:x} are not known to this luring and its liburing)"
    ))
}

/// Raises for a function that this build's liburing does not have.
#[allow(dead_code)] // where liburing has them all
pub fn missing(lua: &Lua, name: &str, version: &str) -> ! {
    lua.error(Message::new(format_args!(
        "luring.{name}: needs liburing {version}, built with {}",
        env!("LIBURING_VERSION")
    )))
}

/// The message where it is not the system that refuses.
pub fn because(why: &str) -> Message {
    let text = error_text(sys::ECANCELED as i32);
    Message::new(format_args!("{WHAT}: {text} ({why})"))
}

/// The message for what the system said.
pub fn message(errno: Errno, entries: u32, cq_entries: Option<u32>) -> Message {
    let text = error_text(errno.0);
    let os = System::look();
    match errno.0 as u32 {
        sys::EPERM => match os.disabled {
            Some(level @ 1..) => Message::new(format_args!(
                "{WHAT}: {text} (io_uring is switched off: the sysctl kernel.io_uring_disabled is {level}; \
                 0 lets everybody use it, 1 the group of kernel.io_uring_group)"
            )),
            _ => Message::new(format_args!(
                "{WHAT}: {text} (a security policy refuses io_uring, most likely the seccomp filter of a \
                 container: allow io_uring_setup, io_uring_enter and io_uring_register in it)"
            )),
        },
        sys::EACCES => Message::new(format_args!(
            "{WHAT}: {text} (a security module, such as SELinux, refuses io_uring to this program)"
        )),
        sys::ENOSYS if os.kernel >= (5, 1) => Message::new(format_args!(
            "{WHAT}: {text} (Linux {}.{} has io_uring: a seccomp filter or an emulator such as qemu-user \
             hides it, or the kernel was built without CONFIG_IO_URING)",
            os.kernel.0, os.kernel.1
        )),
        sys::ENOSYS => Message::new(format_args!(
            "{WHAT}: {text} (io_uring needs Linux 5.1 or newer, this is {}.{})",
            os.kernel.0, os.kernel.1
        )),
        sys::ENOMEM => Message::new(format_args!(
            "{WHAT}: {text} (the limit on locked memory is {} KiB: raise it with ulimit -l, or ask for fewer \
             than {entries} entries)",
            os.locked_memory / 1024
        )),
        sys::EINVAL if entries == 0 || entries > 32768 => {
            Message::new(format_args!("{WHAT}: {text} (entries must be between 1 and 32768)"))
        }
        sys::EINVAL if cq_entries.is_some_and(|room| room > 65536 || powers(room) < powers(entries)) => {
            Message::new(format_args!(
                "{WHAT}: {text} (cq_entries must be between entries, {entries}, and 65536)"
            ))
        }
        sys::EINVAL => Message::new(format_args!(
            "{WHAT}: {text} (this kernel does not take these flags, or not together)"
        )),
        _ => Message::new(format_args!("{WHAT}: {text}")),
    }
}

/// How many doublings of one the kernel makes of a number of entries.
fn powers(entries: u32) -> u32 {
    entries.next_power_of_two().trailing_zeros()
}

/// What decides whether io_uring can be had.
struct System {
    kernel: (u32, u32),
    disabled: Option<u32>,
    locked_memory: u64,
}

impl System {
    fn look() -> System {
        let mut room = [0; 64];
        System {
            kernel: version(read("/proc/sys/kernel/osrelease", &mut room)),
            disabled: read("/proc/sys/kernel/io_uring_disabled", &mut room).trim().parse().ok(),
            // SAFETY: takes nothing.
            locked_memory: unsafe { sys::luring_locked_memory_limit() },
        }
    }
}

/// The beginning of a file's text. Takes no memory, which may be what there is none of.
fn read<'a>(path: &str, room: &'a mut [u8]) -> &'a str {
    let len = File::open(path).and_then(|mut file| file.read(room)).unwrap_or(0);
    room.get(..len).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default()
}

/// The first two numbers of a kernel's release.
fn version(release: &str) -> (u32, u32) {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(|number| number.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn a_release_gives_its_first_two_numbers() {
        assert_eq!(version("6.18.44-fc-v782\n"), (6, 18));
        assert_eq!(version("5.4"), (5, 4));
        assert_eq!(version(""), (0, 0));
    }
}
