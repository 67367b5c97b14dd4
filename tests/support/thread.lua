-- What each thread of threads.lua runs, in a Lua state of its own: rings, files, sockets, buffers, luring.co, and
-- whatever else the states of a process share.

local number, host = ...
local luring = require "luring"
local co = require "luring.co"

local THREADS = tonumber(os.getenv "THREADS")
local ROUNDS = tonumber(os.getenv "ROUNDS")
local MESSAGES = 20
local path = os.tmpname()

-- The places of host.share: what has begun, what has ended, and each one's descriptor.
local function place(what, who) return what * THREADS + (who - 1) % THREADS end

-- Waits for the others, whose number in the same place becomes at least this.
local function meet(what, round)
    host.share(place(what, number), round)
    for other = 1, THREADS do
        while host.share(place(what, other)) < round do luring.wait_a_little() end
    end
end

local ring = luring.queue_init(32, 0)
function luring.wait_a_little()
    luring.timeout(ring, 0.001, 0, 0)
    luring.submit_and_wait(ring, 1)
    luring.do_cqes(ring)
end

-- Runs the ring until `n` more callbacks were called.
local left = 0
local function seen(cqe)
    luring.cqe_seen(ring, cqe)
    left = left - 1
end
local function finish(n)
    left = n
    while left > 0 do
        assert(luring.submit_and_wait(ring, 1) >= 0)
        luring.do_cqes(ring)
    end
end

local function files(round)
    local text = ("%d %d "):format(number, round):rep(1000)
    assert(co.run(co.write_file, path, text))
    assert(co.run(co.read_file, path) == text)
    local fd = luring.open_file(path, "r")
    local buffer = luring.buffer(#text)
    luring.read(ring, fd, buffer, 0, seen)
    luring.read(ring, fd, #text, 0, function(cqe, res, data)
        assert(res == #text and data == text)
        seen(cqe)
    end)
    finish(2)
    assert(buffer:sub(1) == text)
    luring.close_fd(fd)
end

local function sockets()
    local one, other = luring.socketpair()
    local got = {}
    luring.recv(ring, one, 100, 0, function(cqe, _, data)
        got[#got + 1] = data
        seen(cqe)
    end)
    luring.send(ring, other, "hello " .. number, 0, seen)
    finish(2)
    assert(got[1] == "hello " .. number)
    luring.close_fd(one)
    luring.close_fd(other)
    co.run(function()
        local server = assert(co.listen("127.0.0.1", 0))
        local _, port = server:address()
        co.background(function()
            server:serve(function(client) client:write(client:line(), "\n") end)
        end)
        local stream = assert(co.connect("localhost", port))
        stream:write("line ", number, "\n")
        assert(stream:line() == "line " .. number)
        stream:close()
        server:close()
    end)
end

local function groups()
    local group = luring.buf_ring(ring, 4, 64)
    if type(group) == "number" then return end
    group:manual(true)
    local one, other = luring.socketpair()
    local views = {}
    luring.recv(ring, one, group, 0, function(cqe, _, view)
        views[#views + 1] = view
        seen(cqe)
    end)
    luring.send(ring, other, "view " .. number, 0, seen)
    finish(2)
    assert(views[1] and views[1]:sub(1) == "view " .. number)
    group:give(views[1])
    group:close()
    luring.close_fd(one)
    luring.close_fd(other)
end

local function names()
    co.run(function()
        co.all {
            function() assert(co.resolve("localhost", number)) end,
            function() assert(co.resolve("127.0.0.1", "80")) end,
            function() co.sleep(0.001) end,
        }
    end)
end

-- Whether a signal is blocked on this thread.
local function is_blocked(signal)
    for line in io.lines("/proc/thread-self/status") do
        local digits = line:match("^SigBlk:.*(%x%x%x%x%x%x%x%x)$")
        if digits then return math.floor(tonumber(digits, 16) / 2 ^ (signal - 1)) % 2 == 1 end
    end
end

-- Each waits for a signal that each sends to itself: all who wait get it, also those who had blocked it.
local had_blocked = number % 2 == 1
if had_blocked then luring.close_fd(luring.signalfd(luring.SIGUSR1)) end
local function signals(round)
    co.run(function()
        local waiter = co.spawn(co.signal, "USR1")
        co.sleep(0)
        meet(1, round)
        host.signal(luring.SIGUSR1)
        assert(waiter:join() == "USR1")
        meet(2, round)
    end)
    assert(is_blocked(luring.SIGUSR1) == had_blocked)
end

-- A thread's ring gets the messages of the one before it.
local function messages(round)
    local sum, count, other = 0, 0, luring.queue_init(64, 0)
    luring.on_message(other, function(_, data)
        sum, count = sum + data, count + 1
    end)
    host.share(place(3, number), luring.pollable(other):pollfd())
    meet(4, round)
    local to = host.share(place(3, number + 1))
    for data = 1, MESSAGES do luring.msg_ring(ring, to, 0, data, 0, seen) end
    finish(MESSAGES)
    while count < MESSAGES do
        luring.do_cqes(other)
        luring.wait_a_little()
    end
    assert(sum == MESSAGES * (MESSAGES + 1) / 2)
    meet(5, round)
    luring.queue_exit(other)
end

-- Some end with actions in flight, by hand or with the state.
local function ends(round)
    local from, to = luring.pipe2(luring.O_CLOEXEC)
    local rings = {}
    for i = 1, 3 do
        rings[i] = luring.queue_init(4, i == 1 and luring.IORING_SETUP_SQPOLL or 0)
        luring.read(rings[i], from, 10, -1, print)
        luring.submit(rings[i])
    end
    if round % 2 == 0 then luring.queue_exit(rings[1]) end
    rings = nil -- luacheck: ignore 311
    collectgarbage()
    luring.close_fd(from)
    luring.close_fd(to)
end

local function has(name)
    local _, message = pcall(luring[name])
    return not tostring(message):find("needs liburing", 1, true)
end

for round = 1, ROUNDS do
    files(round)
    sockets()
    groups()
    names()
    signals(round)
    if has "msg_ring" then messages(round) end
    ends(round)
end
luring.read(ring, luring.pipe2(luring.O_CLOEXEC), 10, -1, print)
luring.submit(ring)
os.remove(path)
