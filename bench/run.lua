-- Measures luring beside its peers, each round one after the other, and writes what it finds.
-- Called by scripts/bench, which says what the options are.

local instructions = require "bench.lib.instructions"
local machine = require "bench.lib.machine"
local report = require "bench.lib.report"
local shell = require "bench.lib.shell"
local workloads = require "bench.workloads"

local options = { quick = false, module = nil, jit = nil, work = nil, peer = nil, peer_name = "the other luring", only = "" }
do
    local i = 1
    while arg[i] do
        local name = arg[i]:match("^%-%-(%l[%l-]*)$")
        if name == "quick" or name == "again" then
            options[name] = true
            i = i + 1
        else
            options[(name or "?"):gsub("%-", "_")] = assert(arg[i + 1], arg[i])
            i = i + 2
        end
    end
end
local work = options.work

local function say(...)
    io.stderr:write(string.format(...), "\n")
end

-- ---- who is there ----

local all = require "bench.peers"(options.module, options.jit, options.peer, options.peer_name)
local words = { LUA = "lua5.4", C = shell.quoted(work), CASES = "bench/cases" }

local function filled(command, more)
    return (command:gsub("%$(%u+)", function(word)
        return tostring(more and more[word] or words[word] or error("no $" .. word))
    end))
end

local function find_peers()
    local peers = {}
    for _, peer in ipairs(all) do
        local version = shell.output("{ " .. filled(peer.probe) .. "; } 2>/dev/null")
        if version then
            peer.version = version:gsub("%s+$", "")
            table.insert(peers, peer)
        else
            say("not here, and left out: %s", peer.title)
        end
    end
    assert(peers[1].id == "luring", "no luring.so for Lua 5.4 in " .. options.module)
    return peers
end

-- ---- measuring ----

-- The folder of small files for `cold`.
local function make_files(count)
    local folder = work .. "/small"
    if not shell.output("test -e " .. shell.quoted(folder .. "/" .. count) .. " && echo yes") then
        os.execute("mkdir -p " .. shell.quoted(folder))
        for n = 1, count do shell.write(folder .. "/" .. n, (("%d "):format(n)):rep(4096):sub(1, 4096)) end
        os.execute "sync"
    end
    return folder
end

-- The seconds of a command when no file is in memory but its own, which running `warm` brings there. As root.
local COLD = [[
    sync && echo 3 >/proc/sys/vm/drop_caches || exit
    %s >/dev/null
    from=$(date +%%s%%N); %s >/dev/null || exit; to=$(date +%%s%%N)
    echo wall $(((to - from) / 1000))e-6]]

local ECHO = { echo = true, at_once = true, jit = true }

local function run_once(peer, cell, kind)
    local actions = cell.count and math.max(cell.count // (peer.slow or 1), 10)
    local quoted = shell.quoted
    local function command_with(folder, count)
        return filled(peer[kind], {
            ACTION = cell.action, SIZE = cell.size, DEPTH = cell.depth, OTHERS = cell.others, COUNT = count,
            FOLDER = folder, FILE = work .. "/journal",
        })
    end
    local command
    if kind == "cold" then
        local folder, none = make_files(cell.count), work .. "/none"
        os.execute("mkdir -p " .. quoted(none))
        command = COLD:format(command_with(none, 0), command_with(folder, cell.count))
    else
        command = command_with(nil, actions)
    end
    if ECHO[kind] then
        command = ("%s %d %d %d %d %s"):format(
            quoted(work .. "/load"), cell.connections, cell.size, cell.warm_ms, cell.run_ms, command)
    elseif kind == "memory" then
        command = command .. " 3<>" .. quoted(work .. "/pipe")
    elseif kind == "files" or kind == "buffers" or kind == "crowd" or kind == "soak" then
        local file = cell.action == "write" and "/written" or "/file"
        command = command .. " 3<>" .. quoted(work .. file) .. " 4<>" .. quoted(work .. "/pipe")
    end
    local values, failed = shell.values("timeout 120 sh -c " .. quoted(kind == "cold" and command or "exec " .. command))
    if not values then
        return nil, failed
    end
    if values.cpu and kind ~= "require" then
        values.cpu = values.cpu / (values.requests or actions)
    end
    if values.requests then
        values.rate = values.requests / values.seconds
    end
    return values
end

local function sum(ids, samples)
    local values = {}
    for i = 1, math.huge do
        values[i] = { cpu = 0 }
        for _, id in ipairs(ids) do
            local sample = samples[id] and samples[id][i]
            if not sample then
                values[i] = nil
                return values
            end
            values[i].cpu = values[i].cpu + sample.cpu
        end
    end
end

-- samples[id][round] = values
local function measure(cell, peers)
    local samples = {}
    for _ = 1, cell.rounds do
        for _, peer in ipairs(peers) do
            local command = peer[cell.kind]
            local fits = not peer.only or cell.kind ~= "files" or peer.only(cell)
            if command and fits and samples[peer.id] ~= false then
                local values, failed = run_once(peer, cell, cell.kind)
                if values then
                    samples[peer.id] = samples[peer.id] or {}
                    table.insert(samples[peer.id], values)
                else
                    samples[peer.id] = false -- it is asked no more
                    say("%s: %s", peer.title, failed)
                end
            end
        end
    end
    for _, peer in ipairs(peers) do
        samples[peer.id] = samples[peer.id] or peer.sum and cell.kind == "files" and sum(peer.sum, samples) or nil
    end
    return samples
end

local function count_instructions(peers)
    local counts = {}
    for _, action in ipairs(instructions.ACTIONS) do
        local row = { floor = instructions.module(work, action, work .. "/floor") }
        for _, peer in ipairs(peers) do
            if peer.instructions then
                row[peer.id] = instructions.module(work, action, peer.instructions)
            elseif peer.id == "raw" and (action == "read" or action == "write") then
                row[peer.id] = instructions.raw(work, action)
            end
        end
        counts[action] = row
        say("instructions %s: luring %.0f, the floor %.0f", action, row.luring, row.floor)
    end
    return counts
end

-- ---- keeping ----

local function serialised(value)
    if type(value) ~= "table" then
        return type(value) == "number" and ("%.17g"):format(value) or ("%q"):format(value)
    end
    local parts = {}
    for key, inner in pairs(value) do
        if type(inner) ~= "function" then
            table.insert(parts, "[" .. serialised(key) .. "]=" .. serialised(inner))
        end
    end
    table.sort(parts)
    return "{" .. table.concat(parts, ",\n") .. "}"
end

local kept = work .. "/results.lua"
local results
if options.again then
    results = assert(loadfile(kept, "t", {}))()
else
    local peers = find_peers()
    results = { peers = peers, cells = {}, quick = options.quick, machine = machine.describe(work) }
    local started = os.time()
    for _, cell in ipairs(workloads(options.quick, tonumber(options.rounds))) do
        if cell.title:find(options.only, 1, true) then
            cell.samples = measure(cell, peers)
            table.insert(results.cells, cell)
            say("%4d s  %s", os.difftime(os.time(), started), cell.title)
        end
    end
    if ("instructions"):find(options.only, 1, true) then
        results.instructions = count_instructions(peers)
    end
    results.machine.load_after = machine.load()
    results.seconds = os.difftime(os.time(), started)
    shell.write(kept, "return " .. serialised(results) .. "\n")
end

local text = report.markdown(results)
io.write(text)
shell.write(work .. "/report.md", text)
local svg = require("bench.lib.picture").svg(results)
shell.write(work .. "/report.svg", svg)
if options.docs then
    report.put(options.docs .. "/performance.md", text)
    shell.write(options.docs .. "/performance.svg", svg)
end
say("written: %s/report.md, report.svg and results.lua, after %d s", work, results.seconds)
