-- Programs that are run with one allocation failing after the other. Each is a chunk that gives two
-- functions: the program, and what looks at what it has left, which gets its error or nil.

local shortage = {}

-- What both have. What the program notes takes no memory: the tables have the room, and between the
-- end of an action's queueing and its being noted nothing can fail.
local COMMON = [[
local luring = require "luring"
if jit then jit.off() end
local fds, n = {}, 0
for i = 1, 40 do fds[i] = false end

local function descriptors()
    local count = 0
    for _ in pairs(luring.readdir("/proc/self/fd")) do count = count + 1 end
    return count
end

-- How many threads there are, but for the kernel's workers, which end by themselves.
local function threads()
    local count = 0
    for id in pairs(luring.readdir("/proc/self/task")) do
        local file = io.open("/proc/self/task/" .. id .. "/comm")
        local name = file and file:read("*l")
        if file then file:close() end
        if name and not name:find("^iou%-") then count = count + 1 end
    end
    return count
end

local function is_for_want_of_memory(err)
    return err == nil or tostring(err):find("not enough memory", 1, true)
        or tostring(err):find("deadlock", 1, true)
        or _VERSION == "Lua 5.2" and tostring(err):find("stack overflow", 1, true) -- it says so of table.sort
        or tostring(err):find(luring.strerror(luring.ENOMEM), 1, true)
end

local open_before, threads_before

local function close_all()
    for i = 1, #fds do
        if fds[i] then luring.close_fd(fds[i]) end
        fds[i] = false
    end
    n = 0
end
]]

shortage.RING = COMMON .. [[
local function has(name)
    local _, message = pcall(luring[name])
    return not tostring(message):find("needs liburing", 1, true)
end
local HAS_GROUPS, HAS_ACCEPT = luring.can "buf_ring" and has "recv_multishot", has "accept_multishot"
local HAS_XATTR = has "getxattr"
local HERE = { family = luring.AF_INET, addr = "127.0.0.1", port = 0 }
local LARGE, HALF = ("0123456789abcdef"):rep(1000), ("0123456789abcdef"):rep(500)
local ring, own, stopping
local queued, ended, accepted, keys = 0, 0, 0, {}
for i = 1, 100 do keys[i] = false end
local wrong = nil

-- An action, which is queued or not, and nothing in between.
local function act(name, ...)
    local key = luring[name](ring, ...)
    queued = queued + 1
    keys[queued] = key
    if not key then wrong = "the queue is full" end
    return key
end

local function had(value)
    if value == -luring.ENOMEM then error(luring.strerror(luring.ENOMEM), 0) end
    return value
end

-- A callback that wants `res`, and a value for which `right` is true.
local function wants(res, right)
    return function(cqe, got, value)
        luring.cqe_seen(ring, cqe)
        ended = ended + 1
        if stopping and got == -luring.ECANCELED then return end
        if got == -luring.ENOMEM then return end
        if got ~= res or right and not right(value) then
            wrong = wrong or (("%s for %s, with %s"):format(tostring(got), tostring(res), tostring(value)))
        end
    end
end

local function is(text) return function(value) return value == text end end

local function turn()
    local submitted = luring.submit(ring)
    if submitted < 0 then had(submitted) error("submit: " .. submitted, 0) end
    luring.do_cqes(ring)
end

-- Until all has ended: of those that read from one pipe, the last may be the first to get something.
local function wait()
    while luring.in_flight(ring) > 0 do
        had(luring.submit_and_wait(ring, 1))
        luring.do_cqes(ring)
    end
end

local function program()
    queued, ended, accepted, wrong, stopping, ring, own = 0, 0, 0, nil, false, nil, nil
    ring = luring.queue_init(32, 0)

    -- Strings, small and large.
    fds[1], fds[2] = luring.pipe2()
    act("write", fds[2], "hello", -1, wants(5))
    act("read", fds[1], 100, -1, wants(5, is "hello"))
    wait()
    act("write", fds[2], LARGE, -1, wants(16000))
    act("read", fds[1], 16000, -1, wants(16000, is(LARGE)))
    act("writev", fds[2], { "ab", "", "cd" }, -1, 0, wants(4))
    act("readv", fds[1], { 1, 3 }, -1, 0, wants(4, function(list) return list[1] .. "," .. list[2] == "a,bcd" end))
    wait()
    fds[3], fds[4] = luring.socketpair()
    act("send", fds[3], LARGE, 0, wants(16000))
    act("recv", fds[4], 16000, luring.MSG_WAITALL, wants(16000, is(LARGE)))
    wait()

    -- Buffers and views, and the ring's table of them.
    local buffer = luring.buffer(8192)
    buffer:set(1, "in a buffer")
    act("write", fds[2], buffer:view(1, 11), -1, wants(11))
    local function has_it(view) return view:sub(1, 11) == "in a buffer" end
    act("read", fds[1], buffer:view(101, 200), -1, wants(11, has_it))
    wait()
    if had(luring.register_buffers(ring, { buffer, false })) == 0 then
        act("write_fixed", fds[2], buffer:view(1, 11), -1, 0, wants(11))
        act("read_fixed", fds[1], buffer:view(301, 400), -1, 0, wants(11, has_it))
        wait()
        luring.unregister_buffers(ring)
    end
    had(luring.register_files(ring, { fds[1], -1 }))

    -- Messages, with a descriptor and without.
    act("sendmsg", fds[3], { data = { "mess", "age" }, fds = { fds[1] } }, 0, wants(7))
    act("recvmsg", fds[4], { size = 100, control = 64 }, 0, function(cqe, res, value)
        luring.cqe_seen(ring, cqe)
        ended = ended + 1
        if res >= 0 then
            if value.fds then fds[20] = value.fds[1] end
            if value.data ~= "message" or not fds[20] then wrong = "the message" end
        elseif not stopping then
            wrong = "no message"
        end
    end)
    wait()

    -- What comes in a table, or in a list.
    act("statx", luring.AT_FDCWD, "/dev/null", 0, 4095, wants(0, function(stat) return stat.stx_mode ~= nil end))
    act("open", "/dev/null", luring.O_RDONLY, 0, function(cqe, res)
        luring.cqe_seen(ring, cqe)
        ended = ended + 1
        if res >= 0 then fds[21] = res elseif not stopping and res ~= -luring.ENOMEM then wrong = "open" end
    end)
    if HAS_XATTR then
        act("getxattr", "user.none", "/dev/null", 100, function(cqe)
            luring.cqe_seen(ring, cqe)
            ended = ended + 1
        end)
    end
    wait()

    -- Chains, cancellations, timeouts.
    local first = act("write", fds[2], "one", -1, wants(3))
    local second = act("write", fds[2], "two", -1, wants(3))
    luring.chain(ring, { first, second })
    act("read", fds[1], 3, -1, wants(3, is "one"))
    act("read", fds[1], 3, -1, wants(3, is "two"))
    wait()
    local never = act("read", fds[1], 50000, -1, wants(-luring.ECANCELED))
    turn()
    act("cancel", never, 0, wants(0))
    local late = act("timeout", 100, 0, 0, wants(-luring.ECANCELED))
    turn()
    act("timeout_remove", late, 0, wants(0))
    wait()

    -- A group, one at a time and many, as strings and as views.
    if HAS_GROUPS then
        local group = had(luring.buf_ring(ring, 4, 64))
        act("send", fds[3], "selected", 0, wants(8))
        act("recv", fds[4], group, 0, wants(8, is "selected"))
        turn()
        group:manual(true)
        local got = 0
        local many = act("recv_multishot", fds[4], group, 0, function(cqe, res, value, flags)
            luring.cqe_seen(ring, cqe)
            if flags % 4 < 2 then ended = ended + 1 end
            if res > 0 then
                got = got + res
                if value:sub() ~= "x" then wrong = "a view" end
                group:give(value)
            end
        end)
        act("send", fds[3], "x", 0, wants(1))
        turn()
        act("send", fds[3], "x", 0, wants(1))
        turn()
        act("cancel", many, 0, wants(0))
        wait()
        if got ~= 2 then wrong = "the multishot's bytes" end
        group:close()
    end

    -- A ring that runs by itself.
    do
        own = luring.queue_init_params(4, { auto_seen = true, auto_submit = true })
        local text
        luring.nop(own) -- which needs a slot, and nothing else
        fds[10], fds[11] = luring.pipe2()
        for i = 1, 6 do luring.write(own, fds[11], "x", -1) end
        luring.read(own, fds[10], 6, -1, function(_, res, value)
            text = value
            if res == 6 and value ~= "xxxxxx" then wrong = "the text of a ring that runs" end
            luring.stop(own, 7)
        end)
        if had(luring.run(own)) ~= 7 or text == nil then wrong = "a ring that runs" end
        luring.queue_exit(own)
        own = nil
    end

    -- Connections.
    fds[5] = luring.tcp_listen(HERE)
    local address = luring.getsockname(fds[5])
    local accept
    if HAS_ACCEPT then
        accept = act("accept_multishot", fds[5], 0, function(cqe, res, _, flags)
            luring.cqe_seen(ring, cqe)
            if flags % 4 < 2 then ended = ended + 1 end
            if res >= 0 then
                accepted = accepted + 1
                fds[30 + accepted] = res
            end
        end)
        turn()
        fds[6] = luring.tcp_connect(address)
        fds[7] = luring.tcp_connect(address)
        while accepted < 2 do
            had(luring.submit_and_wait(ring, 1))
            luring.do_cqes(ring)
        end
        act("cancel", accept, 0, wants(0))
        wait()
    end
    fds[8] = luring.tcp_connect(address)
    act("accept_from", fds[5], 0, function(cqe, res, peer)
        luring.cqe_seen(ring, cqe)
        ended = ended + 1
        if res >= 0 then
            fds[9] = res
            if peer.addr ~= "127.0.0.1" then wrong = "the peer" end
        end
    end)
    wait()
end

-- What was queued ends, and comes to its callback once; the ring goes on as if nothing had been.
local function finish(err)
    if not is_for_want_of_memory(err) then error(err, 0) end
    if ring then
        turn()
        stopping = true
        for i = 1, queued do
            if luring.in_flight(ring) == 0 then break end
            luring.cancel(ring, keys[i], 0)
            turn()
        end
        for _ = 1, 1000 do
            if luring.in_flight(ring) == 0 then break end
            luring.submit_and_wait(ring, 1)
            luring.do_cqes(ring)
        end
        if luring.in_flight(ring) ~= 0 then error("actions are left", 0) end
        if ended ~= queued then error(("%d were queued, %d have ended"):format(queued, ended), 0) end
        if wrong then error(wrong, 0) end
        luring.queue_exit(ring)
        ring = nil
    end
    if own then luring.queue_exit(own) end
    close_all()
    collectgarbage()
    collectgarbage()
    if open_before then
        local open = descriptors()
        if open ~= open_before then error(("%d descriptors more"):format(open - open_before), 0) end
    end
end

program()
finish()
open_before, threads_before = descriptors(), threads()
return program, function(err)
    finish(err)
    for _ = 1, 1000 do
        if threads() <= threads_before then return end -- a worker has its name when it begins
        local pause = luring.queue_init(1, 0)
        luring.timeout(pause, 0.001, 0, 0)
        luring.submit_and_wait(pause, 1)
        luring.queue_exit(pause)
    end
    error("a thread is left", 0)
end
]]

-- The same with tasks. What there is no memory to close is closed by the next loop. A program that there was no
-- memory to wait for has been killed.
shortage.TASKS = COMMON .. [[
local co = require "luring.co"
local LARGE = ("0123456789abcdef"):rep(10000)
local path = os.tmpname()

local nap = luring.queue_init(1, 0)
local lost -- what has ended a connection

local function right(got, wanted)
    if lost then error(lost, 0) end
    if got ~= wanted then error("wrong: " .. tostring(got), 0) end
end

local function program()
    lost = nil
    co.run(function()
        -- A connection whose server and client take turns.
        local server = assert(co.listen("127.0.0.1", 0))
        local host, port = server:address()
        local echo = co.spawn(function()
            assert(server:serve(function(client)
                while true do
                    local line = client:line()
                    if not line then return end
                    client:write(line, "!\n")
                end
            end, { on_error = function(err) lost = err end }))
        end)
        local client = assert(co.connect(host, port, { timeout = 60 }))
        assert(client:write("one\ntwo\n"))
        right(client:line(), "one!")
        right(client:line(), "two!")
        client:close()
        server:close()
        echo:join()

        -- Much at a time, between tasks.
        fds[1], fds[2] = luring.socketpair()
        local one = co.stream(fds[1])
        fds[1] = false
        local other = co.stream(fds[2])
        fds[2] = false
        local writer = co.spawn(function()
            assert(one:write(LARGE))
            assert(one:shutdown())
        end)
        right(other:read_all(), LARGE)
        writer:join()

        -- Files, waits, channels, and several at once.
        assert(co.write_file(path, "contents"))
        right(co.read_file(path), "contents")
        local channel = co.channel(1)
        co.spawn(function()
            for i = 1, 3 do channel:send(i) end
            channel:close()
        end)
        local sum = 0
        while true do
            local value = channel:recv()
            if not value then break end
            sum = sum + value
        end
        right(sum, 6)
        local list = co.all {
            function() co.sleep(0) return "a" end,
            function() co.sleep(0.0001) return "b" end,
        }
        right(list[1] .. list[2], "ab")
        right(select(2, co.timeout(0.001, co.sleep, 100)), "timed out")
        co.scope(function(scope)
            scope:defer(function() sum = 0 end)
            scope:spawn(function() co.sleep(100) end)
            scope:cancel("enough")
        end)
        right(sum, 0)

        -- A file beneath a folder, a program, a name, a signal.
        local file = assert(co.open("null", "r", { beneath = "/dev" }))
        right(file:read(1), nil)
        file:close()
        local p = assert(co.process { "cat", stdin = "pipe", stdout = "pipe" })
        assert(p.stdin:write("through a program"))
        p.stdin:close()
        right(p.stdout:read_all(), "through a program")
        right(p:wait(), true)
        right(#assert(co.resolve("localhost")) > 0, true)
        co.background(co.signal, "USR1")
        co.sleep(0)
    end)
end

local before

local function finish(err)
    if not is_for_want_of_memory(err) then error(err, 0) end
    close_all()
    co.run(function() end)
    collectgarbage()
    collectgarbage()
    -- The thread that looked a name up closes its own end, and what was killed ends, a little later.
    local open, running
    for _ = 1, 1000 do
        open = nil
        for name in pairs(luring.readdir("/proc/self/fd")) do
            local fd = tonumber(name)
            local gone = luring.readlink("/proc/self/fd/" .. name) == -luring.ENOENT
            if before and not before[fd] and not gone then open = fd end
        end
        running = luring.waitid_now(luring.P_ALL, 0, luring.WEXITED) ~= -luring.ECHILD
        if not open and not running then return end
        luring.submit_and_wait(nap, 1, 0.001)
    end
    error(running and "a program runs" or luring.readlink("/proc/self/fd/" .. open) .. " is open", 0)
end

program()
finish()
before = {}
for fd in pairs(luring.readdir("/proc/self/fd")) do before[tonumber(fd)] = true end
return program, finish
]]

return shortage
