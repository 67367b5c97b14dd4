-- How tasks, connections and calls end when something else happens at the same time.

local co = require "luring.co"
local luring = require "luring"
local child = require "child"
local drive = require "drive"
local connected = require "streams"

local compile = loadstring or load -- luacheck: ignore 143

local function seconds(f, ...)
    local before = luring.now()
    f(...)
    return luring.now() - before
end

describe("a <close> variable", function()
    local closes = _VERSION >= "Lua 5.4"
    local function function_of(text) return closes and assert(compile(text)) end

    -- Functions that have one, which notes its end, and get what is called within.
    local holds = function_of [[
        local log, f = ...
        local x <close> = setmetatable({}, { __close = function() log[#log + 1] = "closed" end })
        return f()
    ]]

    it("is closed when its task ends by an error, a cancellation or a time limit", function()
        if not closes then return pending("this Lua has none") end
        for _, how in ipairs { "error", "cancel", "timeout", "wrap", "dropped" } do
            local log = {}
            pcall(co.run, function()
                if how == "error" then
                    holds(log, function() error "x" end)
                elseif how == "cancel" then
                    local t = co.spawn(holds, log, function() co.sleep(10) end)
                    co.sleep(0)
                    t:cancel()
                    pcall(t.join, t)
                elseif how == "timeout" then
                    co.timeout(0.001, holds, log, function() co.sleep(10) end)
                elseif how == "wrap" then
                    pcall(co.wrap(function() holds(log, function() error "x" end) end))
                    assert.same({ "closed" }, log)
                else
                    local t = co.spawn(holds, log, function() while true do pcall(co.sleep, 10) end end)
                    co.sleep(0)
                    t:cancel()
                end
            end)
            assert.same({ "closed" }, log, how)
        end
    end)

    it("may be a stream, a file, a server or a program", function()
        if not closes then return pending("this Lua has none") end
        local block = function_of [[
            local make, f = ...
            local x <close> = make()
            return f(x)
        ]]
        local kinds = {
            stream = function() return (connected()) end,
            file = function() return assert(co.open "/dev/null") end,
            server = function() return assert(co.listen("127.0.0.1", 0)) end,
            program = function() return assert(co.process { "sleep", "10" }) end,
        }
        for kind, make in pairs(kinds) do
            co.run(function()
                local held
                block(make, function(x) held = x end)
                if kind == "program" then
                    assert.same({ nil, "signal", luring.SIGTERM }, { held:wait() })
                else
                    assert.equal(-1, held:getfd())
                end
                local ok, err = pcall(co.scope, function()
                    block(make, function(x)
                        held = x
                        error("on purpose", 0)
                    end)
                end)
                assert.is_false(ok)
                assert.truthy(err:find("^on purpose"), err)
                if kind == "program" then
                    assert.same({ nil, "signal", luring.SIGTERM }, { held:wait() })
                else
                    assert.equal(-1, held:getfd())
                end
            end)
        end
    end)

    it("may raise when it is closed: that is the task's error", function()
        if not closes then return pending("this Lua has none") end
        local raises = function_of [[
            local x <close> = setmetatable({}, { __close = function() error("while closing", 0) end })
            error("first", 0)
        ]]
        local ok, err = pcall(co.run, function() raises() end)
        assert.is_false(ok)
        assert.truthy(err:find("while closing", 1, true), err)
    end)
end)

describe("a connection whose function has ended", function()
    -- Serves one whose function leaves a task behind, and calls `f(server, serving)` then.
    local function served(options, f)
        co.run(function()
            local server = assert(co.listen("127.0.0.1", 0))
            local _, port = server:address()
            local serving = co.spawn(function()
                return server:serve(function()
                    co.spawn(function() co.sleep(10) end)
                    if options then error("on purpose", 0) end
                end, options)
            end)
            local client = assert(co.connect("127.0.0.1", port))
            co.sleep(0.01)
            f(server, serving)
            client:close()
        end)
    end

    it("is cancelled with what it has left behind", function()
        assert.is_true(seconds(served, nil, function(server) server:stop(0.01) end) < 5)
        assert.is_true(seconds(served, nil, function(_, serving)
            serving:cancel()
            co.pcall(serving.join, serving)
        end) < 5)
    end)

    it("is cancelled while its on_error waits", function()
        local got
        local options = { on_error = function(err)
            got = err
            co.sleep(10)
        end }
        assert.is_true(seconds(served, options, function(server) server:stop(0.01) end) < 5)
        assert.truthy(got:find("on purpose", 1, true))
    end)

    it("has an on_error that may wait", function()
        co.run(function()
            local server = assert(co.listen("127.0.0.1", 0))
            local _, port = server:address()
            co.background(function()
                server:serve(function() error(nil) end, { on_error = function(err, client)
                    co.sleep(0.001)
                    client:write(tostring(err))
                end })
            end)
            local client = assert(co.connect("127.0.0.1", port))
            local said = client:read_all()
            assert.truthy(said == "nil" or said:find("<no error object>", 1, true), said) -- Lua 5.5 calls it so
        end)
    end)

    it("may stop the server, as may others and what is a part of them", function()
        for _, how in ipairs { "own", "child", "pcall" } do
            co.run(function()
                local server = assert(co.listen("127.0.0.1", 0))
                local _, port = server:address()
                local stopped = 0
                local serving = co.spawn(function()
                    return server:serve(function(client)
                        client:line()
                        if how == "own" then server:stop() end
                        if how == "child" then co.spawn(server.stop, server):join() end
                        if how == "pcall" then assert(co.pcall(server.stop, server)) end
                        stopped = stopped + 1
                    end)
                end)
                local one, other = assert(co.connect("127.0.0.1", port)), assert(co.connect("127.0.0.1", port))
                co.sleep(0.01)
                one:write("\n")
                other:write("\n")
                assert.is_true(serving:join())
                assert.equal(2, stopped, how)
            end)
        end
    end)

    it("bounds are a number from one on", function()
        co.run(function()
            local server = assert(co.listen("127.0.0.1", 0))
            for _, max in ipairs { 0, -1, 0 / 0, "x" } do
                assert.is_false(co.pcall(server.serve, server, print, { max = max }))
            end
        end)
    end)
end)

describe("who waits for several", function()
    -- Cancels a task after one of those that it waits for has ended, and before it goes on.
    local function cancelled_between(start)
        co.run(function()
            local ending, t = co.event(), nil
            co.spawn(function()
                ending:wait()
                t:cancel("between")
            end)
            t = start(ending)
            assert.is_true(seconds(function() co.pcall(t.join, t) end) < 5)
            assert.equal("cancelled", t:status())
        end)
    end

    it("cancels the others when it is cancelled as one ends", function()
        for _, call in ipairs { co.all, co.any, function(list) co.map(2, list, function(f) return f() end) end } do
            cancelled_between(function(ending)
                return co.spawn(call, { function() ending:set() end, function() co.sleep(10) end })
            end)
        end
    end)

    it("of its connections does so, too", function()
        cancelled_between(function(ending)
            local server = assert(co.listen("127.0.0.1", 0))
            local _, port = server:address()
            local serving = co.spawn(server.serve, server, function(client)
                if client:line() == "stay" then co.sleep(10) end
                ending:set()
            end)
            local one, other = assert(co.connect("127.0.0.1", port)), assert(co.connect("127.0.0.1", port))
            other:write("stay\n")
            co.sleep(0.01)
            server:close()
            co.sleep(0.001)
            co.spawn(one.write, one, "\n")
            return serving
        end)
    end)
end)

describe("co.map", function()
    it("cancels what runs when its iterator raises, or the time is over while that waits", function()
        for _, how in ipairs { "raises", "waits" } do
            local ended, n = {}, 0
            co.run(function()
                local function items()
                    n = n + 1
                    if n < 3 then return n end
                    if how == "raises" then error("the iterator", 0) end
                    co.sleep(10)
                end
                local function map() return co.map(4, items, function(i)
                    co.scope(function(s)
                        s:defer(function() ended[#ended + 1] = i end)
                        co.sleep(10)
                    end)
                end) end
                if how == "raises" then
                    local ok, err = co.pcall(map)
                    assert.is_false(ok)
                    assert.truthy(err:find("the iterator", 1, true))
                else
                    assert.equal("timed out", select(2, co.timeout(0.01, map)))
                end
                assert.equal(2, #ended, how)
            end)
        end
    end)

    it("hears of a failure while its iterator waits", function()
        co.run(function()
            local channel = co.channel(1)
            channel:send(1)
            local got = { co.map(4, function() return (channel:recv()) end, function() return nil, "bad", 5 end) }
            assert.same({ nil, "bad", 5 }, got)
            channel:send(1)
            local function worse() error("worse", 0) end
            local ok, err = co.pcall(co.map, 4, function() return (channel:recv()) end, worse)
            assert.is_false(ok)
            assert.truthy(err:find("worse", 1, true))
        end)
    end)

    it("and co.all raise when a part was cancelled by itself", function()
        co.run(function()
            local function part()
                co.self():cancel()
                co.sleep(0)
            end
            for _, f in ipairs { function() return co.all { part, function() return 2 end } end,
                function() return co.map(2, { 1 }, part) end } do
                local ok, err = co.pcall(f)
                assert.is_false(ok)
                assert.truthy(tostring(err):find("was cancelled", 1, true), tostring(err))
            end
        end)
    end)
end)

describe("a stream", function()
    it("gives a second reader nothing of what a first one waits for more of", function()
        co.run(function()
            local a, b = connected()
            local line
            co.spawn(function() line = a:line() end)
            b:write("abc")
            co.sleep(0.01)
            for _, method in ipairs { "read", "line", "peek", "read_exactly" } do
                local ok, err = co.pcall(a[method], a, method ~= "line" and 1 or nil)
                assert.is_false(ok, method)
                assert.truthy(tostring(err):find("another task reads", 1, true), tostring(err))
            end
            b:write("def\n")
            co.sleep(0.01)
            assert.equal("abcdef", line)
            assert.equal(0, a:buffered())
        end)
    end)

    it("that is closed, or ends, when the shared buffers have run out reads no more", function()
        -- Such a refusal comes at that moment now and then: here it always does.
        local function recv(ring, fd, _, flags, done)
            return luring.recv(ring, fd, 4096, flags, function(cqe) done(cqe, -luring.ENOBUFS) end)
        end
        for _, how in ipairs { "closed", "stopping", "timed out", "cancelled" } do
            co.run(function()
                local a = connected()
                a.get, a.into = recv, "a group"
                a:settimeout(how == "timed out" and 0.001 or 100)
                local reader = co.spawn(a.read, a)
                co.sleep(how == "timed out" and 0 or 0.001)
                if how == "closed" then assert.is_true(co.timeout(5, a.close, a)) end
                if how == "stopping" then a:stop_reading() end
                if how == "cancelled" then reader:cancel() end
                local ended = co.timeout(5, co.pcall, reader.join, reader)
                if how == "cancelled" then return assert.is_false(ended) end
                assert.is_true(ended)
                assert.equal(how, select(2, reader:join()))
            end)
        end
    end)

    it("takes no write into the middle of a file", function()
        local path = os.tmpname()
        local text = ("0123456789abcdef"):rep(2 ^ 17)
        co.run(function()
            co.write_file(path, text)
            local a, b = connected()
            local refused = 0
            co.spawn(function()
                local file = assert(co.open(path))
                assert.equal(#text, a:sendfile(file))
                a:close()
            end)
            local got = { assert(b:read()) }
            co.background(function()
                while true do
                    if not co.pcall(a.write, a, "X") then refused = refused + 1 end
                    co.sleep(0)
                end
            end)
            local data = b:read()
            while data do
                got[#got + 1] = data
                data = b:read()
            end
            got = table.concat(got):gsub("X*$", "")
            assert.is_true(refused > 0)
            assert.is_true(got == text)
        end)
        os.remove(path)
    end)

    it("that another task closes is not given away meanwhile", function()
        co.run(function()
            local a = connected()
            local released
            co.spawn(function()
                assert.equal("closed", select(2, a:read()))
                released = { a:release() }
            end)
            co.sleep(0.001)
            assert.is_true(a:close())
            assert.same({ nil, "closed", luring.ECANCELED }, released)
        end)
    end)

    it("or a server that can't wait for its end is as it was", function()
        co.run(function()
            local a, b = connected()
            local server = assert(co.listen("127.0.0.1", 0))
            local reader = co.spawn(function() return a:read() end)
            local acceptor = co.spawn(function() return server:accept() end)
            co.sleep(0.001)
            local tried
            table.sort({ 1, 2, 3 }, function(x, y)
                if not tried then
                    tried = { pcall(a.close, a), pcall(server.close, server) }
                end
                return x < y
            end)
            assert.is_false(tried[1])
            assert.is_false(tried[2])
            assert.is_true(a:getfd() >= 0 and server:getfd() >= 0)
            assert.is_true(a:close())
            assert.is_true(server:close())
            assert.equal(-1, a:getfd())
            assert.equal("closed", select(2, reader:join()))
            assert.equal("closed", select(2, acceptor:join()))
            b:close()
        end)
    end)
end)

describe("a file that another task closes", function()
    it("ends a write that was not through", function()
        co.run(function()
            local from, to = luring.pipe2(luring.O_CLOEXEC)
            local input, output = co.file(to), co.stream(from)
            local writing = co.spawn(function() return { input:write(("x"):rep(2 ^ 20)) } end)
            co.sleep(0.001)
            assert.truthy(output:read())
            input:close()
            local n = #output:read_all()
            local got = writing:join()
            if got[1] == 2 ^ 20 then return pending "this kernel writes to a pipe in a thread, to the end" end
            assert.same({ nil, "closed", luring.EBADF }, { got[1], got[2], got[3] })
            assert.is_true(got[4] > 0 and got[4] < 2 ^ 20 and n < 2 ^ 20)
        end)
    end)

    it("is sent no further, and nor is the next of its number", function()
        local path, other = os.tmpname(), os.tmpname()
        co.run(function()
            co.write_file(path, ("a"):rep(2 ^ 22))
            co.write_file(other, ("b"):rep(2 ^ 22))
            local a, b = connected()
            local file = assert(co.open(path))
            local sending = co.spawn(function() return { a:sendfile(file) } end)
            co.sleep(0.01)
            file:close()
            assert.truthy(co.open(other))
            co.background(function()
                local got = sending:join()
                assert.same({ nil, luring.EBADF }, { got[1], got[3] })
                a:close()
            end)
            assert.is_nil(b:read_all():find("b", 1, true))
        end)
        os.remove(path)
        os.remove(other)
    end)
end)

describe("a loop", function()
    it("raises at the end of run what a task that was spawned has failed with", function()
        local loop = co.loop()
        loop:spawn(function() error("lost?", 0) end)
        local ok, err = pcall(loop.run, loop, function() co.sleep(0.001) end)
        assert.is_false(ok)
        assert.truthy(err:find("lost?", 1, true))
    end)

    it("leaves an error to who joins", function()
        local loop = co.loop()
        local failing = loop:spawn(function()
            co.sleep(0.001)
            error("taken", 0)
        end)
        local got
        loop:spawn(function() got = select(2, co.pcall(failing.join, failing)) end)
        while loop:step() do end
        assert.truthy(got:find("taken", 1, true))
    end)

    it("wakes who polls for it when another coroutine sets its event, or spawns", function()
        local found, cqueues = pcall(require, "cqueues")
        if not found then return pending("there is no cqueues for this Lua") end
        local loop, log = co.loop(), {}
        local event = co.event()
        loop:spawn(function()
            event:wait()
            log[#log + 1] = "set"
            co.sleep(0.001)
            co.event():wait()
        end)
        local queue = cqueues.new()
        queue:wrap(function()
            while #log < 2 and loop:step() do cqueues.poll(loop) end
        end)
        queue:wrap(function()
            cqueues.sleep(0.01)
            event:set()
            cqueues.sleep(0.01)
            loop:spawn(function() log[#log + 1] = "spawned" end)
        end)
        local before = luring.now()
        repeat queue:step(1) until queue:empty() or luring.now() - before > 20
        assert.same({ "set", "spawned" }, log)
    end)

    it("wakes who polls for it, though it had no task, when one is spawned", function()
        local loop, ring, ready = co.loop(), luring.queue_init(2, 0), nil
        local function poll()
            ready = nil
            luring.poll_add(ring, loop:pollfd(), luring.POLLIN, function(cqe, res)
                luring.cqe_seen(ring, cqe)
                ready = res
            end)
            luring.submit(ring)
        end
        for _ = 1, 2 do
            while loop:step() do end
            poll()
            luring.do_cqes(ring)
            assert.is_nil(ready)
            loop:spawn(function() end)
            luring.submit_and_wait(ring, 1, 5)
            luring.do_cqes(ring)
            assert.equal(luring.POLLIN, ready)
        end
        luring.queue_exit(ring)
    end)
end)

describe("co.pcall", function()
    it("lets no task join itself", function()
        co.run(function()
            local ok, err = co.pcall(function() return co.self():join() end)
            assert.is_false(ok)
            assert.truthy(err:find("a task can't join itself", 1, true), err)
        end)
    end)

    it("is called by the task itself, whose cancellation it doesn't catch", function()
        local went_on
        pcall(co.run, function()
            local own = co.self()
            co.pcall(function()
                assert.equal(own, co.self())
                co.pcall(function() assert.equal(own, co.self()) end)
                co.self():cancel("enough")
                co.sleep(0)
            end)
            went_on = true
        end)
        assert.is_nil(went_on)
    end)
end)

describe("an error", function()
    it("that is a boolean doesn't hide those that came with it", function()
        local result = child.run [[
            local co = require "luring.co"
            print(pcall(co.run, function()
                co.spawn(function()
                    co.sleep(0.001)
                    error(true)
                end)
                co.scope(function(s)
                    s:defer(function() error("second", 0) end)
                    co.sleep(10)
                end)
            end))]]
        assert.truthy(result.output:find("false\ttrue", 1, true), result.output)
        assert.truthy(result.output:find("and: second", 1, true), result.output)
    end)

    it("ends a task that swallows its cancellation in a coroutine of co.wrap", function()
        if _VERSION == "Lua 5.1" and not rawget(_G, "jit") then
            return pending("nothing waits within a pcall of this Lua")
        end
        local ok, err = pcall(co.run, function()
            local t = co.spawn(function()
                local g = co.wrap(function()
                    while true do pcall(co.sleep, 1) end
                end)
                while true do g() end
            end)
            co.sleep(0)
            t:cancel()
        end)
        assert.is_false(ok)
        assert.truthy(tostring(err):find("a hundred times", 1, true), tostring(err))
    end)

    it("of xpcall's function gets its arguments, outside of tasks too", function()
        assert.same({ true, 3 }, { co.xpcall(function(a, b) return a + b end, print, 1, 2) })
    end)
end)

it("nothing of this has left a descriptor", function()
    assert.is_true(drive.open_descriptors(40) <= 40)
end)
