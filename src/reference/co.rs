//! What is made of docs/co.md: annotations of luring.co for editors, and its manual page.
//!
//! A heading is a signature; so is what stands in backquotes under "Types", beside the fields of
//! objects and of tables. A type is a class if it has methods or fields there.

use super::{annotation, arguments, roff, text, word};
use crate::actions;
use crate::rows::Row;
use std::collections::BTreeMap;
use std::fmt::Write;

/// A function of `co`, or a method.
struct Signature<'a> {
    class: &'a str,
    name: &'a str,
    parameters: Vec<(&'a str, &'a str)>,
    returns: &'a str,
    doc: &'a str,
}

/// What "Types" says besides.
#[derive(Default)]
struct Types<'a> {
    signatures: Vec<Signature<'a>>,
    /// The fields of each class, with their types.
    fields: BTreeMap<&'a str, Vec<(&'a str, &'a str)>>,
    /// Methods that are as the stream's of that name.
    like_streams: Vec<(&'a str, &'a str)>,
}

/// The parts of a list that no bracket encloses.
fn split<'a>(list: &'a str, separator: &str) -> Vec<&'a str> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0, 0);
    for (at, letter) in list.char_indices() {
        match letter {
            '(' | '{' | '[' => depth += 1,
            ')' | '}' | ']' => depth -= 1,
            _ if depth == 0 && at >= start && list[at..].starts_with(separator) => {
                parts.push(list[start..at].trim());
                start = at + separator.len();
            }
            _ => {}
        }
    }
    parts.push(list[start..].trim());
    parts.retain(|part| !part.is_empty());
    parts
}

/// `name: type, ...`
fn named(list: &str) -> Vec<(&str, &str)> {
    split(list, ",").into_iter().map(|part| part.split_once(": ").unwrap_or((part, "value"))).collect()
}

/// `co.NAME(...) -> ...` or `class:NAME(...) -> ...`; other modules' functions are not meant.
fn signature<'a>(span: &'a str, doc: &'a str) -> Option<Signature<'a>> {
    let (head, rest) = span.split_once('(')?;
    let (parameters, returns) = rest.split_once(") -> ").or_else(|| Some((rest.strip_suffix(')')?, "")))?;
    let (class, name) = head.strip_prefix("co.").map(|name| ("co", name)).or_else(|| head.split_once(':'))?;
    let is_name = |word: &str| word.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric());
    (is_name(class) && is_name(name)).then(|| Signature {
        class,
        name,
        parameters: named(parameters),
        returns,
        doc,
    })
}

fn headings(page: &str) -> Vec<Signature<'_>> {
    let parts = page.split("\n### `").skip(1).filter_map(|part| part.split_once("`\n"));
    parts
        .filter_map(|(heading, rest)| signature(heading, rest.split("\n#").next().unwrap_or_default().trim()))
        .collect()
}

fn types(page: &str) -> Types<'_> {
    let mut found = Types::default();
    let section = page.split("\n## Types\n").nth(1).unwrap_or_default();
    for span in section.split("\n## ").next().unwrap_or_default().split('`').skip(1).step_by(2) {
        if let Some((name, fields)) = span.split_once(": {") {
            let fields = fields.strip_suffix('}').unwrap_or_else(|| panic!("{span} has no end"));
            found.fields.entry(name).or_default().extend(named(fields));
        } else if let Some(it) = signature(span, "") {
            found.signatures.push(it);
        } else if let Some((class, field)) = span.split_once('.') {
            found.fields.entry(class).or_default().extend(named(field));
        } else if let Some(method) = span.split_once(':') {
            found.like_streams.push(method);
        } else {
            panic!("{span} is no signature, no field and no table");
        }
    }
    found
}

/// What a type means to lua-language-server and its kin.
fn means(kind: &str, classes: &[&str]) -> String {
    let (kind, list) = kind.strip_suffix("[]").map_or((kind, ""), |kind| (kind, "[]"));
    let meant = match split(kind, "|")[..] {
        [one] => match one {
            "value" => "any".into(),
            "function" => "function".into(),
            class if classes.contains(&class) => format!("luring.co.{class}"),
            _ => match one.strip_prefix("function(") {
                Some(rest) => {
                    let (parameters, returns) = rest.split_once(')').expect("a function's type ends");
                    let parameters: Vec<String> = named(parameters)
                        .into_iter()
                        .map(|(name, kind)| format!("{name}: {}", means(kind, classes)))
                        .collect();
                    // What it gives is passed on, however much it is.
                    let returns = match returns.strip_prefix(" -> ") {
                        Some(returns) => optional(returns, classes),
                        None => "any...".into(),
                    };
                    format!("fun({}): {returns}", parameters.join(", "))
                }
                None => annotation(one).into(),
            },
        },
        ref several => several.iter().map(|one| means(one, classes)).collect::<Vec<_>>().join("|"),
    };
    meant + list
}

/// The same of what a function is given.
fn given(kind: &str, classes: &[&str]) -> String {
    let meant = means(kind, classes);
    let whole = |one| if one == "integer" { "luring.integer" } else { one };
    meant.split('|').map(whole).collect::<Vec<_>>().join("|")
}

/// What a type means where it may end in a question mark.
fn optional(kind: &str, classes: &[&str]) -> String {
    match kind {
        "..." => "any ...".into(),
        _ => match kind.strip_suffix('?') {
            Some(kind) => format!("{}?", means(kind, classes)),
            None => means(kind, classes),
        },
    }
}

/// The results, those of a failure among them, each of which has a name.
fn results(returns: &str, classes: &[&str]) -> Vec<String> {
    let (good, failed) = returns.split_once(" or ").unwrap_or((returns, ""));
    let (good, failed) = (split(good, ","), split(failed, ","));
    let failure = |name: &str| match name {
        "message" => "string".into(),
        "errno" | "written" | "sent" => "integer".into(),
        other => means(other, classes),
    };
    (0..good.len().max(failed.len()))
        .map(|place| match (good.get(place), failed.get(place)) {
            (Some(kind), None) => optional(kind, classes),
            (Some(kind), Some(&"nil")) => format!("{}?", means(kind.trim_end_matches('?'), classes)),
            (Some(kind), Some(name)) => {
                let (kind, failure) = (means(kind.trim_end_matches('?'), classes), failure(name));
                if kind == failure { format!("{kind}?") } else { format!("{kind}|{failure}?") }
            }
            (None, name) => name.map_or(String::new(), |name| format!("{}? {name}", failure(name))),
        })
        .collect()
}

fn declare(out: &mut String, of: &str, it: &Signature<'_>, classes: &[&str]) {
    for line in it.doc.lines() {
        writeln!(out, "---{line}").unwrap();
    }
    for (name, kind) in &it.parameters {
        let (kind, mark) = kind.strip_suffix('?').map_or((*kind, ""), |kind| (kind, "?"));
        writeln!(out, "---@param {name}{mark} {}", given(kind, classes)).unwrap();
    }
    for result in results(it.returns, classes) {
        writeln!(out, "---@return {result}").unwrap();
    }
    let names: Vec<&str> = it.parameters.iter().map(|(name, _)| *name).collect();
    let mark = if of == "co" { '.' } else { ':' };
    writeln!(out, "function {of}{mark}{}({}) end\n", it.name, names.join(", ")).unwrap();
}

/// The text of the heading that says what a function without a heading does.
fn mention<'a>(headings: &[Signature<'a>], it: &Signature<'_>) -> Option<&'a str> {
    let by_class =
        if it.class == "co" { format!("co.{}(", it.name) } else { format!("{}:{}(", it.class, it.name) };
    let by_another = format!(":{}(", it.name);
    headings
        .iter()
        .find(|of| of.doc.contains(&by_class) || of.name == it.class && of.doc.contains(&by_another))
        .map(|of| of.doc)
}

/// What `co.io.NAME` gives.
fn value(row: &Row) -> &'static str {
    let counts = include_str!("../co/actions.lua").split("local COUNTS = {").nth(1).unwrap_or_default();
    let counts = counts.split('}').next().unwrap_or_default();
    match row.reply {
        "Data" | "Bytes" if row.name != "cmd_sock" => "string",
        "Strings" => "string[]",
        "Stat" | "Child" | "Name" | "Message" | "Events" => "table",
        "Nothing" | "Accepted" | "Plain" | "Descriptor" | "Cancelled" | "ZeroCopy" => {
            if counts.contains(&format!("\"{}\"", row.name)) { "integer" } else { "boolean" }
        }
        _ => "any",
    }
}

/// The actions as functions that wait.
fn waiting(out: &mut String) {
    out.push_str("---@class luring.co.io\nlocal actions = {}\n\n");
    let mut rows: Vec<&Row> = actions::ROWS.iter().filter(|row| !row.name.contains("multishot")).collect();
    rows.sort_by_key(|row| row.name);
    for row in rows {
        for line in text(row).lines() {
            writeln!(out, "---{line}").unwrap();
        }
        for (name, kind) in row.args {
            let kind = word(kind);
            let (kind, mark) = kind.strip_suffix('?').map_or((kind, ""), |kind| (kind, "?"));
            writeln!(out, "---@param {name}{mark} {}", arguments(kind)).unwrap();
        }
        writeln!(
            out,
            "---@return {}? value\n---@return string? message\n---@return integer? errno",
            value(row)
        )
        .unwrap();
        let names: Vec<&str> = row.args.iter().map(|(name, _)| *name).collect();
        writeln!(out, "function actions.{}({}) end\n", row.name, names.join(", ")).unwrap();
    }
    out.push_str("co.io = actions\n\n");
}

/// The annotations.
pub fn meta(page: &str) -> String {
    let types = types(page);
    let mut signatures = headings(page);
    let copies: Vec<Signature<'_>> = types
        .like_streams
        .iter()
        .map(|&(class, name)| {
            let of = signatures.iter().chain(&types.signatures);
            let it = of.clone().find(|it| it.class == "stream" && it.name == name);
            let it = it.unwrap_or_else(|| panic!("a stream has no method {name}"));
            Signature { class, name, parameters: it.parameters.clone(), returns: it.returns, doc: it.doc }
        })
        .collect();
    let described: Vec<Signature<'_>> = types
        .signatures
        .into_iter()
        .map(|it| Signature { doc: mention(&signatures, &it).unwrap_or_default(), ..it })
        .collect();
    signatures.extend(described);
    signatures.extend(copies);
    let mut classes: Vec<&str> = signatures.iter().map(|it| it.class).collect();
    classes.extend(types.fields.keys());
    classes.sort_unstable();
    classes.dedup();
    classes.retain(|class| *class != "co");

    let mut out = String::from(
        "---@meta luring.co\n\n-- For editors: lua-language-server and its kin. Made by `make docs`.\n\n",
    );
    for class in classes.iter().chain(&["co"]) {
        match *class {
            "co" => out.push_str("---@class luring.co: luring.constants\n"),
            class => writeln!(out, "---@class luring.co.{class}").unwrap(),
        }
        for (name, kind) in types.fields.get(class).into_iter().flatten() {
            let (kind, mark) = kind.strip_suffix('?').map_or((*kind, ""), |kind| (kind, "?"));
            let kind = if class.ends_with("options") { given(kind, &classes) } else { means(kind, &classes) };
            writeln!(out, "---@field {name}{mark} {kind}").unwrap();
        }
        if signatures.iter().any(|it| it.class == *class) {
            writeln!(out, "local {class} = {{}}").unwrap();
        }
        out.push('\n');
    }
    for it in &signatures {
        declare(&mut out, it.class, it, &classes);
    }
    waiting(&mut out);
    out.push_str("return co\n");
    out
}

/// The manual page: the whole of docs/co.md.
pub fn manual(page: &str) -> String {
    let mut out = format!(
        ".TH LUA\\-LURING.CO 3 \"\" \"luring {}\" \"Lua modules\"\n.SH NAME\n\
         luring.co \\- straight\\-line io_uring programs for Lua\n.SH SYNOPSIS\n\
         local co = require \\(dqluring.co\\(dq\n.SH DESCRIPTION\n",
        env!("CARGO_PKG_VERSION")
    );
    let body = page.split_once("\n\n").map_or("", |(_, body)| body);
    let mut parts = format!("\n{body}");
    parts = parts.replace("\n## ", "\n\0.SH ").replace("\n### ", "\n\0.SS ");
    for part in parts.split('\0') {
        let (heading, rest) =
            if part.starts_with('.') { part.split_once('\n').unwrap_or((part, "")) } else { ("", part) };
        if let Some(title) = heading.strip_prefix(".SH ") {
            writeln!(out, ".SH {}", roff(title).trim_end().to_uppercase()).unwrap();
        } else if let Some(title) = heading.strip_prefix(".SS ") {
            writeln!(out, ".SS {}", roff(title).trim_end()).unwrap();
        }
        for (place, block) in rest.split("\n```").enumerate() {
            if place % 2 == 0 {
                let go_on = if place > 0 && !block.trim().is_empty() { ".PP\n" } else { "" };
                write!(out, "{go_on}{}", roff(block.trim())).unwrap();
            } else {
                let lines = block.split_once('\n').map_or("", |(_, lines)| lines);
                let lines: String = lines
                    .lines()
                    .map(|line| format!("\\&{}\n", line.replace('\\', "\\e").replace('-', "\\-")))
                    .collect();
                write!(out, ".PP\n.EX\n{lines}.EE\n").unwrap();
            }
        }
    }
    out.push_str(".SH SEE ALSO\n.BR luring (3),\n.BR io_uring (7)\n");
    out
}
