//! Finds the system's liburing, compiles a shim for the helpers that it has only
//! as static inline functions, and generates the bindings to both.

use std::{env, path::PathBuf};

fn main() {
    println!("cargo:rerun-if-changed=wrapper.h");
    lua_traits();

    // Nothing is printed to cargo yet: the shim uses liburing, and a linker with
    // --as-needed drops a library that is named before anything needs it.
    let liburing = pkg_config::Config::new()
        .atleast_version("2.0") // which is what 2.1, the oldest it builds with, calls itself
        .cargo_metadata(false)
        .print_system_cflags(false)
        .env_metadata(true)
        .probe("liburing")
        .unwrap_or_else(|error| missing_liburing(&error));

    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let shim = out.join("shim.c");
    let includes = liburing.include_paths.iter().map(|path| format!("-I{}", path.display()));

    bindgen::Builder::default()
        .header("wrapper.h")
        .clang_args(includes)
        .clang_arg("-D_GNU_SOURCE")
        .clang_arg("-D_FILE_OFFSET_BITS=64")
        .allowlist_function("(io_uring|luring)_.*")
        .allowlist_function("open|close|pipe2|socket|socketpair|listen|setsockopt")
        .allowlist_function("strerror|mmap|munmap|madvise")
        .allowlist_var("(IORING|LURING)_.*")
        .allowlist_var("(AF|SOCK|SOL|SO|MSG|O|SHUT)_[A-Z0-9_]+")
        .allowlist_var("E[A-Z0-9]+")
        .allowlist_var("(PROT|MAP|MADV)_[A-Z0-9_]+")
        .allowlist_type("sockaddr_(in|in6|un|storage)|__socket_type")
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
        .expect("bindgen could not read wrapper.h: is libclang installed? (Debian: libclang-dev; Fedora: clang-devel; Arch: clang; Alpine: clang-dev)")
        .write_to_file(out.join("bindings.rs"))
        .expect("OUT_DIR can be written");

    cc::Build::new()
        .file(&shim)
        .include(".")
        .includes(&liburing.include_paths)
        .define("_GNU_SOURCE", None)
        .define("_FILE_OFFSET_BITS", "64")
        .flag_if_supported("-fvisibility=hidden")
        .warnings(false)
        .compile("luring_shim");

    for path in &liburing.link_paths {
        println!("cargo:rustc-link-search=native={}", path.display());
    }
    for library in &liburing.libs {
        println!("cargo:rustc-link-lib=dylib={library}");
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

fn missing_liburing(error: &pkg_config::Error) -> ! {
    eprintln!("luring needs liburing 2.1 or newer, found through pkg-config. Install");
    eprintln!("  Debian, Ubuntu:  apt install liburing-dev pkg-config");
    eprintln!("  Fedora:          dnf install liburing-devel pkgconf-pkg-config");
    eprintln!("  Arch:            pacman -S liburing pkgconf");
    eprintln!("  Alpine:          apk add liburing-dev pkgconf");
    eprintln!("or set PKG_CONFIG_PATH to the folder of its liburing.pc.\n\n{error}");
    std::process::exit(1);
}
