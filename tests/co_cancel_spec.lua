local co = require "luring.co"
local luring = require "luring"
local drive = require "drive"

local descriptors = drive.descriptors

-- Cancels `f` while it waits: its status then, and whether what it had deferred was run.
local function cancelled(f, ...)
    local deferred = false
    local arguments, n = { ... }, select("#", ...)
    local t = co.spawn(function()
        co.scope(function(s)
            s:defer(function() deferred = true end)
            f((table.unpack or unpack)(arguments, 1, n)) -- luacheck: ignore 143
        end)
    end)
    for _ = 1, 6 do co.sleep(0) end
    t:cancel("why")
    while not t.state do co.sleep(0.001) end
    return t:status(), deferred
end

describe("a cancellation", function()
    it("ends every kind of wait, and what is deferred runs", function()
        co.run(function()
            local from, to = luring.pipe2()
            local one, other = luring.socketpair()
            local server = co.listen("127.0.0.1", 0)
            local semaphore = co.semaphore(1)
            semaphore:acquire()
            local full = co.channel(1)
            full:send(1)
            local endless = co.spawn(function() co.sleep(math.huge) end)
            local waits = {
                sleep = { co.sleep, 10 },
                ["for ever"] = { co.sleep, math.huge },
                read = { co.io.read, from, 1, -1 },
                recv = { co.io.recv, one, 1, 0 },
                poll = { co.poll, other, "r" },
                timeout = { co.io.timeout, 10, 0, 0 },
                accept = { server.accept, server },
                serve = { server.serve, server, function() end },
                channel = { function() co.channel():recv() end },
                send = { full.send, full, 2 },
                event = { function() co.event():wait() end },
                semaphore = { semaphore.acquire, semaphore },
                join = { endless.join, endless },
                scope = { co.scope, function(s) s:spawn(co.sleep, 10) end },
                all = { co.all, { function() co.sleep(10) end } },
                pcall = { co.pcall, co.sleep, 10 },
                signal = { co.signal, "USR1" },
                process = { function() co.process { "sleep", "10" }:wait() end },
            }
            for name, wait in pairs(waits) do
                local status, deferred = cancelled((table.unpack or unpack)(wait)) -- luacheck: ignore 143
                assert.equal("cancelled", status, name)
                assert.is_true(deferred, name)
            end
            endless:cancel()
            for _, fd in ipairs { from, to, one, other } do luring.close_fd(fd) end
        end)
    end)

    it("leaves nothing of a call that has made something of its own", function()
        co.run(function()
            local from, to = luring.pipe2()
            local full = co.stream(to)
            assert(co.timeout(0.05, full.write, full, ("x"):rep(1000000)) == nil)
            local empty, other = luring.pipe2()
            local paths = { [from] = "", [to] = "", [empty] = "" }
            for fd in pairs(paths) do paths[fd] = "/proc/self/fd/" .. fd end
            local calls = {
                read_file = { co.read_file, paths[empty] },
                write_file = { co.write_file, paths[to], "more", { sync = true } },
                capture = { co.capture, { "sleep", "100" } },
                ["capture with a timeout"] = { co.capture, { "sleep", "100", timeout = 50 } },
            }
            local before = descriptors()
            for name, call in pairs(calls) do
                local t = co.spawn((table.unpack or unpack)(call)) -- luacheck: ignore 143
                for _ = 1, 6 do co.sleep(0.002) end
                assert.equal("waiting", t:status(), name)
                t:cancel()
                co.pcall(t.join, t)
                assert.equal("cancelled", t:status(), name)
                assert.equal(before, descriptors(), name)
            end
            for _, fd in ipairs { from, empty, other } do luring.close_fd(fd) end
        end)
    end)

    it("is an error of the task's own, with why", function()
        co.run(function()
            local got
            local t = co.spawn(function()
                local ok, err = co.xpcall(function()
                    co.sleep(0)
                    local good, e = pcall(error, "x")
                    assert(not good and e)
                    co.sleep(10)
                end, function() got = "handled" end)
                got = { ok, err }
            end)
            co.sleep(0)
            co.sleep(0)
            t:cancel("enough")
            local ok, err = co.pcall(t.join, t)
            assert.is_false(ok)
            assert.equal("task " .. t.name .. " was cancelled", err)
            assert.is_nil(got)
            assert.is_false(co.cancelled(err))
        end)
    end)

    it("before its start keeps a task from running", function()
        co.run(function()
            local ran = false
            local t = co.spawn(function() ran = true end)
            t:cancel()
            co.sleep(0)
            assert.equal("cancelled", t:status())
            assert.is_false(ran)
        end)
    end)

    it("comes again at every wait, and a task that swallows a hundred is dropped by name", function()
        if _VERSION == "Lua 5.1" and not jit then return end -- it can't wait in a pcall
        local swallowed = 0
        local ok, err = pcall(co.run, function()
            local t = co.spawn(function()
                while true do
                    pcall(co.sleep, 10)
                    swallowed = swallowed + 1
                end
            end)
            t.name = "stubborn"
            co.sleep(0)
            t:cancel()
        end)
        assert.is_false(ok)
        assert.truthy(err:find("task stubborn has swallowed its cancellation", 1, true))
        assert.equal(100, swallowed)
    end)

    it("leaves a shielded stretch alone, and comes at the next wait", function()
        co.run(function()
            local log = {}
            local t = co.spawn(function()
                co.shield(function()
                    co.sleep(0.005)
                    log[#log + 1] = "shielded"
                end)
                log[#log + 1] = "after"
                co.sleep(0)
                log[#log + 1] = "never"
            end)
            co.sleep(0.001)
            t:cancel()
            co.pcall(t.join, t)
            assert.same({ "shielded", "after" }, log)
        end)
    end)

    it("of an action that it did not ask for is an ordinary refusal", function()
        co.run(function()
            local one, other = luring.socketpair()
            local t = co.spawn(function() return co.io.recv(one, 1, 0) end)
            co.sleep(0)
            co.sleep(0)
            co.io.cancel_fd(one, luring.IORING_ASYNC_CANCEL_ALL)
            assert.same({ nil, luring.strerror(luring.ECANCELED), luring.ECANCELED }, { t:join() })
            luring.close_fd(one)
            luring.close_fd(other)
        end)
    end)

    it("at the instant of a completion loses no byte", function()
        co.run(function()
            for seed = 1, 300 do
                local one, other = luring.socketpair()
                local a, b = co.stream(one), co.stream(other)
                local got = {}
                local function reader()
                    while true do
                        local data = a:read(3)
                        if not data then return end
                        got[#got + 1] = data
                    end
                end
                local t = co.spawn(reader)
                local sent = {}
                for n = 1, 4 do
                    if (seed + n) % 3 ~= 0 then co.sleep(0) end
                    local piece = ("%04d"):format(seed * 7 + n)
                    sent[#sent + 1] = piece
                    luring.setsockopt(other, luring.SOL_SOCKET, luring.SO_SNDBUF, 4096)
                    b:write(piece)
                    if (seed + n) % 2 == 0 then
                        t:cancel()
                        while not t.state do co.sleep(0) end
                        t = co.spawn(reader)
                    end
                end
                b:close()
                t:join()
                assert.equal(table.concat(sent), table.concat(got))
                a:close()
            end
        end)
    end)

    it("at the instant of an accept loses no connection and no descriptor", function()
        local before = descriptors()
        co.run(function()
            local server = co.listen("127.0.0.1", 0)
            local host, port = server:address()
            local accepted, asked = 0, 0
            for seed = 1, 100 do
                co.scope(function(s)
                    local t = s:spawn(function()
                        local client = server:accept()
                        if client then accepted = accepted + 1 end
                    end)
                    if seed % 3 == 0 then co.sleep(0) end
                    co.connect(host, port)
                    asked = asked + 1
                    if seed % 2 == 0 then t:cancel() end
                    while not t.state do co.sleep(0) end
                end)
            end
            -- What was not accepted is in the queue still.
            while accepted < asked do
                assert.truthy(co.timeout(5, server.accept, server))
                accepted = accepted + 1
            end
        end)
        assert.equal(before, descriptors())
    end)

    it("is kept when the queue is full", function()
        local ring = luring.queue_init(2, 0)
        local loop = co.loop { ring = ring }
        local n = loop:run(function()
            local tasks, fds = {}, {}
            for k = 1, 40 do
                local from, to = luring.pipe2()
                fds[#fds + 1], fds[#fds + 2] = from, to
                tasks[k] = co.spawn(function() co.io.read(from, 1, -1) end)
            end
            co.sleep(0.001)
            for _, t in ipairs(tasks) do t:cancel() end
            local ended = 0
            for _, t in ipairs(tasks) do
                co.pcall(t.join, t)
                if t:status() == "cancelled" then ended = ended + 1 end
            end
            for _, fd in ipairs(fds) do luring.close_fd(fd) end
            return ended
        end)
        assert.equal(40, n)
        luring.queue_exit(ring)
    end)
end)

describe("a wait", function()
    it("in a coroutine of the program's own is an error that names co.wrap", function()
        co.run(function()
            local ok, err = pcall(coroutine.wrap(function() co.sleep(0) end))
            assert.is_false(ok)
            assert.truthy(err:find("co.wrap", 1, true))
            ok, err = pcall(coroutine.wrap(function() co.io.nop() end))
            assert.is_false(ok)
            assert.truthy(err:find("co.wrap", 1, true))
        end)
    end)

    it("in one that co.wrap made goes through, between the program's own yields", function()
        co.run(function()
            local from, to = luring.pipe2()
            local function source()
                for n = 1, 3 do
                    co.sleep(0)
                    luring.write(luring.queue_init(1, 0), to, "", 0) -- never submitted
                    coroutine.yield(n)
                end
                local inner = co.wrap(function()
                    co.io.write(to, "x", -1)
                    coroutine.yield(co.io.read(from, 1, -1))
                end)
                coroutine.yield(inner())
                return "end"
            end
            local each = co.wrap(source)
            assert.same({ 1, 2, 3, "x", "end" }, { each(), each(), each(), each(), each() })
            assert.is_false(pcall(each))
            luring.close_fd(from)
            luring.close_fd(to)
        end)
    end)

    it("in one that co.wrap made is not disturbed by who calls that meanwhile", function()
        local text = "cannot resume a coroutine that runs or waits"
        co.run(function()
            local one, other = luring.socketpair()
            local a, b = co.stream(one), co.stream(other)
            local read = co.wrap(function() return a:read() end)
            local reader = co.spawn(read)
            co.sleep(0.001)
            local ok, err = co.pcall(read)
            assert.is_false(ok)
            assert.truthy(err:find(text, 1, true), err)
            b:write("x")
            assert.equal("x", reader:join())
        end)
        local own
        own = co.wrap(function() return select(2, pcall(own)) end)
        assert.truthy(own():find(text, 1, true))
    end)

    it("of a stream goes through there too, and can be cancelled", function()
        co.run(function()
            local one, other = luring.socketpair()
            local a, b = co.stream(one), co.stream(other)
            local lines = co.wrap(function()
                while true do coroutine.yield((a:line())) end
            end)
            b:write("one\ntwo\n")
            assert.same({ "one", "two" }, { lines(), lines() })
            local reader = co.spawn(lines)
            co.sleep(0.01)
            reader:cancel()
            assert.is_false((co.pcall(reader.join, reader)))
            assert.equal("cancelled", reader:status())
            b:write("three\n")
            assert.equal("three", a:line())
        end)
    end)

    it("where the Lua can't yield says what can be done, and leaves nothing behind", function()
        local one, other = luring.socketpair()
        co.run(function()
            local a, b = co.stream(one), co.stream(other)
            local waited = false
            pcall(table.sort, { 1, 2, 3 }, function()
                waited = true
                return a:read() == "x"
            end)
            assert.is_true(waited)
            b:write("whole")
            assert.equal("whole", a:read())
        end)
        local ok, err = pcall(co.run, function()
            table.sort({ 1, 2 }, function() co.sleep(0) end)
        end)
        assert.is_false(ok)
        assert.truthy(err:find("attempt to yield across", 1, true))
        local advice = (_VERSION ~= "Lua 5.1" or jit) and "no task can wait within table.sort"
            or "in place of pcall take co.pcall"
        assert.equal(1, select(2, err:gsub(advice, "")), err)
    end)

    it("outside of tasks is an error", function()
        assert.is_false(pcall(co.sleep, 0))
        assert.is_false(pcall(co.io.nop))
    end)

    it("within co.pcall works on every Lua", function()
        co.run(function()
            assert.same({ true, "x" }, { co.pcall(function() co.sleep(0.001) return "x" end) })
            local ok, err = co.pcall(function() co.sleep(0.001) error("y", 0) end)
            assert.same({ false, "y" }, { ok, err })
            assert.same({ false, "handled z" }, { co.xpcall(function(z) co.sleep(0) error(z, 0) end,
                function(e) return "handled " .. e end, "z") })
        end)
    end)

    it("by coroutine.yield is an error", function()
        local ok, err = pcall(co.run, function() coroutine.yield() end)
        assert.is_false(ok)
        assert.truthy(err:find("coroutine.yield", 1, true))
    end)
end)

describe("the actions", function()
    it("wait, every one of them, and give what io gives", function()
        co.run(function()
            local from, to = luring.pipe2()
            assert.equal(2, co.io.write(to, "ab", -1))
            assert.equal("ab", co.io.read(from, 10, -1))
            assert.is_true(co.io.close(from))
            assert.same({ nil, luring.strerror(luring.EBADF), luring.EBADF }, { co.io.read(from, 1, -1) })
            local res, value = co.await(luring.write, to, "", -1)
            assert.equal("number", type(res))
            assert.is_nil(value)
            luring.close_fd(to)
        end)
    end)

    it("take no nil where the callback would be", function()
        co.run(function()
            local from, to = luring.pipe2()
            co.io.write(to, "ab", -1)
            assert.equal("a", co.io.read(from, 1, -1, nil))
            local ok, err = co.pcall(co.io.read, from, 1, -1, nil, 5)
            assert.is_false(ok)
            assert.truthy(err:find("bad argument #4 to 'read'", 1, true))
            luring.close_fd(from)
            luring.close_fd(to)
        end)
    end)

    it("that complete more than once can't be waited for", function()
        co.run(function()
            local ok, err = co.pcall(co.io.accept_multishot, 0, 0)
            assert.is_false(ok)
            assert.truthy(err:find("more than once", 1, true))
        end)
    end)

    it("are what the module has, and its constants are there too", function()
        for _, name in ipairs { "fsync", "openat2", "statx", "connect", "splice", "poll_add" } do
            assert.equal("function", type(co.io[name]), name)
        end
        assert.equal(luring.ECANCELED, co.ECANCELED)
        co.run(function()
            assert.is_false(co.pcall(co.await, print))
        end)
    end)
end)

describe("a deadlock", function()
    it("lists each task by name and place", function()
        local ok, err = pcall(co.run, function()
            local t = co.spawn(function() co.channel():recv() end)
            t.name = "eater"
            co.event():wait()
        end)
        assert.is_false(ok)
        assert.truthy(err:find("deadlock", 1, true))
        assert.truthy(err:find("task eater %(waiting%): channel, at .-co_cancel_spec.lua:%d+"))
        assert.truthy(err:find("event", 1, true))
    end)

    it("is none while an action or a deadline is to come", function()
        co.run(function()
            local event = co.event()
            co.spawn(function() co.sleep(0.01) event:set() end)
            event:wait()
        end)
    end)
end)
