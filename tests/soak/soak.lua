-- soak.lua SECONDS [SEED]: connections, files, timers, processes and cancellations, mixed, as long as that, with every
-- byte checked. Prints each minute, and at the end, what the process has of memory and descriptors, and how long a
-- round trip takes: at the end it must be as at the start. Called by `make soak`.

local here = arg[0]:match("^(.*/)") or "./"
package.path = here .. "../support/?.lua;" .. package.path

local co = require "luring.co"
local luring = require "luring"
local drive = require "drive"
local Dice = require "dice"
local bytes = require "model.bytes"
local action_model = require "model"
local task_model = require "co_model"

local SECONDS, SEED = tonumber(arg[1]) or 3600, tonumber(arg[2]) or 1
local CLIENTS, FILES = 40, 4
local REPORT = math.min(60, SECONDS / 10) -- seconds
local GROWTH = 8 * 1024 -- KiB of memory that may be the allocator's

local start = luring.now()
local dice = Dice.new(SEED)
local counts = {}
local function count(what) counts[what] = (counts[what] or 0) + 1 end
local function over() return luring.now() - start > SECONDS end

-- A fault ends it all.
local function check(holds, ...)
    if not holds then error("soak: " .. table.concat({ ... }, " "), 2) end
end

---------------------------------------------------------------------------- connections

-- What each connection says first: how the server is to treat it.
local function serve(client)
    local how, size = (client:line() or ""):match("^(%l+) (%d+)$")
    if how == "echo" then
        while true do
            local data = client:read()
            if not data then break end
            if not client:write(data) then break end
        end
    elseif how == "send" then
        client:write(bytes.of(7, 0, tonumber(size)))
    elseif how == "reset" then
        client:setopt(luring.SOL_SOCKET, luring.SO_LINGER, "\1\0\0\0\0\0\0\0")
    elseif how == "silent" then
        client:settimeout(0.2)
        client:read()
    elseif how == "fail" then
        error("on purpose")
    end
end

-- Sends bytes in pieces while it reads them back, and says that there are no more.
local function echo(stream, own)
    local size, sent, got = own:roll(200000), 0, 0
    local number = own:roll(1000)
    stream:write("echo 0\n")
    co.all {
        function()
            while sent < size do
                local n = math.min(own:roll(20000), size - sent)
                if not stream:write(bytes.of(number, sent, n)) then return nil, "cut" end
                sent = sent + n
            end
            return stream:shutdown()
        end,
        function()
            while true do
                local data = stream:read(own:roll(30000))
                if not data then return true end
                check(data == bytes.of(number, got, #data), "other bytes came back after", got)
                got = got + #data
            end
        end,
    }
    check(got == size, "of", size, "bytes", got, "came back")
    count "echo"
end

local function get(stream, own)
    local size = own:roll(300000)
    stream:write("send ", size, "\n")
    local all = stream:read_all(1000000)
    check(all == bytes.of(7, 0, size), "not the", size, "bytes that were sent")
    count "send"
end

local function ignored(how)
    return function(stream)
        stream:write(how, " 0\n")
        stream:read()
        count(how)
    end
end

local clients = {
    { 6, echo }, { 4, get }, { 2, ignored "reset" }, { 1, ignored "silent" }, { 1, ignored "fail" },
    { 2, function() count "hung up" end },
}

local function client(port, number)
    local own = Dice.new(SEED * 1000 + number)
    while not over() do
        local stream, why = co.connect("127.0.0.1", port)
        check(stream, "connect:", why)
        local act = own:weigh(clients)
        -- One in four is cancelled at some moment.
        if own:once(4) then
            local done = co.timeout(own:roll(20) / 2000, function()
                act(stream, own)
                return true
            end)
            if not done then count "cancelled" end
        else
            act(stream, own)
        end
        stream:close()
        co.sleep(own:roll(200) / 1000)
    end
end

---------------------------------------------------------------------------- everything else

local function file(number)
    local own = Dice.new(SEED * 2000 + number)
    local path = os.tmpname()
    while not over() do
        local f = assert(co.open(path, "w+"))
        local size = own:roll(400000)
        local at = 0
        while at < size do
            local n = math.min(own:roll(50000), size - at)
            assert(f:write(bytes.of(number, at, n), at))
            at = at + n
        end
        if own:once(5) then f:sync() end
        for _ = 1, 10 do
            local from = own:roll(size) - 1
            local data = f:read(own:roll(20000), from) or ""
            check(data == bytes.of(number, from, #data), "a file holds something else at", from)
        end
        f:close()
        if own:once(4) then co.timeout(own:roll(10) / 10000, co.read_file, path) end
        count "file"
        co.sleep(own:roll(100) / 1000)
    end
    os.remove(path)
end

local function processes()
    while not over() do
        local output = assert(co.capture { "sh", "-c", "echo out; exit 3", timeout = 20 })
        check(output.status == 3 and output.stdout == "out\n", "a process ended with", tostring(output.status))
        if dice:once(4) then co.timeout(0.003, co.capture, { "sleep", "100" }) end
        local p = assert(co.process { "sleep", "100" })
        co.timeout(0.01, p.wait, p)
        p:kill "KILL"
        p:wait()
        count "process"
        co.sleep(0.2)
    end
end

local function timers()
    local channel = co.channel(2)
    while not over() do
        local sum = 0
        co.scope(function(s)
            for i = 1, 50 do
                s:spawn(function()
                    co.sleep(dice:roll(20) / 1000)
                    channel:send(i)
                end)
            end
            for _ = 1, 50 do sum = sum + channel:recv() end
        end)
        check(sum == 1275, "of a channel came", sum)
        count "timers"
    end
end

-- The models: they have rings of their own.
local function models()
    local seed = SEED * 1000000
    while not over() do
        seed = seed + 1
        local ok, why = pcall(action_model, seed)
        check(ok or tostring(why):find("descriptors", 1, true), tostring(why)) -- the other tasks' come and go
        count "sequence"
        co.sleep(0.05)
    end
end

---------------------------------------------------------------------------- what it costs

local laps = {}
local function round_trips(port)
    local stream = assert(co.connect("127.0.0.1", port))
    stream:write("echo 0\n")
    while not over() do
        local before = luring.now()
        stream:write("ping")
        check(stream:read_exactly(4) == "ping", "a round trip brought something else")
        laps[#laps + 1] = luring.now() - before
        co.sleep(0.01)
    end
end

local function status(name)
    return tonumber(drive.contents("/proc/self/status"):match(name .. ":%s*(%d+)"))
end

local rows = {}
local function report()
    drive.collect()
    table.sort(laps)
    local row = {
        seconds = luring.now() - start, memory = status "VmRSS", lua = collectgarbage "count",
        descriptors = drive.descriptors(), threads = status "Threads",
        half = (laps[math.ceil(#laps / 2)] or 0) * 1000, most = (laps[math.ceil(#laps * 0.99)] or 0) * 1000,
    }
    laps = {}
    rows[#rows + 1] = row
    local line = {}
    for what, n in pairs(counts) do line[#line + 1] = what .. " " .. n end
    table.sort(line)
    local form = "%5.0f s: %d KiB, %.0f KiB of it Lua's, %d descriptors, %d threads, round trip %.2f ms (p99 %.2f); %s"
    print(form:format(row.seconds, row.memory, row.lua, row.descriptors, row.threads, row.half, row.most,
        table.concat(line, ", ")))
    io.stdout:flush()
end

local function main()
    local server = assert(co.listen("127.0.0.1", 0))
    local _, port = server:address()
    co.background(function()
        server:serve(serve, { on_error = function(err)
            check(tostring(err):find("on purpose", 1, true) or tostring(err):find("closed", 1, true)
                or tostring(err):find("reset", 1, true), tostring(err))
        end })
    end)
    for number = 1, CLIENTS do co.spawn(client, port, number) end
    for number = 1, FILES do co.spawn(file, number) end
    for _, f in ipairs { processes, timers, models } do co.spawn(f) end
    co.spawn(round_trips, port)
    while not over() do
        co.sleep(REPORT)
        report()
    end
end

local before = drive.descriptors()
co.run(main)
drive.collect()
local after = drive.descriptors()
for seed = 1, 100 do task_model(seed) end

-- The first row is of a process that is still growing into its work.
local first, last = rows[2] or rows[1], rows[#rows]
print(("descriptors %d before, %d after; memory %+d KiB, from the second report to the last"):format(
    before, after, last.memory - first.memory))
check(after == before, "descriptors are left")
check(last.memory - first.memory < GROWTH, "memory grows")
