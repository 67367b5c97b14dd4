# luring: builds, checks and installs the module. Thin over cargo: see `make help`.

LUA ?=
LUA_VERSION ?= $(or $(if $(LUA),$(shell $(LUA) scripts/lua-version.lua)),5.4)
PREFIX ?= /usr/local
LUA_CMOD_DIR ?= $(PREFIX)/lib/lua/$(LUA_ABI)
CARGO ?= cargo
CARGO_FLAGS ?=
CARGO_PROFILE ?= release
CARGO_TARGET_DIR ?= target
INSTALL ?= install

# LuaJIT loads modules from Lua 5.1's directory, and they are the same file.
LUA_ABI = $(if $(filter jit,$(LUA_VERSION)),5.1,$(LUA_VERSION))
FEATURE = lua$(subst .,,$(LUA_ABI))
LUA_VERSIONS ?= 5.1 jit 5.2 5.3 5.4 5.5

# Where cargo leaves its work, and where it is kept for each Lua.
BUILT = $(CARGO_TARGET_DIR)/$(if $(CARGO_BUILD_TARGET),$(CARGO_BUILD_TARGET)/)$(subst dev,debug,$(CARGO_PROFILE))
MODULES = $(CARGO_TARGET_DIR)/lua
MODULE = $(MODULES)/$(LUA_ABI)/luring.so

# cc reads CFLAGS but not CPPFLAGS, and rustc no LDFLAGS. The paths of this machine
# are no part of the module.
empty =
space = $(empty) $(empty)
CARGO_HOME_DIR = $(or $(CARGO_HOME),$(HOME)/.cargo)
build: export CFLAGS := $(strip $(CPPFLAGS) $(CFLAGS) -ffile-prefix-map=$(CURDIR)=luring)
build: export RUSTFLAGS := $(strip --remap-path-prefix=$(CURDIR)=luring --remap-path-prefix=$(CARGO_HOME_DIR)=cargo \
	$(addprefix -Clink-arg=,$(LDFLAGS)) $(RUSTFLAGS))
build: export CARGO_TARGET_DIR := $(CARGO_TARGET_DIR)

.PHONY: build install uninstall check demo deps bench clean help lua5.5

build: ## build for one Lua (LUA_VERSION: 5.1 5.2 5.3 5.4 5.5 jit)
	$(CARGO) build --profile $(CARGO_PROFILE) --no-default-features --features $(FEATURE) $(CARGO_FLAGS)
	@$(INSTALL) -D -m 644 $(BUILT)/libluring.so $(MODULE)

install: build ## put luring.so into $(DESTDIR)$(LUA_CMOD_DIR)
	$(INSTALL) -D -m 644 $(MODULE) $(DESTDIR)$(LUA_CMOD_DIR)/luring.so

uninstall: ## take it away again
	rm -f $(DESTDIR)$(LUA_CMOD_DIR)/luring.so

check: ## run every test on every Lua that is installed (LUA_VERSIONS narrows it)
	@MAKE="$(MAKE)" MODULES="$(MODULES)" scripts/check $(LUA_VERSIONS)

demo: ## build and run the module on real files and sockets
	@MAKE="$(MAKE)" MODULES="$(MODULES)" scripts/demo $(LUA_VERSION) $(LUA_VERSIONS)

deps: ## install what building and testing need, with the system's package manager
	@scripts/deps

clean: ## remove what was built
	$(CARGO) clean

help: ## list the targets
	@sed -n 's/^\([a-z0-9.-]*\):.*## \(.*\)/  \1 - \2/p' $(MAKEFILE_LIST)
