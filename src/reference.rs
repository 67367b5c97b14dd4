//! Tests only: the documents that are made from the rows, and whether they are as they should be.
//!
//! `make docs` writes them: docs/reference.md, and from that, README.md and docs/helpers.md the
//! annotations for editors, docs/meta.lua, and the manual page, docs/luring.3; both of luring.co are
//! made from docs/co.md. The kinds of each argument go to tests/support/rows.lua, from which the
//! cases of wrong arguments are made.

mod co;

use crate::rows::Row;
use crate::{actions, calls};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// The word for a kind of argument in a heading.
fn word(kind: &str) -> &'static str {
    match kind {
        "Fd" | "NoSlot" | "Dir" | "Input" | "Closing" => "descriptor",
        "Content" => "string|buffer",
        "Path" => "string",
        "Payload" | "Parcel" => "data",
        "Sizes" | "List" | "Descriptors" | "Cpus" | "Futexes" | "Filled" | "Written" => "list",
        "Files" | "Buffers" => "files",
        "Group" | "Inbox" => "group",
        "Words" => "buffer",
        "OpenHow" | "SlotHow" | "Outgoing" | "Event" | "Napi" => "table",
        "Incoming" | "Size" => "size",
        "Address" => "address",
        "Duration" => "time",
        "Key" => "key",
        "OptVal" => "value",
        "Int" | "Unsigned" | "Offset" | "Length" | "Mode" | "Slot" | "SlotFlags" | "SendFlags"
        | "IntoSlot" | "FirstSlot" | "FromSlot" | "SlotOrAny" | "Datum" | "One" | "All" | "ZcFlags"
        | "MaxEvents" | "Nth" | "Word" => "integer",
        "OrNone" => "integer?",
        kind if kind.starts_with("UpTo") => "integer",
        other => panic!("the kind {other} has no word here"),
    }
}

/// What words mean to lua-language-server and its kin.
fn annotations(words: &str) -> String {
    words.split('|').map(annotation).collect::<Vec<_>>().join("|")
}

/// The same of what a function is given. There, a number without a fraction is enough.
fn arguments(words: &str) -> String {
    let meant = |word| if word == "integer" { "luring.integer" } else { annotation(word) };
    words.split('|').map(meant).collect::<Vec<_>>().join("|")
}

fn annotation(word: &str) -> &str {
    match word {
        "descriptor" | "id" => "luring.integer|userdata|table",
        "folder" => "string|luring.integer|userdata|table",
        "data" | "content" => "string|string[]|luring.buffer",
        "list" | "options" | "program" => "table",
        "files" => "luring.integer|table",
        "group" => "luring.group",
        "buffer" => "luring.buffer",
        "address" => "luring.address|string",
        "time" => "number|{tv_sec: integer, tv_nsec: integer}",
        "key" | "cqe" => "lightuserdata",
        "size" => "luring.integer|table|luring.buffer|luring.group",
        "signals" => "luring.integer|table",
        "value" => "luring.integer|string",
        "mode" => "string|luring.integer",
        "userdata" => "luring.ring",
        "function" => "fun(cqe: lightuserdata, res: integer, value: any, flags: integer)",
        "handler" => "fun(res: integer, data: integer, flags: integer)",
        other => other,
    }
}

/// What the callback gets after `cqe` and `res`.
fn value(reply: &str) -> &'static str {
    match reply {
        "Nothing" | "Accepted" => "`(cqe, res)`",
        "Data" => "`(cqe, res, data)`",
        "Plain" | "Descriptor" | "Cancelled" | "Linked" => "`(cqe, res, nil, flags)`",
        _ => "`(cqe, res, value, flags)`",
    }
}

fn text(row: &Row) -> String {
    row.doc.iter().map(|line| line.trim()).collect::<Vec<_>>().join("\n")
}

/// The actions' page: what README.md describes is left out.
fn reference(readme: &str) -> String {
    let mut page = String::from(PREFACE);
    page.push_str("\n## Actions\n");
    let described: Vec<&str> = entries(readme).iter().map(|entry| entry.name).collect();
    let mut rows: Vec<&Row> = actions::ROWS.iter().filter(|row| !described.contains(&row.name)).collect();
    rows.sort_by_key(|row| row.name);
    for row in rows {
        write!(page, "\n### `luring.{}(ring: userdata", row.name).unwrap();
        for (name, kind) in row.args {
            write!(page, ", {name}: {}", word(kind)).unwrap();
        }
        let needs = row.needs.map_or(String::new(), |version| format!(" Needs liburing {version}."));
        writeln!(
            page,
            ", callback: function?) -> key?`\n\n{}{needs}\nThe callback gets {}.",
            text(row),
            value(row.reply)
        )
        .unwrap();
    }
    page.push_str("\n## What a ring is asked and told\n");
    let mut rows: Vec<&Row> = calls::ROWS.iter().collect();
    rows.sort_by_key(|row| row.name);
    for row in rows {
        write!(page, "\n### `luring.{}(ring: userdata", row.name).unwrap();
        for (name, kind) in row.args {
            write!(page, ", {name}: {}", word(kind)).unwrap();
        }
        let returns = match row.reply {
            "" => "integer",
            "pair" => "integer, integer?",
            other => other,
        };
        writeln!(page, ") -> {returns}`\n\n{}", text(row)).unwrap();
    }
    page.push_str(&left_out());
    page
}

const PREFACE: &str = "\
# The actions of luring

Made from the source by `make docs`: change the comments in src/actions.rs and src/calls.rs.

An action is queued by a function and done by the kernel after the next `submit`: `ring:read(fd, 100, 0, callback)`
is `luring.read(ring, fd, 100, 0, callback)`. The function gives the action's key, or nil when the submission queue is
full. The callback gets `(cqe, res, value, flags)`: `res` is what the system call would return, or `-errno`; `value` is
what the entry says, or nil; `flags` are those of the CQE. With IORING_CQE_F_MORE among them, the same action will
complete again, and its callback is kept. Strings, lists and tables are as they were when the action was queued.

- A **descriptor** is an integer, `luring.fixed(slot)`, or an object that has one: a Lua file, or what has a method or a
  field `getfd`, `fileno`, `pollfd` or `fd`. An object is kept until the last completion.
- **data** is a string or a list of strings. A **size** is a number of bytes.
- An **address** is a table, as README.md says. A **time** is in seconds, or `{tv_sec=, tv_nsec=}`.
- A **key** is what the function that queued an action gave.
- Offsets in files are in bytes and count from 0, as slots do. Flags are added.

What this build's liburing lacks is there, and raises an error that names the version it needs. What the running kernel
lacks gives a negative `res`, -EINVAL mostly. `luring.can(name)` asks both beforehand.
";

/// A function as the three pages describe it.
struct Entry<'a> {
    name: &'a str,
    parameters: Vec<(&'a str, &'a str)>,
    returns: &'a str,
    doc: &'a str,
}

fn entries(page: &str) -> Vec<Entry<'_>> {
    let mut found = Vec::new();
    for part in page.split("\n### `luring.").skip(1) {
        let Some((heading, rest)) = part.split_once("`\n") else { continue };
        let (name, rest_of_heading) = heading.split_once('(').unwrap();
        let (parameters, returns) = rest_of_heading.split_once(')').unwrap();
        let doc = rest.split("\n#").next().unwrap_or_default().trim();
        let parameters = parameters.split(", ").filter_map(|parameter| parameter.split_once(": ")).collect();
        found.push(Entry { name, parameters, returns: returns.trim_start_matches(" -> "), doc });
    }
    found
}

/// What the annotations begin with.
const PREAMBLE: &str = "\
---@meta luring

-- For editors: lua-language-server and its kin. Made by `make docs`.

---A number without a fraction, even one that Lua counts as a float.
---@alias luring.integer integer|number

---Which there are depends on the system's headers.
---@class luring.constants
---@field [string] integer

---@class luring: luring.constants
local luring = {}

---@class luring.ring: userdata
local ring = {}

---@class luring.buffer
---@operator len: integer
local buffer = {}

---@param i luring.integer
---@param j? luring.integer
---@return string
function buffer:sub(i, j) end

---@param at luring.integer
---@param data string
function buffer:set(at, data) end

---@param s string
---@param from? luring.integer
---@return integer?
---@return integer?
function buffer:find(s, from) end

---@param i luring.integer
---@param j? luring.integer
---@return luring.buffer
function buffer:view(i, j) end

---@param k luring.integer
---@return integer
function buffer:load32(k) end

---@param k luring.integer
---@param n luring.integer
function buffer:store32(k, n) end

---@param k luring.integer
---@param n luring.integer
---@return integer
function buffer:add32(k, n) end

---@param k luring.integer
---@param old luring.integer
---@param new luring.integer
---@return boolean
---@return integer
function buffer:cas32(k, old, new) end

---@class luring.group
local group = {}

---@return integer
function group:available() end

---@param on boolean
function group:manual(on) end

---@param view luring.buffer
function group:give(view) end

---@return integer
function group:close() end

---@class luring.address
---@field family luring.integer
---@field addr? string
---@field port? luring.integer
---@field path? string
---@field scope_id? luring.integer
---@field flowinfo? luring.integer

";

fn meta(pages: &[String]) -> String {
    let mut out = String::from(PREAMBLE);
    for page in pages {
        for entry in entries(page) {
            for line in entry.doc.lines() {
                writeln!(out, "---{line}").unwrap();
            }
            let mut names = Vec::new();
            for (name, word) in &entry.parameters {
                let (word, optional) = word.strip_suffix('?').map_or((*word, ""), |word| (word, "?"));
                let name = if *name == "type" { "kind" } else { name };
                let word = if name == "handler" { name } else { word }; // no callback of an action
                writeln!(out, "---@param {name}{optional} {}", arguments(word)).unwrap();
                names.push(name);
            }
            for word in entry.returns.split(", ").filter(|word| !word.is_empty()) {
                let (word, optional) = word.strip_suffix('?').map_or((word, ""), |word| (word, "?"));
                let word = annotations(word).replace("luring.address|string", "luring.address");
                writeln!(out, "---@return {word}{optional}").unwrap();
            }
            writeln!(out, "function luring.{}({}) end\n", entry.name, names.join(", ")).unwrap();
            if entry.parameters.first().is_some_and(|(_, word)| *word == "userdata") {
                writeln!(out, "ring.{0} = luring.{0}\n", entry.name).unwrap();
            }
        }
    }
    out.push_str("return luring\n");
    out
}

/// Text without the targets of its links, which a manual page has not.
fn without_links(text: &str) -> String {
    let mut parts = text.split("](");
    let mut out = parts.next().unwrap_or_default().to_string();
    for part in parts {
        if let Some(at) = out.rfind('[') {
            out.remove(at);
        }
        out.push_str(part.split_once(')').map_or(part, |(_, rest)| rest));
    }
    out
}

/// Text for troff. A list needs no paragraph before it.
fn roff(text: &str) -> String {
    let mut out = String::new();
    for line in without_links(text).replace("\n\n- ", "\n- ").lines() {
        let line = line.replace('\\', "\\e").replace('-', "\\-").replace('`', "").replace("**", "");
        match line.strip_prefix("\\- ") {
            Some(item) => writeln!(out, ".IP \\(bu 2\n{item}").unwrap(),
            None if line.is_empty() => out.push_str(".PP\n"),
            None => writeln!(
                out,
                "{}{}",
                if line.starts_with(['.', '\'']) { "\\&" } else { "" },
                line.trim_start()
            )
            .unwrap(),
        }
    }
    out
}

fn manual(pages: &[String]) -> String {
    let mut out = format!(
        ".TH LUA\\-LURING 3 \"\" \"luring {}\" \"Lua modules\"\n.SH NAME\nluring \\- io_uring for Lua\n.SH SYNOPSIS\n\
         local luring = require \\(dqluring\\(dq\n.SH DESCRIPTION\n",
        env!("CARGO_PKG_VERSION")
    );
    let preface = PREFACE.split_once("src/calls.rs.\n\n").unwrap().1;
    out.push_str(&roff(preface));
    out.push_str(".SH FUNCTIONS\n");
    for page in pages {
        for entry in entries(page) {
            let names: Vec<&str> = entry.parameters.iter().map(|(name, _)| *name).collect();
            writeln!(out, ".SS luring.{}({})", entry.name, names.join(", ")).unwrap();
            out.push_str(&roff(entry.doc));
        }
    }
    out.push_str(".SH SEE ALSO\n.BR luring.co (3),\n.BR io_uring (7)\n");
    out
}

fn rows() -> String {
    let mut out = String::from(
        "-- The kinds of each action's arguments after the ring. Made by `make docs`.\nreturn {\n",
    );
    let mut all: Vec<&Row> = actions::ROWS.iter().chain(calls::ROWS).collect();
    all.sort_by_key(|row| row.name);
    for row in all {
        let kinds: Vec<String> =
            row.args.iter().map(|(_, kind)| format!("\"{}\"", kind.replace(' ', ""))).collect();
        writeln!(out, "    {{ name = \"{}\", kinds = {{ {} }} }},", row.name, kinds.join(", ")).unwrap();
    }
    out.push_str("}\n");
    out.replace("{  }", "{}")
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// README.md, docs/helpers.md, docs/reference.md.
fn pages() -> [String; 3] {
    let page = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let readme = page("README.md");
    let reference = reference(&readme);
    [readme, page("docs/helpers.md"), reference]
}

#[test]
fn the_documents_are_what_the_rows_say() {
    let pages = pages();
    let co_page = fs::read_to_string(root().join("docs/co.md")).unwrap();
    let documents = [
        ("docs/reference.md", pages[2].clone()),
        ("docs/meta.lua", meta(&pages)),
        ("docs/luring.3", manual(&pages)),
        ("docs/meta_co.lua", co::meta(&co_page)),
        ("docs/luring.co.3", co::manual(&co_page)),
        ("tests/support/rows.lua", rows()),
    ];
    for (path, text) in documents {
        let path: &Path = &root().join(path);
        if env::var_os("LURING_WRITE_DOCS").is_some() {
            fs::write(path, &text).unwrap();
        }
        let found = fs::read_to_string(path).unwrap_or_default();
        assert!(found == text, "{} is old: `make docs` writes it anew", path.display());
    }
}

#[test]
fn every_function_is_described_once() {
    let pages = pages();
    let mut names: Vec<&str> = pages.iter().flat_map(|page| entries(page)).map(|entry| entry.name).collect();
    names.sort_unstable();
    let twice: Vec<_> = names.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
    assert!(twice.is_empty(), "{twice:?}");
}

/// liburing's helpers that are called by rows of other names.
const OTHER_NAMES: &[(&str, &str)] = &[
    ("cancel64", "cancel"),
    ("fadvise64", "fadvise"),
    ("multishot_accept", "accept_multishot"),
    ("multishot_accept_direct", "accept_multishot_direct"),
    ("readv2", "readv"),
    ("writev2", "writev"),
    ("link_timeout", "chain"),
];

/// liburing's helpers that no row calls, and why: a helper that is left out.
const LEFT_OUT: &[(&str, &str)] = &[
    ("madvise", "takes addresses"),
    ("madvise64", "takes addresses"),
    ("msg_ring_cqe_flags", "sets flags of another ring's completions, which mean something there"),
    ("msg_ring_fd_alloc", "is msg_ring_fd without a slot"),
    ("nop128", "needs SQEs of 128 bytes"),
    ("provide_buffers", "gives buffers to write into after its own completion: see buf_ring"),
    ("remove_buffers", "belongs to provide_buffers"),
    ("rw", "is what the others are made of"),
    ("send_bundle", "needs a group of buffers that a program fills"),
    ("send_set_addr", "is a part of sendto"),
    ("sendmsg_zc_fixed", "takes addresses"),
    ("uring_cmd", "takes memory that only the driver knows"),
    ("uring_cmd128", "takes memory that only the driver knows"),
];

/// liburing's registrations that functions of other names make.
const OTHER_REGISTRATIONS: &[(&str, &str)] = &[
    ("register_buf_ring", "buf_ring"),
    ("unregister_buf_ring", "buf_ring"),
    ("register_buffers_sparse", "register_buffers"),
    ("register_buffers_tags", "register_buffers"),
    ("register_buffers_update_tag", "register_buffers_update"),
    ("register_files_sparse", "register_files"),
    ("register_files_tags", "register_files"),
    ("register_files_update_tag", "register_files_update"),
    ("register_probe", "probe"),
    ("register_query", "probe"),
    ("register_sync_cancel", "sync_cancel"),
];

/// Those that nothing makes, and why.
const LEFT_OUT_REGISTRATIONS: &[(&str, &str)] = &[
    ("register_bpf_filter", "loads a program into the kernel"),
    ("register_bpf_filter_task", "loads a program into the kernel"),
    ("register_ifq", "takes a network card's memory"),
    ("register_region", "takes memory that the kernel reads while it waits"),
    ("register_restrictions", "needs a ring that is made disabled, which nothing enables"),
    ("register_ring_fd", "is another ring in another thread, and there are 16 of them"),
    ("register_sync_msg", "takes another ring's descriptor alone: see msg_ring"),
    ("register_wait_reg", "takes memory that the kernel reads while it waits"),
    ("register_zcrx_ctrl", "takes a network card's memory"),
    ("unregister_ring_fd", "belongs to register_ring_fd"),
];

fn left_out() -> String {
    let mut section = String::from(
        "\n## What is left out\n\nOf liburing's helpers that fill in an SQE, and of its registrations, these have no function here:\n\n",
    );
    for (prefix, list) in [("prep_", LEFT_OUT), ("", LEFT_OUT_REGISTRATIONS)] {
        for (name, why) in list {
            writeln!(section, "- `io_uring_{prefix}{name}` {why}.").unwrap();
        }
    }
    section.push_str("\nNor is there anything for these:\n\n");
    for (what, why) in LEFT_OUT_OTHERWISE {
        writeln!(section, "- {what} {why}.").unwrap();
    }
    section
}

/// What else of io_uring nothing here gives, and why.
const LEFT_OUT_OTHERWISE: &[(&str, &str)] = &[
    ("`io_uring_clone_buffers`", "takes another ring's buffers, whose memory this one does not keep"),
    (
        "`io_uring_enable_rings` and IORING_SETUP_R_DISABLED",
        "are for a ring that is restricted first, and nothing does that",
    ),
    (
        "IORING_SETUP_CQE_MIXED, IORING_SETUP_SQE_MIXED and IORING_SETUP_SQ_REWIND",
        "change what the queues' entries are, or where they lie",
    ),
    ("`io_uring_register_query`", "is `probe`"),
    ("`io_uring_get_events`", "is a detail of the loop: `do_cqes` asks for what has overflowed"),
    ("`io_uring_sqring_wait`", "is a detail of the loop: `reserve` waits for room"),
    (
        "`io_uring_set_iowait`",
        "is a detail of the loop: it changes how the kernel counts the time of waiting",
    ),
    ("`io_uring_close_ring_fd`", "is a detail of the loop: it belongs to `io_uring_register_ring_fd`"),
    ("Commands for a block device's zones", "are those of `io_uring_prep_uring_cmd`, see there"),
];

/// The names that neither a function nor one of the lists has.
fn lost<'a>(
    names: impl Iterator<Item = &'a str>,
    is_ours: impl Fn(&str) -> bool,
    lists: [&[(&str, &str)]; 2],
) -> Vec<&'a str> {
    let is_listed = |name: &str| lists.concat().iter().any(|(listed, _)| *listed == name);
    names.filter(|name| !is_ours(name) && !is_listed(name)).collect()
}

#[test]
fn every_helper_of_liburing_has_a_row_or_a_reason() {
    let helpers = include_str!(concat!(env!("OUT_DIR"), "/prep.rs")).lines();
    let names = helpers.filter_map(|line| line.split(" as ").nth(1)?.strip_suffix(';'));
    let lost = lost(names, |name| actions::ROWS.iter().any(|row| row.name == name), [OTHER_NAMES, LEFT_OUT]);
    assert!(lost.is_empty(), "neither rows nor left out: {lost:?}");
}

#[test]
fn every_registration_of_liburing_has_a_function_or_a_reason() {
    let bindings = include_str!(concat!(env!("OUT_DIR"), "/bindings.rs"));
    let names = bindings.split("pub fn io_uring_").skip(1).filter_map(|rest| rest.split([' ', '(']).next());
    let names = names.filter(|name| name.starts_with("register_") || name.starts_with("unregister_"));
    let lists = [OTHER_REGISTRATIONS, LEFT_OUT_REGISTRATIONS];
    let lost = lost(names, |name| calls::ROWS.iter().any(|row| row.name == name), lists);
    assert!(lost.is_empty(), "neither functions nor left out: {lost:?}");
    let pages = pages().concat();
    for (name, ours) in OTHER_REGISTRATIONS {
        assert!(pages.contains(&format!("### `luring.{ours}(")), "{name} is said to be {ours}");
    }
}
