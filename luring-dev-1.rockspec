-- For a checkout: luarocks make. `make dist` makes a release's rockspec of this one.
rockspec_format = "3.0"
package = "luring"
version = "dev-1"

source = {
   url = "git+https://github.com/thislight/luring.git",
}

description = {
   summary = "io_uring for Lua",
   homepage = "https://github.com/thislight/luring",
   license = "Apache-2.0",
}

supported_platforms = { "linux" }
dependencies = { "lua >= 5.1, < 5.6" }
external_dependencies = {
   LIBURING = { header = "liburing.h" },
}

-- Needs cargo, make, pkg-config and libclang besides. luarocks itself puts the file into its
-- tree, so it can pack it into a binary rock as well.
build = {
   type = "make",
   build_target = "install",
   build_variables = { LUA = "$(LUA)", CFLAGS = "$(CFLAGS)", DESTDIR = "", LUA_CMOD_DIR = "target/rock",
      LUA_LMOD_DIR = "target/rock" },
   install_pass = false,
   install = {
      lib = { luring = "target/rock/luring.so" },
      lua = { ["luring.meta"] = "docs/meta.lua", ["luring.co.meta"] = "docs/meta_co.lua",
         ["luring.co.socket.meta"] = "docs/meta_socket.lua", ["luring.luv.meta"] = "docs/meta_luv.lua" },
   },
}

test_dependencies = { "busted" }
test = { type = "command", command = "make check" }
