local co = require "luring.co"
local luring = require "luring"

local function upper(client)
    while true do
        local line = client:line()
        if not line then return end
        client:write(line:upper(), "\n")
    end
end

-- Serves while `f(host, port, server)` runs, and gives what serve gave.
local function with_server(serve, f, options)
    return co.run(function()
        local server = assert(co.listen("127.0.0.1", 0))
        local host, port = server:address()
        local t = co.spawn(function() return server:serve(serve, options) end)
        f(host, port, server)
        server:close()
        return t:join()
    end)
end

describe("a server", function()
    it("runs a task for each connection, and ends when it is closed and they have ended", function()
        assert.is_true(with_server(upper, function(host, port)
            local one, other = assert(co.connect(host, port)), assert(co.connect(host, port, { nodelay = true }))
            one:write("a\n")
            other:write("b\nc\n")
            assert.equal("B", other:line())
            assert.equal("A", one:line())
            assert.equal("C", other:line())
            assert.equal("127.0.0.1", (one:peer()))
            one:close()
            other:close()
        end))
    end)

    it("closes a connection when its function has ended, and its own tasks too", function()
        local log = {}
        with_server(function(client)
            co.spawn(function()
                co.sleep(0.005)
                log[#log + 1] = "child"
                client:write("late")
            end)
            log[#log + 1] = "function"
        end, function(host, port)
            local c = assert(co.connect(host, port))
            assert.equal("late", c:read_all())
            log[#log + 1] = "closed"
        end)
        assert.same({ "function", "child", "closed" }, log)
    end)

    it("keeps one client's error from the others, and hands it to on_error", function()
        local errors = {}
        with_server(function(client)
            local line = client:line()
            if line == "raise" then error("raised") end
            if line == "child" then
                co.spawn(error, "of a child", 0)
                co.sleep(10)
            end
            if line == "refuse" then return nil, "refused" end
            client:write("fine\n")
        end, function(host, port)
            local witness = assert(co.connect(host, port))
            for _, how in ipairs { "raise", "child", "refuse" } do
                local c = assert(co.connect(host, port))
                c:write(how, "\n")
                assert.is_nil((c:read()))
            end
            witness:write("x\n")
            assert.equal("fine", witness:line())
        end, { on_error = function(err, client)
            assert.is_true(client:getfd() >= 0)
            errors[#errors + 1] = err:match("raised") or err:match("of a child") or err:match("refused")
        end })
        assert.same({ "raised", "of a child", "refused" }, errors)
    end)

    it("closes what on_error has made, and waits for its tasks", function()
        local file, told
        co.run(function()
            local server = assert(co.listen("127.0.0.1", 0))
            local host, port = server:address()
            co.spawn(server.serve, server, function() error("on purpose", 0) end, { on_error = function()
                file = assert(co.open("/dev/null"))
                co.spawn(function() co.sleep(0.001) told = file:getfd() end)
            end })
            assert(co.connect(host, port)):read_all()
            assert.is_true(told >= 0)
            assert.equal(-1, file:getfd())
            server:close()
        end)
    end)

    it("in a background task doesn't keep the program from ending, nor do its connections", function()
        for _, serve in ipairs {
            function(server, f) server:serve(f) end,
            function(server, f) co.timeout(1000, server.serve, server, f) end,
            function(server, f) co.scope(function() server:serve(f) end) end,
        } do
            local ended = 0
            co.run(function()
                local server = assert(co.listen("127.0.0.1", 0))
                co.background(serve, server, function(client)
                    co.self().scope:defer(function() ended = ended + 1 end)
                    while client:read() do client:write("x") end
                end)
                local clients = {}
                for i = 1, 3 do
                    clients[i] = assert(co.connect(server:address()))
                    clients[i]:write("y")
                    assert.equal("x", clients[i]:read())
                end
            end)
            assert.equal(3, ended)
        end
    end)

    it("bounds connections", function()
        local now, most = 0, 0
        with_server(function(client)
            now = now + 1
            most = math.max(most, now)
            client:line()
            co.sleep(0.005)
            now = now - 1
        end, function(host, port)
            co.map(6, { 1, 2, 3, 4, 5, 6 }, function()
                local c = assert(co.connect(host, port))
                c:write("x\n")
                c:read()
                c:close()
                return true
            end)
        end, { max = 2 })
        assert.is_true(most <= 2 and most >= 1)
    end)

    it("stops: waiting reads end, and what is left after the grace is cancelled", function()
        local got = {}
        co.run(function()
            local server = assert(co.listen("127.0.0.1", 0))
            local host, port = server:address()
            local t = co.spawn(function()
                return server:serve(function(client)
                    if client:line() == "stay" then
                        got.stay = true
                        co.scope(function(s)
                            s:defer(function() got.cancelled = true end)
                            co.sleep(100)
                        end)
                    else
                        got.read = { client:read() }
                        client:write("bye")
                    end
                end)
            end)
            local idle, busy = assert(co.connect(host, port)), assert(co.connect(host, port))
            idle:write("x\n")
            busy:write("stay\n")
            while not got.stay do co.sleep(0.001) end
            co.sleep(0.005)
            assert.is_true(server:stop(0.01))
            assert.is_true(t:join())
            assert.equal("bye", idle:read_all())
            assert.is_nil((co.connect(host, port)))
        end)
        assert.same({ nil, "stopping", luring.ECANCELED }, got.read)
        assert.is_true(got.cancelled)
    end)

    it("stops when all have ended, also one that waited for that and has given up", function()
        local ended, stop = 0, nil
        assert.is_true(with_server(function(client)
            local stops = client:line() == "stop"
            if stops then assert.is_nil((co.timeout(0.005, stop))) end
            co.sleep(stops and 0.1 or 0.02)
            ended = ended + 1
        end, function(host, port, server)
            stop = function() return server:stop() end
            local one, other = assert(co.connect(host, port)), assert(co.connect(host, port))
            one:write("stop\n")
            co.sleep(0.01)
            assert.is_true(server:stop())
            assert.equal(2, ended)
            one:close()
            other:close()
        end))
    end)

    it("cancelled ends its connections", function()
        local ended = 0
        co.run(function()
            local server = assert(co.listen("127.0.0.1", 0))
            local host, port = server:address()
            local t = co.spawn(function()
                server:serve(function(client)
                    co.scope(function(s)
                        s:defer(function() ended = ended + 1 end)
                        client:read()
                    end)
                end)
            end)
            local a, b = assert(co.connect(host, port)), assert(co.connect(host, port))
            a:write("") b:write("")
            while #co.tasks() < 6 do co.sleep(0.001) end
            t:cancel()
            assert.is_nil((a:read()))
            assert.is_nil((b:read()))
        end)
        assert.equal(2, ended)
    end)

    it("tells since when each connection is there", function()
        co.run(function()
            local server = assert(co.listen("127.0.0.1", 0))
            local before, found = co.now(), nil
            co.background(function()
                server:serve(function(client)
                    client:read(1)
                    for _, entry in ipairs(co.tasks()) do
                        if entry.name == co.self():get_name() then found = entry.since end
                    end
                end)
            end)
            local stream = assert(co.connect(server:address()))
            co.sleep(0.02)
            local later = co.now()
            stream:write("x")
            stream:read()
            assert.is_true(before <= found and found < later)
        end)
    end)

    it("goes on when descriptors were short", function()
        local child = require "child"
        if child.in_valgrind then return pending("valgrind has descriptors of its own where the limit is") end
        local result = child.run([[
            local co = require "luring.co"
            local luring = require "luring"
            co.run(function()
                local server = assert(co.listen("127.0.0.1", 0))
                local host, port = server:address()
                local served = 0
                local t = co.spawn(function()
                    return server:serve(function(client)
                        client:write("x")
                        served = served + 1
                        client:read()
                    end)
                end)
                co.sleep(0)
                -- All descriptors but one are taken: that is the client's.
                local taken = {}
                while true do
                    local fd = luring.eventfd()
                    if fd < 0 then break end
                    taken[#taken + 1] = fd
                end
                luring.close_fd(table.remove(taken))
                local c = assert(co.connect(host, port))
                for _ = 1, 3 do co.sleep(0.01) end
                assert(served == 0 and t:status() == "waiting")
                for _, fd in ipairs(taken) do luring.close_fd(fd) end
                assert(c:read() == "x")
                c:close()
                server:close()
                assert(t:join() == true)
            end)
            print("went on")
        ]], "sh -c 'ulimit -n 60; exec \"$@\"' sh")
        assert.equal(0, result.status, result.output)
        assert.truthy(result.output:find("went on", 1, true))
        local _, times = result.output:gsub("no descriptor is left", "")
        assert.equal(1, times, result.output)
    end)

    it("listens at a Unix socket, and gives its errors as io does", function()
        co.run(function()
            local path = os.tmpname()
            os.remove(path)
            local server = assert(co.listen("unix:" .. path))
            local t = co.spawn(function()
                local client = server:accept()
                client:write("hello")
                client:close()
            end)
            assert.equal("hello", assert(co.connect("unix:" .. path)):read_all())
            t:join()
            server:close()
            os.remove(path)
            local s, message, errno = co.connect("unix:" .. path)
            assert.is_nil(s)
            assert.equal(luring.ENOENT, errno)
            assert.truthy(message:find(path, 1, true))
            assert.is_nil((co.listen("no.such.address", 80)))
            assert.is_false(pcall(co.listen, "127.0.0.1", "x"))
            assert.is_false(pcall(co.listen, "127.0.0.1", 0, { wrong = 1 }))
        end)
    end)

    it("has one accepting task at a time, whose wait ends with close", function()
        co.run(function()
            local server = assert(co.listen("127.0.0.1", 0))
            local t = co.spawn(function() return server:accept() end)
            co.sleep(0)
            co.sleep(0)
            assert.is_false(co.pcall(server.accept, server))
            server:close()
            assert.same({ nil, "closed", luring.ECANCELED }, { t:join() })
        end)
    end)

    it("is left as it is where its stop has a wrong argument", function()
        co.run(function()
            local server = assert(co.listen("127.0.0.1", 0))
            local ok, err = co.pcall(function() server:stop("x") end)
            assert.is_false(ok)
            assert.truthy(err:find("co_server_spec%.lua:%d+: bad argument #1 to 'stop' %(seconds"), err)
            assert.is_true(server:getfd() >= 0)
        end)
    end)

    it("is served by one task at a time", function()
        local refused
        co.run(function()
            local server = assert(co.listen("127.0.0.1", 0))
            local host, port = server:address()
            local serving = co.spawn(server.serve, server, function(client)
                refused = select(2, co.pcall(server.serve, server, upper))
                client:line()
            end, { max = 1 })
            local client = assert(co.connect(host, port))
            while not refused do co.sleep(0.001) end
            assert.is_false(co.pcall(server.serve, server, upper))
            server:close()
            client:close()
            assert.is_true(serving:join())
            assert.is_true(server:serve(upper))
        end)
        assert.truthy(refused:find("another task serves on this server", 1, true), refused)
    end)

    it("gives a busy reader no more than its turn", function()
        co.run(function()
            local one, other = luring.socketpair()
            local a, b = co.stream(one), co.stream(other)
            local stop, turns = false, 0
            co.spawn(function() while not stop do b:write(("x"):rep(1000)) end b:close() end)
            co.spawn(function() while a:read() do end end)
            for _ = 1, 100 do
                co.sleep(0)
                turns = turns + 1
            end
            co.sleep(0.001)
            stop = true
            assert.equal(100, turns)
        end)
    end)
end)
