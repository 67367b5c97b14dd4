# luring: builds, checks and installs the module. Thin over cargo: see `make help`.

LUA ?=
ifndef LUA_VERSION
LUA_VERSION := $(if $(LUA),$(or $(shell $(LUA) scripts/lua-version.lua),that of $(LUA)),5.4)
endif
PREFIX ?= /usr/local
LUA_CMOD_DIR ?= $(PREFIX)/lib/lua/$(LUA_ABI)
LUA_LMOD_DIR ?= $(PREFIX)/share/lua/$(LUA_ABI)
# pkg-config gives nothing for a Lua that it does not know.
$(foreach folder,LUA_CMOD_DIR LUA_LMOD_DIR,$(if $($(folder)),,$(error $(folder) is empty: it is a folder to install into)))
MAN_DIR ?= $(PREFIX)/share/man
MAN_PAGE ?= luring.3
DOC_DIR ?= $(PREFIX)/share/doc/luring
LICENSE_DIR ?= $(DOC_DIR)
CARGO ?= cargo
CARGO_FLAGS ?=
CARGO_PROFILE ?= release
CARGO_TARGET_DIR ?= target
INSTALL ?= install
EMMYLUA_CHECK ?= emmylua_check

# LuaJIT loads modules from Lua 5.1's directory, and they are the same file.
LUA_ABI = $(if $(filter jit,$(LUA_VERSION)),5.1,$(LUA_VERSION))
FEATURE = lua$(subst .,,$(LUA_ABI))
LUAS = 5.1 jit 5.2 5.3 5.4 5.5
LUA_VERSIONS ?= $(LUAS)

# What follows is done for one Lua that there is.
ONE_LUA = $(if $(filter $(foreach lua,$(LUAS),<$(lua)>),<$(LUA_VERSION)>),,\
	$(error LUA_VERSION is one of: $(LUAS), not: $(LUA_VERSION)))

# Where cargo leaves its work, and where it is kept for each Lua.
BUILT = $(CARGO_TARGET_DIR)/$(if $(CARGO_BUILD_TARGET),$(CARGO_BUILD_TARGET)/)$(subst dev,debug,$(CARGO_PROFILE))
MODULES = $(CARGO_TARGET_DIR)/lua
MODULE = $(MODULES)/$(LUA_ABI)/luring.so

# cc reads CFLAGS but not CPPFLAGS, and rustc no LDFLAGS. The paths of this machine are no
# part of the module. Rust links musl statically, which a shared object can't have. Crates
# that were unpacked into vendor/ are used, and the network is not.
SHIM_FLAGS = $(strip -fstack-protector-strong $(CPPFLAGS) $(CFLAGS) \
	-ffile-prefix-map=$(CURDIR)=luring -ffile-prefix-map=$(abspath $(CARGO_TARGET_DIR))=target)
RUST_FLAGS = $(strip --remap-path-prefix=$(CURDIR)=luring --remap-path-prefix=$(or $(CARGO_HOME),$(HOME)/.cargo)=cargo \
	--remap-path-prefix=$(abspath $(CARGO_TARGET_DIR))=target $(addprefix -Clink-arg=,$(LDFLAGS)) \
	$(if $(findstring -musl,$(CARGO_BUILD_TARGET)),-Ctarget-feature=-crt-static) $(RUSTFLAGS))
VENDORED = $(if $(wildcard vendor/config.toml),--locked --offline --config vendor/config.toml)

# What is installed once, whatever the Lua. `make install` lists what each Lua gets. All
# packages are made with these two: what is added here is in each of them.
CHANGELOG = CHANGELOG.md
DOCUMENTS = README.md $(CHANGELOG) $(filter-out docs/packaging.md docs/releasing.md docs/hardening.md %.lua %.3,$(wildcard docs/*)) examples
LICENSES = LICENSE NOTICE $(wildcard vendor/LICENSES)

# What is removed again: the folders of the annotations, from the innermost on, and files.
ANNOTATIONS = $(addprefix $(DESTDIR)$(LUA_LMOD_DIR)/,luring/co/socket luring/co luring/luv luring)
PAGES = $(MAN_PAGE) $(basename $(MAN_PAGE)).co$(suffix $(MAN_PAGE))
INSTALLED_DOC = $(PAGES:%=$(DESTDIR)$(MAN_DIR)/man3/%) $(addprefix $(DESTDIR)$(LICENSE_DIR)/,$(notdir $(LICENSES))) \
	$(addprefix $(DESTDIR)$(DOC_DIR)/,$(shell find $(DOCUMENTS) -type f))

.PHONY: build install install-doc uninstall uninstall-doc check check-valgrind check-asan check-model soak fuzz check-messages check-kernels check-elf docs demo deps bench bench-http check-misuse check-instructions check-annotations vendor dist check-liburing check-packages deb rpm arch clean help lua5.5 check-threads miri mutants

build: ## build for one Lua (LUA_VERSION: 5.1 5.2 5.3 5.4 5.5 jit)
	@$(ONE_LUA)CARGO='$(CARGO)' scripts/need-rust
	CFLAGS='$(SHIM_FLAGS)' RUSTFLAGS='$(RUST_FLAGS)' CARGO_TARGET_DIR='$(CARGO_TARGET_DIR)' \
	$(CARGO) build --profile $(CARGO_PROFILE) --no-default-features --features $(FEATURE) $(VENDORED) $(CARGO_FLAGS)
	@$(INSTALL) -D -m 644 $(BUILT)/libluring.so $(MODULE)

# Not `build`: root, who installs, may have no cargo.
$(MODULE): Cargo.toml Cargo.lock build.rs wrapper.h $(wildcard src/*.rs src/*/*)
	@$(MAKE) --no-print-directory build

install: $(MODULE) ## put luring.so into $(DESTDIR)$(LUA_CMOD_DIR), and the annotations for editors
	$(ONE_LUA)$(INSTALL) -D -m 644 $(MODULE) $(DESTDIR)$(LUA_CMOD_DIR)/luring.so
	$(INSTALL) -D -m 644 docs/meta.lua $(DESTDIR)$(LUA_LMOD_DIR)/luring/meta.lua
	$(INSTALL) -D -m 644 docs/meta_co.lua $(DESTDIR)$(LUA_LMOD_DIR)/luring/co/meta.lua
	$(INSTALL) -D -m 644 docs/meta_socket.lua $(DESTDIR)$(LUA_LMOD_DIR)/luring/co/socket/meta.lua
	$(INSTALL) -D -m 644 docs/meta_luv.lua $(DESTDIR)$(LUA_LMOD_DIR)/luring/luv/meta.lua

install-doc: ## put the documents into $(DESTDIR)$(DOC_DIR), the licences and the manual pages
	$(INSTALL) -D -m 644 docs/luring.3 $(DESTDIR)$(MAN_DIR)/man3/$(MAN_PAGE)
	$(INSTALL) -D -m 644 docs/luring.co.3 $(DESTDIR)$(MAN_DIR)/man3/$(basename $(MAN_PAGE)).co$(suffix $(MAN_PAGE))
	$(INSTALL) -D -m 644 -t $(DESTDIR)$(LICENSE_DIR) $(LICENSES)
	scripts/install-doc $(DESTDIR)$(DOC_DIR) $(DOCUMENTS)

uninstall: ## remove what install has put there
	$(ONE_LUA)rm -f $(DESTDIR)$(LUA_CMOD_DIR)/luring.so $(ANNOTATIONS:%=%/meta.lua)
	@rmdir $(ANNOTATIONS) 2>/dev/null || true

uninstall-doc: ## remove what install-doc has put there
	rm -f $(INSTALLED_DOC)
	@rmdir $(addprefix $(DESTDIR)$(DOC_DIR)/,docs examples) 2>/dev/null || true
	@rmdir $(DESTDIR)$(DOC_DIR) $(DESTDIR)$(LICENSE_DIR) 2>/dev/null || true

check: ## run every test on every Lua that is installed (LUA_VERSIONS narrows it)
	@MAKE="$(MAKE)" MODULES="$(MODULES)" VENDORED="$(VENDORED)" scripts/check $(LUA_VERSIONS)

check-valgrind: ## run them under valgrind, on Lua 5.1 and 5.4
	@MAKE="$(MAKE)" MODULES="$(MODULES)" scripts/check-valgrind

fuzz: ## run random Lua programs under AddressSanitizer (SEED, PROGRAMS, DURATION, LUA_VERSIONS)
	@scripts/fuzz $(LUA_VERSIONS)

check-asan: ## run them all with AddressSanitizer, and look for leaks (LUA_VERSIONS)
	@scripts/check-asan $(LUA_VERSIONS)

check-model: ## random actions and tasks against small models (SEED, SEQUENCES, LUA_VERSIONS)
	@MAKE="$(MAKE)" MODULES="$(MODULES)" LURING_TEST_SEED=$(or $(SEED),1) LURING_TEST_SEQUENCES=$(or $(SEQUENCES),10000) \
	LURING_TEST_SECONDS=36000 LURING_TEST_SPECS=tests/model_spec.lua scripts/check $(LUA_VERSIONS)

soak: build ## mixed load for DURATION seconds (3600), every byte checked
	@MODULES='$(MODULES)' scripts/soak $(LUA_VERSION)

check-threads: ## run threads with a Lua state each under ThreadSanitizer (THREADS, ROUNDS, LUA_VERSIONS)
	@scripts/check-threads $(LUA_VERSIONS)

miri: ## run the tests of what needs neither Lua nor a kernel in Miri (needs a nightly Rust that has it)
	MIRIFLAGS=-Zmiri-permissive-provenance CARGO_TARGET_DIR='$(CARGO_TARGET_DIR)/miri' \
	$(CARGO) +nightly miri test -- ring:: values::

mutants: ## break the module in many places, and see whether the tests notice (SEED, COUNT, FILES; needs cargo-mutants)
	@scripts/mutants

check-kernels: ## run them on Debian's kernels, in virtual machines (SUITES="bookworm trixie sid", LUA_VERSIONS)
	@MAKE="$(MAKE)" MODULES="$(MODULES)" scripts/check-kernels $(or $(SUITES),bookworm trixie sid)

lua5.5: ## build an interpreter of Lua 5.5 for the tests, into target/lua5.5
	$(CARGO) build --quiet --release --locked --manifest-path tests/lua55/Cargo.toml --target-dir target/lua5.5/build
	@$(INSTALL) -D target/lua5.5/build/release/lua55 target/lua5.5/lua5.5

check-messages: ## is what is said when something is missing or wrong short, and of use
	@MAKE="$(MAKE)" scripts/check-messages

check-elf: build ## is what was built fit to be installed: symbols, hardening, no paths
	@CARGO_TARGET_DIR='$(abspath $(CARGO_TARGET_DIR))' scripts/check-elf $(wildcard $(MODULES)/*/luring.so)

# What .emmyrc.json disables finds faults that are none: a local that a callback sets, or a function
# that is defined later, is nil for it, and what only some Luas have is wrong.
check-annotations: ## are the examples as the annotations for editors say (needs emmylua_check)
	@command -v $(EMMYLUA_CHECK) >/dev/null || \
		{ echo "check-annotations: there is no $(EMMYLUA_CHECK) here: cargo install emmylua_check --locked"; exit 1; }
	$(EMMYLUA_CHECK) --config .emmyrc.json --warnings-as-errors docs examples

docs: ## write what is made of the source: docs/reference.md, docs/meta*.lua, docs/luring*.3
	LURING_WRITE_DOCS=1 $(CARGO) test --quiet reference::the_documents

demo: ## build and run the module on real files and sockets
	@$(ONE_LUA)MAKE="$(MAKE)" MODULES="$(MODULES)" scripts/demo $(LUA_VERSION) $(LUA_VERSIONS)

deps: ## install what building and testing need, with the system's package manager
	@scripts/deps

bench: ## measure it beside luv, cqueues, luaposix and C (QUICK=1; PEER=folder of another luring.so)
	@for version in 5.1 5.4; do $(MAKE) --no-print-directory build LUA_VERSION=$$version || exit; done
	@CARGO_TARGET_DIR='$(CARGO_TARGET_DIR)' MODULE='$(MODULES)/5.4' MODULE_JIT='$(MODULES)/5.1' scripts/bench $(if $(QUICK),--quick) \
	$(if $(PEER),--peer '$(PEER)') $(if $(PEER_NAME),--peer-name '$(PEER_NAME)') $(if $(DOCS),--docs '$(DOCS)')

bench-http: ## files by HTTP, beside nginx, luv and lua-http (ROUNDS)
	@for version in 5.1 5.4; do $(MAKE) --no-print-directory build LUA_VERSION=$$version || exit; done
	@MODULES='$(MODULES)' scripts/bench-http

check-misuse: ## put it through misuses, beside another luring.so (PEER=folder)
	@$(ONE_LUA)$(MAKE) --no-print-directory build
	@lua=$$(scripts/find-lua $(LUA_VERSION)) && \
	"$$lua" tests/misuse/run.lua '$(MODULES)/$(LUA_ABI)' $(if $(PEER),'$(PEER)')

check-instructions: ## do read, write, recv and send take no more instructions than they may
	@$(MAKE) --no-print-directory build LUA_VERSION=5.4
	@CARGO_TARGET_DIR='$(CARGO_TARGET_DIR)' MODULE='$(MODULES)/5.4' scripts/check-instructions

vendor: ## put the crates' sources into vendor/: builds then need no network
	@scripts/vendor .

dist: ## the release of the last commit in dist/: source, crates, recipes, sums
	@scripts/dist dist

check-liburing: ## run them with Debian 13's liburing and the newest (on a Debian; downloads these)
	@MAKE="$(MAKE)" scripts/check-liburing

check-packages: dist ## build, install and test the packages, in chroots of Debian (root)
	DEB_BUILD_OPTIONS=nocheck packaging/check-debian bookworm
	DEB_BUILD_OPTIONS=nocheck packaging/check-debian trixie
	DEB_BUILD_OPTIONS=nocheck packaging/check-debian bookworm i386 "5.1 5.4"
	packaging/build-rpm dist
	packaging/build-arch dist
	packaging/check-recipes dist
	packaging/check-rockspec
	packaging/check-musl
	packaging/check-newest

deb: dist ## a Debian package in dist/
	@packaging/build-deb dist

rpm: dist ## an RPM package in dist/
	@packaging/build-rpm dist

arch: dist ## an Arch Linux package in dist/
	@packaging/build-arch dist

clean: ## remove what was built
	$(CARGO) clean

help: ## list the targets
	@sed -n 's/^\([a-z0-9.-]*\):.*## \(.*\)/  \1 - \2/p' $(MAKEFILE_LIST)
