-- What the random programs have: rings `R`, descriptors `F`, keys `K`, callbacks `C`, buffers and
-- views `B`, groups `G`, and what they call. It sees that no byte of freed or fresh memory reaches
-- Lua, and that no program loops or waits by itself.

local luring = require "luring"
local finalized = require "finalizer"

L, R, F, K, C, B, G = luring, {}, {}, {}, {}, {}, {}

local is_jit = rawget(_G, "jit") ~= nil
local unpack = table.unpack or unpack
local clock = luring.queue_init(8, 0) -- its own, for pauses

-- How many calls back a program has: then every completion is seen, and nothing nests.
local budget = 400
local calls = 3000

-- AddressSanitizer fills what is freed with the one byte and what is allocated with the other;
-- no program sends either.
local function look(value, res, depth)
    if type(value) == "string" then
        if value:find("\222\222\222\222", 1, true) or value:find("\190\190\190\190", 1, true) then
            io.stderr:write("FOREIGN BYTES in a result of ", #value, " bytes\n")
            os.exit(77)
        end
    elseif type(value) == "table" and depth < 3 then
        for _, part in pairs(value) do look(part, res, depth + 1) end
    elseif getmetatable(value) == "luring.buffer" then
        pcall(function() look(value:sub(), res, depth) end)
        B[1 + budget % 4] = value
    end
end

local count = 0
local drained = false

function try(name, ...)
    calls = calls - 1
    local f = luring[name]
    if name == "sqe_set_flags" then drained = true end
    if not f or calls < 0 then return end
    local ok, value = pcall(f, ...)
    if not ok then
        if type(value) == "string" and value:find("panicked", 1, true) then error(value, 0) end
        return
    end
    look(value, 0, 0)
    if type(value) == "userdata" and not getmetatable(value) then
        count = count + 1
        K[1 + count % 8] = value
    elseif getmetatable(value) == "luring" then
        R[3] = value
    end
    return value
end

function method(object, name, ...)
    if object == nil then return end
    local arguments, n = { ... }, select("#", ...)
    local ok, value = pcall(function() return object[name](object, unpack(arguments, 1, n)) end)
    if ok then look(value, 0, 0) end
    return ok and value or nil
end

function ring(entries, flags) return try("queue_init", entries, flags) or try("queue_init", 8, 0) end

function buffer(n, options) return (try("buffer", n, options)) end

function group(...)
    local made = try("buf_ring", ...)
    return type(made) == "userdata" and made or nil
end

function seen(r, cqe) return try("cqe_seen", r, cqe) end

function fail() error(budget % 2 == 0 and "on purpose" or { "on purpose" }) end

-- The callback with this number, from now on: `f` gets a ring that it may belong to.
local newest
function callback(number, f)
    C[number] = function(cqe, res, value, ...)
        budget = budget - 1
        calls = calls - 1
        look(value, res, 0)
        if budget < 0 or calls < 0 then
            for i = 1, 3 do pcall(luring.cqe_seen, R[i], cqe) end
            if newest then pcall(luring.cqe_seen, newest, cqe) end
            error("enough") -- or do_cqes goes on, should it be another ring's
        end
        for i = 1, 3 do
            local in_flight = R[i] and pcall(luring.in_flight, R[i])
            if in_flight then f(R[i], cqe, res, value, ...) end
        end
    end
    return C[number]
end

for i = 1, 4 do callback(i, seen) end

function pause(milliseconds)
    calls = calls - 1
    if calls < 0 then return end
    if luring.timeout(clock, milliseconds / 1000, 0, 0) then luring.submit_and_wait(clock, 1) end
    luring.do_cqes(clock)
end

-- What nearly every program does with a ring, without waiting for what may never come.
function turn(r)
    if not r then return end
    newest = r
    try("submit", r)
    if budget % 3 == 0 then pause(1) end
    try("do_cqes", r)
end

-- Has a ring run until a timeout stops it, unless that may wait behind an IOSQE_IO_DRAIN.
function run(r)
    if calls < 0 or not luring.run or drained then return end
    local ok, key = pcall(luring.timeout, r, 0.01, 0, 0, function(cqe)
        local stopped, why = pcall(luring.stop, r)
        pcall(luring.cqe_seen, r, cqe) -- it may come when the run is over
        -- Without room on the C stack neither can be called, and this would be called for ever, or the ring run.
        if not stopped and tostring(why):find("overflow", 1, true) then error(why, 0) end
    end)
    if ok and key then try("run", r) end
end

-- Programs in a coroutine may be abandoned there.
function routine(f)
    local co = coroutine.create(f)
    coroutine.resume(co)
    if budget % 2 == 0 then coroutine.resume(co) end
end

later = function() end
function once(f)
    return function()
        later = function() end
        f()
    end
end

-- Lua 5.3 may never return from a collection that a finalizer makes while it closes the state. What tells that
-- it does is the youngest object that has a finalizer, since Lua begins with that.
local youngest
local closing = false
local function mark_youngest()
    local number = {}
    youngest = { number = number, object = finalized(function()
        if youngest.number == number then closing = _VERSION == "Lua 5.3" end
    end) }
end

-- Runs `f` when it is collected. LuaJIT 2.1's betas crash by themselves when that raises.
function finalizer(f)
    finalized(function()
        calls = calls - 1
        if calls < 0 or closing then return end
        if is_jit then pcall(f) else f() end
    end)
    mark_youngest()
end

function collector(kind)
    if kind == 1 then
        collectgarbage("setpause", 0)
        collectgarbage("setstepmul", 1000)
    elseif kind == 2 and _VERSION == "Lua 5.4" then
        collectgarbage("generational")
    elseif kind == 3 then
        collectgarbage("setpause", 100)
    end
end

function register(r)
    try("register_files", r, { F[1], F[3], F[5], -1, -1, -1, -1, -1 })
end

-- Closes a descriptor of the stage, with what is in flight on it.
function close(fd)
    if type(fd) == "number" and fd > 2 then try("close_fd", fd) end
end

local pipe_from, pipe_to, one, other

-- The descriptors, anew.
function open()
    pipe_from, pipe_to = luring.pipe2()
    one, other = luring.socketpair()
    local file = try("open_file", "a", "w+")
    local datagram, peer = luring.socketpair(luring.AF_UNIX, luring.SOCK_DGRAM)
    local listener = try("tcp_listen", { family = luring.AF_INET, addr = "127.0.0.1", port = 0 }, 8)
    address = type(listener) == "number" and listener >= 0 and luring.getsockname(listener) or {}
    local blocking_from, blocking_to = luring.pipe2()
    F = {
        pipe_from, pipe_to, one, other, file, datagram, peer, try("tcp_listen", { family = luring.AF_UNIX, path = "socket" }, 8),
        listener, try("eventfd", 0, luring.EFD_NONBLOCK), blocking_from, blocking_to, try("epoll_create1"),
        try("timerfd_create"), -1, try("open_file", "dir", luring.O_DIRECTORY),
    }
    for i = 1, 16 do
        if type(F[i]) ~= "number" then F[i] = -1 end
    end
end

-- Something to be read arrives.
function feed(n)
    local bytes = ("f"):rep(n)
    luring.cancel_all(clock) -- what did not fit into the pipe the last time
    if luring.write(clock, pipe_to, bytes, -1) then luring.submit(clock) end
    if luring.send(clock, one, bytes, luring.MSG_DONTWAIT) then luring.submit(clock) end
    if luring.send(clock, F[6], bytes, luring.MSG_DONTWAIT) then luring.submit(clock) end
    pause(1)
end

function spawn()
    local pid, pidfd = luring.posix_spawn { "true" }
    if pid and pid > 0 then
        F[15] = pidfd
        try("waitid_now", luring.P_PID, pid)
    end
end

an_object = { getfd = function()
    later()
    return F[3]
end }
object = setmetatable({}, { __index = function()
    later()
    return 1
end })
closed_file = io.tmpfile()
closed_file:close()
try("mknod", "fifo", luring.S_IFIFO + 511)
open()
