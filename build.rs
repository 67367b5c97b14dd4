//! Finds the system's liburing, compiles a shim for the helpers that it has only
//! as static inline functions, and generates the bindings to both.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::exit;
use std::{env, fs, panic};

fn main() {
    println!("cargo:rerun-if-changed=wrapper.h");
    lua_traits();
    find_libclang();

    // Nothing is printed to cargo yet: the shim uses liburing, and a linker with
    // --as-needed drops a library that is named before anything needs it.
    let liburing = pkg_config::Config::new()
        .atleast_version("2.0") // which is what 2.1, the oldest it builds with, calls itself
        .cargo_metadata(false)
        .print_system_cflags(false)
        .env_metadata(true)
        .probe("liburing")
        .unwrap_or_else(|error| {
            give_up("luring needs liburing 2.1 or newer, found through pkg-config", &pkg_config_words(&error))
        });

    println!("cargo:rustc-env=LIBURING_VERSION={}", liburing.version);

    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let shim = out.join("shim.c");
    let includes = liburing.include_paths.iter().map(|path| format!("-I{}", path.display()));

    bindgen::Builder::default()
        .header("wrapper.h")
        .clang_args(includes)
        .clang_arg("-D_GNU_SOURCE")
        .clang_arg("-D_FILE_OFFSET_BITS=64")
        .allowlist_function("(io_uring|luring)_.*")
        .allowlist_function(FUNCTIONS)
        .allowlist_var("LURING_.*")
        .allowlist_var(CONSTANTS)
        .allowlist_var("(PROT|MAP|MADV)_[A-Z0-9_]+|POSIX_SPAWN_SET[A-Z]+|SIG_(BLOCK|UNBLOCK|SETMASK)|F_DUPFD_CLOEXEC|PATH_MAX|environ")
        .allowlist_type("sockaddr_(in|in6|un|storage)|__socket_type|iovec|msghdr|cmsghdr|statx|siginfo_t|open_how|timespec|time_t|signalfd_siginfo")
        .allowlist_type("idtype_t|EPOLL_EVENTS|epoll_event|futex_waitv|io_uring_.*|__kernel_timespec")
        .prepend_enum_name(false)
        .derive_debug(false)
        .generate_comments(false)
        .layout_tests(false)
        .rust_target(bindgen::RustTarget::stable(85, 0).unwrap_or_default())
        .rust_edition(bindgen::RustEdition::Edition2024)
        .formatter(bindgen::Formatter::None)
        .parse_callbacks(Box::new(bindgen::CargoCallbacks::new())) // build again when headers or clang's arguments change
        .wrap_static_fns(true)
        .wrap_static_fns_path(&shim)
        .wrap_static_fns_suffix("__shim")
        .generate()
        .unwrap_or_else(|error| {
            give_up("clang can't read liburing's headers, or has none of its own", &error.to_string())
        })
        .write_to_file(out.join("bindings.rs"))
        .expect("OUT_DIR can be written");
    scan(&out);

    cc::Build::new()
        .file(&shim)
        .include(".")
        .includes(&liburing.include_paths)
        .define("_GNU_SOURCE", None)
        .define("_FILE_OFFSET_BITS", "64")
        .flag_if_supported("-fvisibility=hidden")
        .warnings(false)
        .compile("luring_shim");

    // Lua closes its libraries before some finalizers run, and those may call this one.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    for path in &liburing.link_paths {
        println!("cargo:rustc-link-search=native={}", path.display());
    }
    for library in &liburing.libs {
        println!("cargo:rustc-link-lib=dylib={library}");
    }
}

/// What the module takes from the C library.
const FUNCTIONS: &str = "strerror|mmap|munmap|madvise|memmem\
    |open|close|pipe2|fcntl|lseek|ftruncate|fchmod|fchown|fileno|readlink|mknod|statx|utimensat|futimens\
    |socket|socketpair|listen|shutdown|getsockopt|setsockopt\
    |kill|eventfd|timerfd_(create|settime)|inotify_(init1|add_watch|rm_watch)|epoll_create1|signalfd|clock_gettime|waitid\
    |posix_spawnp|posix_spawn(attr|_file_actions)_.*|pthread_sigmask|sig(empty|fill|add)set|sigismember\
    |(get|free)addrinfo|gai_strerror|getpid|poll|pthread_(create|detach)|write";

/// The constants that Lua gets, by the names that the headers give them.
const CONSTANTS: &str = "SOCKET_URING_OP_[A-Z]+|(IORING|IOSQE|IOU|AF|SOCK|SOL|SO|SHUT|MSG|IPPROTO|IPV6|TCP|UDP|O|AT|STATX|S|SEEK|FALLOC_FL\
    |POSIX_FADV|SYNC_FILE_RANGE|SPLICE_F|RWF|RENAME|XATTR|RESOLVE|EPOLL|FUTEX2|CLD|P|IN|DT|TFD|EFD|SFD|CLOCK|PIDFD\
    |RLIMIT|AI|EAI)_[A-Z0-9_]+|POLL[A-Z]+|EPOLL[A-Z]+|E[A-Z0-9]+|SIG[A-Z0-9]+|UTIME_(NOW|OMIT)|W(NOHANG|UNTRACED|EXITED|STOPPED|CONTINUED|NOWAIT)|SOMAXCONN";

/// Flags that an older liburing lacks: they are zero then, and so refused or not set.
const FLAGS: [&str; 9] = [
    "IORING_SETUP_SUBMIT_ALL",
    "IORING_SETUP_COOP_TASKRUN",
    "IORING_SETUP_TASKRUN_FLAG",
    "IORING_SETUP_SQE128",
    "IORING_SETUP_CQE32",
    "IORING_SETUP_SINGLE_ISSUER",
    "IORING_SETUP_DEFER_TASKRUN",
    "IORING_SETUP_NO_SQARRAY",
    "IORING_SQ_TASKRUN",
];

/// Numbers that arguments and completions need: they are the kernel's, and so the same where the
/// headers are older than they are. These win over the headers'.
const KERNEL: [(&str, u32); 58] = [
    // Macros over the numbers of bits, which bindgen does not read.
    ("IOSQE_FIXED_FILE", 1 << 0),
    ("IOSQE_IO_DRAIN", 1 << 1),
    ("IOSQE_IO_LINK", 1 << 2),
    ("IOSQE_IO_HARDLINK", 1 << 3),
    ("IOSQE_ASYNC", 1 << 4),
    ("IOSQE_BUFFER_SELECT", 1 << 5),
    ("IOSQE_CQE_SKIP_SUCCESS", 1 << 6),
    // A complement, which bindgen reads as a negative number.
    ("IORING_FILE_INDEX_ALLOC", u32::MAX),
    ("IORING_CQE_F_SOCK_NONEMPTY", 1 << 2),
    ("IORING_CQE_F_NOTIF", 1 << 3),
    ("IORING_CQE_F_BUF_MORE", 1 << 4),
    ("IORING_RECVSEND_POLL_FIRST", 1 << 0),
    ("IORING_SEND_ZC_REPORT_USAGE", 1 << 3),
    ("IORING_TIMEOUT_BOOTTIME", 1 << 2),
    ("IORING_TIMEOUT_REALTIME", 1 << 3),
    ("IORING_TIMEOUT_ETIME_SUCCESS", 1 << 5),
    ("IORING_TIMEOUT_MULTISHOT", 1 << 6),
    ("IORING_ASYNC_CANCEL_ALL", 1 << 0),
    ("IORING_ASYNC_CANCEL_FD", 1 << 1),
    ("IORING_ASYNC_CANCEL_ANY", 1 << 2),
    ("IORING_ASYNC_CANCEL_FD_FIXED", 1 << 3),
    ("IORING_ASYNC_CANCEL_USERDATA", 1 << 4),
    ("IORING_ASYNC_CANCEL_OP", 1 << 5),
    ("IORING_FIXED_FD_NO_CLOEXEC", 1 << 0),
    ("IORING_ACCEPT_DONTWAIT", 1 << 1),
    ("IORING_ACCEPT_POLL_FIRST", 1 << 2),
    ("SOCKET_URING_OP_SIOCINQ", 0),
    ("SOCKET_URING_OP_SIOCOUTQ", 1),
    ("SOCKET_URING_OP_GETSOCKOPT", 2),
    ("SOCKET_URING_OP_SETSOCKOPT", 3),
    ("RESOLVE_NO_XDEV", 1),
    ("RESOLVE_NO_MAGICLINKS", 2),
    ("RESOLVE_NO_SYMLINKS", 4),
    ("RESOLVE_BENEATH", 8),
    ("RESOLVE_IN_ROOT", 16),
    ("RESOLVE_CACHED", 32),
    ("FUTEX2_SIZE_U8", 0),
    ("FUTEX2_SIZE_U16", 1),
    ("FUTEX2_SIZE_U32", 2),
    ("FUTEX2_SIZE_U64", 3),
    ("FUTEX2_NUMA", 4),
    ("FUTEX2_MPOL", 8),
    ("FUTEX2_PRIVATE", 128),
    ("FUTEX_BITSET_MATCH_ANY", u32::MAX),
    ("IORING_OP_MSG_RING", 40),
    ("IORING_OP_FSETXATTR", 41),
    ("IORING_OP_FGETXATTR", 43),
    ("IORING_OP_URING_CMD", 46),
    ("IORING_OP_SEND_ZC", 47),
    ("IORING_OP_SENDMSG_ZC", 48),
    ("IORING_OP_READ_MULTISHOT", 49),
    ("IORING_OP_FIXED_FD_INSTALL", 54),
    ("IORING_OP_FTRUNCATE", 55),
    ("IORING_OP_BIND", 56),
    ("IORING_OP_LISTEN", 57),
    ("IORING_OP_EPOLL_WAIT", 59),
    ("IORING_OP_READV_FIXED", 60),
    ("IORING_OP_WRITEV_FIXED", 61),
];

/// Reads the bindings for what this liburing has: `cfg(prep = "NAME")` for each
/// `io_uring_prep_NAME`, and the constants.
fn scan(out: &Path) {
    let bindings = fs::read_to_string(out.join("bindings.rs")).expect("bindgen has written it");
    println!("cargo:rustc-check-cfg=cfg(prep, values(any()))");
    println!("cargo:rustc-check-cfg=cfg(fuzzing)"); // scripts/fuzz
    let mut preps = String::new();
    for name in names(&bindings, "fn io_uring_prep_") {
        println!("cargo:rustc-cfg=prep=\"{name}\"");
        writeln!(preps, "pub use super::io_uring_prep_{name} as {name};").expect("a String takes all");
    }
    fs::write(out.join("prep.rs"), preps).expect("OUT_DIR can be written");

    let all = names(&bindings, "pub const ");
    let mut constants = String::new();
    let is_kernels = |name: &str| KERNEL.iter().any(|(known, _)| *known == name);
    for name in all.iter().filter(|name| !is_ours(name) && !is_kernels(name)) {
        writeln!(constants, "(c\"{name}\", crate::sys::{name} as i64),").expect("a String takes all");
    }
    let mut flags = String::new();
    for (name, value) in KERNEL {
        writeln!(flags, "pub const {name}: u32 = {value};").expect("a String takes all");
        writeln!(constants, "(c\"{name}\", {value}),").expect("a String takes all");
    }
    fs::write(out.join("constants.rs"), format!("&[\n{constants}]")).expect("OUT_DIR can be written");

    let errnos: Vec<String> = all
        .iter()
        .filter(|name| is_errno(name))
        .map(|name| format!("(\"{name}\", crate::sys::{name} as i64),\n"))
        .collect();
    fs::write(out.join("errnos.rs"), format!("&[\n{}]", errnos.concat())).expect("OUT_DIR can be written");

    for name in FLAGS {
        let value = if all.contains(&name) { format!("super::{name} as u32") } else { "0".to_owned() };
        writeln!(flags, "pub const {name}: u32 = {value};").expect("a String takes all");
    }
    fs::write(out.join("flags.rs"), flags).expect("OUT_DIR can be written");
}

/// The numbers of errors, without the second names of some.
fn is_errno(name: &str) -> bool {
    name.starts_with('E')
        && !name.contains('_')
        && !["EPOLL", "EOF", "EWOULDBLOCK", "EDEADLOCK", "ENOTSUP"]
            .iter()
            .any(|prefix| name.starts_with(prefix))
}

/// Constants that are the module's own business.
fn is_ours(name: &str) -> bool {
    ["LURING_", "PROT_", "MAP_", "MADV_", "POSIX_SPAWN_", "SIG_", "F_", "PATH_", "EOF", "_"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
        || !name.starts_with(|c: char| c.is_ascii_uppercase())
        || name.contains(|c: char| c.is_ascii_lowercase())
}

/// What follows `start` in the text, as far as it is a name.
fn names<'a>(text: &'a str, start: &str) -> Vec<&'a str> {
    let end = |rest: &&'a str| rest.find(|c: char| c != '_' && !c.is_ascii_alphanumeric());
    let mut names: Vec<&str> =
        text.split(start).skip(1).filter_map(|rest| end(&rest).and_then(|end| rest.get(..end))).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// bindgen panics where there is no libclang.
fn find_libclang() {
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let found = panic::catch_unwind(bindgen::clang_version);
    panic::set_hook(hook);
    if let Err(panic) = found {
        let words = panic.downcast_ref::<String>().map_or("", String::as_str);
        give_up("luring needs libclang, to read liburing's headers", words);
    }
}

/// What tells the Luas apart beyond mlua's names for them.
fn lua_traits() {
    let newer =
        ["LUA53", "LUA54", "LUA55"].iter().any(|lua| env::var_os(format!("CARGO_FEATURE_{lua}")).is_some());
    // Numbers are integers or floats; a string is copied before the collector runs.
    for trait_name in ["has_integers", "copies_first"] {
        println!("cargo:rustc-check-cfg=cfg({trait_name})");
        if newer {
            println!("cargo:rustc-cfg={trait_name}");
        }
    }
}

/// What pkg-config said, without the crate's advice, which is not for luring.
fn pkg_config_words(error: &pkg_config::Error) -> String {
    match error {
        pkg_config::Error::Failure { output, .. } | pkg_config::Error::ProbeFailure { output, .. } => {
            String::from_utf8_lossy(&output.stderr).into_owned()
        }
        pkg_config::Error::Command { cause, .. } => format!("pkg-config can't be run: {cause}"),
        other => other.to_string(),
    }
}

/// Ends the build with what is missing, and how to get it. Cargo shows these lines alone; for a
/// script that fails in another way, it would show all that was printed before.
fn give_up(what: &str, words: &str) -> ! {
    let lines = words.lines().filter(|line| !line.is_empty());
    for line in [what, INSTALL].iter().flat_map(|text| text.lines()).chain(lines) {
        println!("cargo::error={line}");
    }
    exit(0)
}

const INSTALL: &str = "\
Debian, Ubuntu: apt install gcc pkg-config liburing-dev libclang-dev
Fedora: dnf install gcc pkgconf-pkg-config liburing-devel clang-devel
Arch: pacman -S gcc pkgconf liburing clang
Alpine: apk add gcc musl-dev linux-headers pkgconf liburing-dev clang-dev";
