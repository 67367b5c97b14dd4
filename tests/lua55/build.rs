//! Builds Lua 5.5 with its API checks on: an interpreter that ends at the first wrong
//! use of the C API. All of its symbols are exported, for modules to find.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let lua = lua_src::Build::new().debug(true).build(lua_src::Lua55);
    println!("cargo:rustc-link-search=native={}", lua.lib_dir().display());
    for argument in ["-rdynamic", "-Wl,--whole-archive", "-llua5.5", "-Wl,--no-whole-archive", "-ldl", "-lm"]
    {
        println!("cargo:rustc-link-arg={argument}");
    }
}
