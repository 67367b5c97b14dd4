-- The results as Markdown.

local shell = require "bench.lib.shell"
local stats = require "bench.lib.stats"

local report = {}

-- ---- getting at the results ----

local function peers_of(results, kind)
    local there = {}
    for _, peer in ipairs(results.peers) do
        for _, cell in ipairs(results.cells) do
            if cell.kind == kind and cell.samples[peer.id] and not peer.hidden then
                table.insert(there, peer)
                break
            end
        end
    end
    return there
end

local function series(cell, id, name)
    local values = {}
    for i, sample in ipairs(cell.samples[id] or {}) do
        values[i] = sample[name]
    end
    return values
end

local function find(results, title)
    for _, cell in ipairs(results.cells) do
        if cell.title == title then
            return cell
        end
    end
end

-- What luring takes over what a peer takes, in the same round.
function report.ratio(cell, name, id, base)
    return cell and stats.ratio(series(cell, base or "luring", name), series(cell, id, name))
end

function report.summary(cell, name, id)
    return cell and stats.summary(series(cell, id, name))
end

-- ---- writing ----

local function with_spread(summary, format)
    if not summary then
        return ""
    end
    return (format .. " (" .. format .. "-" .. format .. ")"):format(summary.median, summary.low, summary.high)
end

-- Three digits that matter.
local function short(value)
    local digits = value >= 100 and 0 or value >= 10 and 1 or 2
    return ("%." .. digits .. "f"):format(value)
end

local function with_commas(number)
    local text = ("%.0f"):format(number)
    repeat
        local more
        text, more = text:gsub("^(-?%d+)(%d%d%d)", "%1,%2")
    until more == 0
    return text
end

local function table_text(rows)
    local lines = {}
    for i, row in ipairs(rows) do
        table.insert(lines, "| " .. table.concat(row, " | ") .. " |")
        if i == 1 then
            table.insert(lines, "|" .. (" --- |"):rep(#row))
        end
    end
    return table.concat(lines, "\n") .. "\n"
end

-- A row for each cell: luring's own figure, and its ratio to each peer.
local function ratios(results, kind, wanted, name, head, scale)
    local peers = peers_of(results, kind)
    local rows = { { head[1], head[2] } }
    for _, peer in ipairs(peers) do
        if peer.id ~= "luring" then
            table.insert(rows[1], "/ " .. peer.title)
        end
    end
    for _, cell in ipairs(results.cells) do
        local own = cell.kind == kind and wanted(cell) and report.summary(cell, name, "luring")
        if own then
            local row = { cell.label or cell.title, short(own.median * scale) }
            for _, peer in ipairs(peers) do
                if peer.id ~= "luring" then
                    table.insert(row, with_spread(report.ratio(cell, name, peer.id), "%.2f"))
                end
            end
            table.insert(rows, row)
        end
    end
    return #rows > 1 and table_text(rows) or nil
end

local function latencies(results, kind)
    local peers = peers_of(results, kind)
    local rows = { { "size, connections" } }
    for _, peer in ipairs(peers) do
        table.insert(rows[1], peer.title)
    end
    for _, cell in ipairs(results.cells) do
        if cell.kind == kind then
            local row = { cell.label }
            for _, peer in ipairs(peers) do
                local middle, tail = report.summary(cell, "p50", peer.id), report.summary(cell, "p99", peer.id)
                table.insert(row, middle and ("%s / %s"):format(short(middle.median * 1e6), short(tail.median * 1e6)) or "")
            end
            table.insert(rows, row)
        end
    end
    return table_text(rows)
end

local function plain(results, head, figures)
    local rows = { { head } }
    for _, peer in ipairs(results.peers) do
        local shown = false
        for _, figure in ipairs(figures) do
            shown = shown or figure.of(peer.id) ~= nil
        end
        if shown then
            table.insert(rows[1], peer.title)
            for i, figure in ipairs(figures) do
                rows[i + 1] = rows[i + 1] or { figure.title }
                table.insert(rows[i + 1], figure.of(peer.id) or "")
            end
        end
    end
    return #rows > 1 and table_text(rows) or nil
end

local function instruction_table(results)
    local peers = {}
    for _, peer in ipairs(results.peers) do
        if results.instructions.read[peer.id] and not peer.hidden then
            table.insert(peers, peer)
        end
    end
    local rows = { { "action", "floor" } }
    for _, peer in ipairs(peers) do
        table.insert(rows[1], peer.title)
    end
    for _, action in ipairs { "read", "write", "recv", "send" } do
        local counts = results.instructions[action]
        local row = { action, ("%.0f"):format(counts.floor) }
        for _, peer in ipairs(peers) do
            local count = counts[peer.id]
            local above = peer.instructions and ("%.0f (%.0f above)"):format(count, count - counts.floor)
            table.insert(row, above or count and ("%.0f"):format(count) or "")
        end
        table.insert(rows, row)
    end
    return table_text(rows)
end

-- ---- the targets ----

local function targets(results)
    local rows = { { "figure", "target", "measured", "" } }
    local other = peers_of(results, "files")
    local other_title
    for _, peer in ipairs(other) do
        if peer.id == "other" then
            other_title = peer.title
        end
    end

    local function row(figure, limit, value, shown, unit)
        if value then
            table.insert(rows, { figure, "<= " .. limit .. (unit or ""), shown, value <= limit and "met" or "**not met**" })
        end
    end
    local function ratio(figure, title, name, id, limit, base)
        local found = report.ratio(find(results, title), name, id, base)
        row(figure, limit, found and found.median, with_spread(found, "%.2f"))
    end

    if results.instructions then
        local read = results.instructions.read
        local above = read.luring - read.floor
        row("instructions of a 64 B read, 32 in flight, above the floor", 500, above, ("%.0f"):format(above))
    end
    if other_title then
        local of = " / " .. other_title
        for _, want in ipairs {
            { "64 B, 32", 0.65 }, { "4 KiB, 32", 0.65 }, { "64 KiB, 32", 0.80 }, { "1 MiB, 32", 0.40 },
            { "64 KiB, 1", 1.05 }, { "1 MiB, 1", 1.05 },
        } do
            local title = "read " .. want[1] .. " in flight"
            ratio(title .. ", CPU" .. of, title, "cpu", "other", want[2])
        end
        for _, cell in ipairs(results.cells) do
            if cell.action == "write" then
                ratio(cell.title .. ", CPU" .. of, cell.title, "cpu", "other", 1.0)
            end
        end
    end
    for _, want in ipairs { { "4 KiB", 1.5 }, { "64 KiB", 1.1 }, { "1 MiB", 1.1 } } do
        local title = ("read %s, 32 in flight, into buffers"):format(want[1])
        ratio(title .. ", CPU / raw C", title, "cpu", "raw", want[2])
    end
    -- What a server costs a request, beside others: with each answer sent before the next receive, and both at once.
    for _, want in ipairs {
        { "echo 64 B, 50 connections", 0.90, 0.70 }, { "echo 64 B, 500 connections", 0.90, 0.75 },
        { "echo at once 64 B, 50 connections", 0.70, 0.75 }, { "echo at once 64 B, 500 connections", 0.85, 0.85 },
    } do
        local title = want[1]
        if other_title then
            ratio(title .. ", server CPU / " .. other_title, title, "cpu", "other", want[2])
        end
        ratio(title .. ", server CPU / luv", title, "cpu", "luv", want[3])
    end
    for _, want in ipairs {
        { "echo at once 64 B", "all that helps / luv", "luring_best", "luv", 0.65 },
        { "echo at once 64 B", "all that helps / raw C with the same", "luring_best", "raw_all", 1.10 },
        { "echo at once 16 KiB", "all that helps / raw C with the same", "luring_best", "raw_all", 1.15 },
        { "echo 64 B", "luring.co / callbacks", "luring_co", "luring", 1.15 },
        { "echo on LuaJIT 64 B", "luring.co / callbacks", "luring_co", "luring", 1.10 },
    } do
        for _, connections in ipairs { 50, 500 } do
            local title = ("%s, %d connections"):format(want[1], connections)
            ratio(title .. ", " .. want[2], title, "cpu", want[4], want[5], want[3])
        end
    end
    local idle = find(results, "idle connections")
    for _, where in ipairs { { "luring_co", "Lua 5.4" }, { "luring_co_jit", "LuaJIT" } } do
        local each = report.summary(idle, "bytes", where[1])
        row("an idle connection that waits in luring.co, " .. where[2], 2500, each and each.median,
            each and ("%.0f B"):format(each.median), " B")
    end
    ratio("4000 cold files of 4 KiB, open, read and close linked, wall / raw C", "4000 cold files", "wall", "raw", 1.15)
    ratio("the same / `grep -rc`", "4000 cold files", "wall", "grep", 0.2)
    local journal = report.ratio(find(results, "journal"), "rate", "raw", "luring_co")
    if journal then
        table.insert(rows, { "SETs a second of the journal, 64 clients / one fdatasync each", ">= 8",
            with_spread(journal, "%.1f"), journal.median >= 8 and "met" or "**not met**" })
    end
    local memory = report.summary(find(results, "memory of an action in flight"), "bytes", "luring")
    row("memory of an action in flight beyond its buffer", 60, memory and memory.median,
        memory and ("%.0f B"):format(memory.median), " B")
    local soak = find(results, "growth over many reads")
    local growth = report.summary(soak, "bytes", "luring")
    row(soak and ("resident memory over %s reads"):format(with_commas(soak.count)) or "", 1024, growth and growth.median / 1024,
        growth and ("%+.0f KiB"):format(growth.median / 1024), " KiB")
    local few, many = find(results, "10 in flight"), find(results, "100,000 in flight")
    local crowd = few and many and stats.ratio(series(many, "luring", "cpu"), series(few, "luring", "cpu"))
    row("cost of a read with 100,000 in flight / with 10", 1.3, crowd and crowd.median, with_spread(crowd, "%.2f"))
    local load = report.summary(find(results, "require"), "cpu", "luring")
    row("`require \"luring\"`, CPU", 0.5, load and load.median * 1000, load and ("%.2f ms"):format(load.median * 1000), " ms")
    return #rows > 1 and table_text(rows) or nil
end

function report.markdown(results)
    local m = results.machine
    local parts = {}
    local function add(text)
        if text then
            table.insert(parts, text)
        end
    end

    local versions = { "luring " .. m.luring }
    for _, peer in ipairs(results.peers) do
        if peer.name then
            table.insert(versions, peer.name .. " " .. peer.version)
        end
    end
    local about = "%d cores (%s), Linux %s, %s, Lua %s, liburing %s, files on %s; %s. The load average was %.1f before and "
        .. "%.1f after.%s\n"
    add(about:format(m.cores, m.processor, m.kernel, m.system, m.lua, m.liburing, m.filesystem,
        table.concat(versions, ", "), m.load_before, m.load_after, results.quick and " The quick form: few rounds." or ""))
    add("Each ratio is luring's figure over the peer's, in the same round: below 1, luring takes less. The median of the "
        .. "rounds stands first, the quartiles in parentheses.\n")

    local found = targets(results)
    if found then
        add("### Targets\n")
        add(found)
    end
    if results.instructions then
        add("### Instructions per action\n\n64 B, 32 in flight, user space, callgrind. The floor is the same Lua code over empty C functions.\n")
        add(instruction_table(results))
    end
    for _, action in ipairs { "read", "write" } do
        local text = ratios(results, "files", function(cell) return cell.action == action end, "cpu",
            { "size, in flight", "luring, us" }, 1e6)
        if text then
            add(("### CPU time of a file %s\n"):format(action))
            add(text)
        end
    end
    local into = ratios(results, "buffers", function() return true end, "cpu", { "size, in flight", "luring, us" }, 1e6)
    if into then
        add("### CPU time of a file read into buffers that the program keeps\n")
        add(into)
    end
    for _, echo in ipairs {
        { "echo", "TCP echo" },
        { "at_once", "TCP echo, a send and the next receive queued at once" },
        { "jit", "TCP echo on LuaJIT" },
    } do
        local kind, head = echo[1], echo[2]
        local cpu = ratios(results, kind, function() return true end, "cpu", { "size, connections", "luring, us" }, 1e6)
        if cpu then
            add(("### %s\n\nServer CPU time of a request:\n"):format(head))
            add(cpu)
            add("Requests a second (here more is better, so above 1 luring is the faster one):\n")
            add(ratios(results, kind, function() return true end, "rate", { "size, connections", "luring, thousands" }, 1e-3))
            add("How long a request takes, us, p50 / p99 (medians of the rounds):\n")
            add(latencies(results, kind))
        end
    end

    local function value(title, name, scale, format)
        return function(id)
            local summary = report.summary(find(results, title), name, id)
            return summary and format:format(summary.median * scale)
        end
    end
    local function crowd(id)
        local few, many = find(results, "10 in flight"), find(results, "100,000 in flight")
        return few and many and with_spread(stats.ratio(series(many, id, "cpu"), series(few, id, "cpu")), "%.2f"):match(".+")
    end
    local others = plain(results, "", {
        { title = "memory of an action in flight beyond its 64 B buffer, bytes", of = value("memory of an action in flight", "bytes", 1, "%.0f") },
        { title = "CPU of a read with 100,000 in flight / with 10", of = crowd },
        { title = "resident memory gained over the reads of the soak, KiB", of = value("growth over many reads", "bytes", 1 / 1024, "%.0f") },
        { title = "`require`, CPU ms", of = value("require", "cpu", 1000, "%.2f") },
        { title = "4000 cold files of 4 KiB, wall ms", of = value("4000 cold files", "wall", 1000, "%.0f") },
        { title = "changes of a journal a second, on the disk", of = value("journal", "rate", 1, "%.0f") },
        { title = "memory of each of 100,000 tasks asleep, bytes", of = value("tasks asleep", "bytes", 1, "%.0f") },
        { title = "idle connections", of = value("idle connections", "connections", 1, "%.0f") },
        { title = "memory of each, bytes", of = value("idle connections", "bytes", 1, "%.0f") },
    })
    if others then
        add("### Memory, many in flight, loading\n")
        add(others)
    end
    return table.concat(parts, "\n")
end

local BEGIN, END = "<!-- measured: written by make bench -->\n", "<!-- end of what was measured -->"

-- Puts the text where a document has a place for it.
function report.put(path, text)
    local document = assert(shell.read(path), path)
    local _, from = document:find(BEGIN, 1, true)
    local to = document:find(END, 1, true)
    assert(from and to, path .. " has no place for the figures")
    shell.write(path, document:sub(1, from) .. "\n" .. text .. "\n" .. document:sub(to))
end

return report
