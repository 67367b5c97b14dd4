-- What nearly every spec does with a ring.

local luring = require "luring"
local host = require "host"

local drive = {}

-- How long what must come is waited for: its absence is a failure then, and not a hang.
local PATIENCE = 30000

-- Submits, waits for `n` completions (1), and calls the callbacks.
function drive.turn(ring, n)
    host.alarm(PATIENCE)
    local submitted = luring.submit_and_wait(ring, n or 1)
    host.alarm(0)
    if submitted < 0 then
        error("submit_and_wait: " .. luring.strerror(-submitted), 2)
    end
    return luring.do_cqes(ring)
end

-- Turns until `done()`, since no kernel promises when what it was given is done.
function drive.turn_until(ring, done)
    while not done() do drive.turn(ring) end
end

-- Queues one action, waits for it, and returns what its callback got but the cqe.
function drive.one(ring, name, ...)
    local arguments, count = { ... }, select("#", ...) + 1
    local got
    arguments[count] = function(cqe, ...)
        luring.cqe_seen(ring, cqe)
        got = { n = select("#", ...), ... }
    end
    assert(luring[name](ring, (unpack or table.unpack)(arguments, 1, count)), "the queue is full")
    while not got do drive.turn(ring) end
    return (unpack or table.unpack)(got, 1, got.n)
end

-- Whether the liburing that the module was built with has an action.
function drive.has(name)
    local _, message = pcall(luring[name])
    return not tostring(message):find("needs liburing", 1, true)
end

-- Has completions delivered within C calls that leave hardly any C stack, or none, with one call more or less each
-- of 31 * 3 times: `prepare()` gives their ring, and `after(ring)` follows where there is some again.
function drive.reap_deep(prepare, after)
    for n = 210, 180, -1 do
        for way = 1, 3 do
            local ring = prepare()
            local function deep(depth)
                if depth > 0 then return string.gsub("x", "x", function() deep(depth - 1) end) end
                if way == 1 then return luring.do_cqes(ring) end
                if way == 2 then return pcall(luring.do_cqes, ring) end
                string.gsub("x", "x", function() luring.do_cqes(ring) end)
            end
            pcall(deep, n)
            after(ring)
        end
    end
end

-- An unfinished read keeps a ring busy: nobody writes to this pipe.
function drive.idle_pipe()
    local from, to = luring.pipe2(luring.O_CLOEXEC)
    assert(from >= 0, from)
    return from, to
end

function drive.close(...)
    for _, fd in ipairs { ... } do luring.close_fd(fd) end
end

-- All that a file holds.
function drive.contents(path)
    local file = assert(io.open(path, "rb"))
    local all = file:read("*a")
    file:close()
    return all
end

-- Collects all there is: a finalizer may need a second round. LuaJIT sees what is on its stack no more as
-- garbage only when that has been written over, and what compiled code was made for when that is gone.
function drive.collect()
    local jit = rawget(_G, "jit")
    if jit then jit.flush() end
    local function over(n, ...) return n > 0 and over(n - 1, n, ...) or select("#", ...) end
    for _ = 1, 3 do
        over(100)
        collectgarbage()
    end
end

-- How many descriptors this process has open; with a pattern, those whose file is called so. Garbage goes
-- before: what earlier specs left would go between two counts.
function drive.descriptors(pattern)
    drive.collect()
    local count = 0
    for fd in pairs(luring.readdir("/proc/self/fd")) do
        local name = luring.readlink("/proc/self/fd/" .. fd)
        if type(name) == "string" and (not pattern or name:find(pattern)) then count = count + 1 end
    end
    return count
end

-- The same, when there are no more than `enough`, or after a while.
function drive.open_descriptors(enough)
    local count
    for _ = 1, 20 do
        count = drive.descriptors()
        if count <= enough then break end
    end
    return count
end

-- What this process has of memory, in KiB: mapped, and resident.
local function status(name)
    return tonumber(drive.contents("/proc/self/status"):match(name .. ":%s*(%d+) kB"))
end
function drive.mapped() return status "VmSize" end
function drive.resident() return status "VmRSS" end

drive.finalizer = require "finalizer"

-- The speed at which the collector does a cycle in one go, however large the heap: 0 says so, but where
-- it is too slow to be taken. 5.4 keeps it in a byte, and takes the size of a step as well.
local WHOLE = { ["Lua 5.2"] = 2 ^ 31 - 1, ["Lua 5.3"] = 2 ^ 31 - 1, ["Lua 5.4"] = 1000 }

-- Calls `act(owe)` with the collector set so that after `owe()` it runs `f` as a finalizer: at the
-- `n`-th place where it may run, if there are as many. Returns as pcall does.
function drive.ambush(n, f, act)
    local set = collectgarbage
    if _VERSION == "Lua 5.5" then
        set = function(name, value) return collectgarbage("param", name:match("^set(.*)"), value) end
    end
    if _VERSION == "Lua 5.4" then collectgarbage("incremental", 0, 0, 64) end
    -- Each lets go of the next one, and has the next cycle begin at once: 5.2 puts it off after a finalizer.
    local armed, next_ones = true, {} -- luacheck: ignore
    for i = 1, n do
        next_ones[i] = drive.finalizer(function()
            if not armed then return end
            if i == 1 then return f() end
            next_ones[i - 1] = nil
            collectgarbage("restart")
        end)
    end
    local ballast = {} -- luacheck: ignore
    local function owe()
        collectgarbage("restart")
        for i = 1, 200 do ballast[i] = i end -- memory that was not paid for, with no place in between
    end
    drive.collect()
    collectgarbage("stop")
    -- A whole cycle at each place.
    local pause, speed = set("setpause", 0), set("setstepmul", WHOLE[_VERSION] or 0)
    next_ones[n] = nil
    local ok, message = pcall(act, owe)
    armed = false
    set("setpause", pause)
    set("setstepmul", speed)
    if _VERSION == "Lua 5.4" then collectgarbage("incremental", 0, 0, 13) end
    collectgarbage("restart")
    return ok, message
end

return drive
