local co = require "luring.co"
local luring = require "luring"

describe("a loop of the program's own", function()
    local own = { submit_and_wait = luring.submit_and_wait, do_cqes = luring.do_cqes }
    after_each(function()
        for name, f in pairs(own) do luring[name] = f end
    end)

    -- As Ctrl-C does it: what the loop calls next returns, and the interpreter's hook raises.
    local function interrupt(name)
        luring[name] = function()
            luring[name] = own[name]
            error("interrupted!", 0)
        end
    end

    it("runs on a ring that the program has, and leaves it open", function()
        local ring = luring.queue_init(8, 0)
        local loop = co.loop { ring = ring }
        assert.equal(5, loop:run(function() co.sleep(0.001) return 5 end))
        assert.equal(6, loop:run(function() return 6 end))
        luring.queue_exit(ring)
    end)

    it("is stepped: nil at the end, 0 while tasks are ready, else the seconds to the next deadline", function()
        local loop = co.loop()
        local log = {}
        assert.is_nil(loop:step())
        local t = loop:spawn(function()
            co.sleep(1000)
            log[#log + 1] = "woken"
        end)
        assert.equal(0, loop:timeout())
        local seconds
        repeat seconds = loop:step() until seconds ~= 0
        assert.is_true(seconds > 900 and seconds <= 1000)
        t:cancel()
        repeat seconds = loop:step() until seconds ~= 0
        while seconds do seconds = loop:step() end
        assert.is_nil(seconds)
        assert.same({}, log)
    end)

    it("says math.huge while only I/O is waited for, and can be polled", function()
        local loop = co.loop()
        local from, to = luring.pipe2()
        local got
        loop:spawn(function() got = co.io.read(from, 10, -1) end)
        local seconds
        repeat seconds = loop:step() until seconds ~= 0
        assert.equal(math.huge, seconds)
        assert.equal("number", type(loop:pollfd()))
        assert.equal("r", loop:events())
        -- The ring is readable when something has come: that is what another loop waits for.
        local other = luring.queue_init(2, 0)
        local ready
        luring.poll_add(other, loop:pollfd(), luring.POLLIN, function(cqe, res)
            luring.cqe_seen(other, cqe)
            ready = res
        end)
        luring.submit(other)
        local other_end = luring.queue_init(2, 0)
        luring.write(other_end, to, "x", -1)
        luring.submit_and_wait(other_end, 1)
        while not ready do
            luring.submit_and_wait(other, 1)
            luring.do_cqes(other)
        end
        while loop:step() do end
        assert.equal("x", got)
        luring.close_fd(from)
        luring.close_fd(to)
    end)

    it("has submitted all when a step is done", function()
        local loop = co.loop { ring = luring.queue_init(8, 0) }
        local one, other = luring.socketpair()
        local got
        loop:spawn(function()
            co.io.nop()
            co.io.send(one, "x", 0)
            got = co.io.recv(one, 1, 0)
        end)
        loop:spawn(function() co.io.send(other, co.io.recv(other, 1, 0), 0) end)
        repeat
            local seconds = loop:step()
            assert.equal(0, luring.sq_ready(loop.ring))
            -- Nothing is left that could wake one who waits for the ring.
            assert.is_true(seconds ~= math.huge or luring.in_flight(loop.ring) > 0)
        until not seconds
        assert.equal("x", got)
        luring.close_fd(one)
        luring.close_fd(other)
        luring.queue_exit(loop.ring)
    end)

    it("raises a task's error that nobody took", function()
        local loop = co.loop()
        loop:spawn(error, "nobody's", 0)
        local ok, err = true, nil
        while ok and err ~= nil or ok do
            ok, err = pcall(loop.step, loop)
            if ok and err == nil then break end
        end
        assert.is_false(ok)
        assert.truthy(err:find("nobody's", 1, true))
    end)

    it("may have its events set from outside of tasks", function()
        local loop = co.loop()
        local event, done = co.event(), nil
        loop:spawn(function()
            event:wait()
            done = true
        end)
        for _ = 1, 3 do loop:step() end
        assert.is_nil(done)
        event:set()
        while loop:step() do end
        assert.is_true(done)
    end)

    it("wakes who polls for it when a task's action is cancelled from outside of tasks", function()
        local loop = co.loop()
        local from, to = luring.pipe2(luring.O_CLOEXEC)
        local t = loop:spawn(function() co.io.read(from, 1, -1) end)
        while loop:step() == 0 do end
        t:cancel()
        assert.is_true(co.run(function() return co.timeout(5, co.poll, loop:pollfd(), "r") end))
        while loop:step() do end
        assert.equal("cancelled", t:status())
        luring.close_fd(from)
        luring.close_fd(to)
    end)

    it("with a virtual clock jumps to the next deadline", function()
        local loop = co.loop { clock = "virtual" }
        local log = {}
        local before = luring.now()
        loop:run(function()
            co.spawn(function() co.sleep(86400) log[#log + 1] = co.now() end)
            co.spawn(function() co.sleep(3600) log[#log + 1] = co.now() end)
            assert.same({ nil, "timed out", luring.ETIMEDOUT }, { co.timeout(60, co.sleep, 100) })
            log[#log + 1] = co.now()
        end)
        assert.same({ 60, 3600, 86400 }, log)
        assert.is_true(luring.now() - before < 3600)
    end)

    it("whose ring is gone raises, and does not hang", function()
        local ring = luring.queue_init(8, 0)
        local loop = co.loop { ring = ring }
        local ok, err = pcall(loop.run, loop, function()
            luring.queue_exit(ring)
            co.sleep(10)
        end)
        assert.is_false(ok)
        assert.truthy(err:find("the ring has been exited", 1, true))
    end)

    it("that is interrupted cancels its tasks, closes what they own, and raises that", function()
        local closed
        local loop = co.loop()
        local ok, err = pcall(loop.run, loop, function()
            co.scope(function(s)
                s:defer(function()
                    co.sleep(0)
                    closed = true
                end)
                interrupt "submit_and_wait"
                co.sleep(10)
            end)
        end)
        assert.same({ false, "interrupted!" }, { ok, err })
        assert.is_true(closed)
    end)

    it("waits for a deadline however far it is", function()
        for _, seconds in ipairs { 2 ^ 40, 2 ^ 63, 1e300 } do
            local loop = co.loop()
            loop:run(function()
                co.background(co.sleep, seconds)
                co.sleep(0)
                assert.is_true(co.timeout(seconds, co.sleep, 0.001))
            end)
            local t = loop:spawn(co.sleep, seconds)
            while loop:step() == 0 do end
            assert.is_true(loop:timeout() > 2 ^ 32)
            t:cancel()
            while loop:step() do end
        end
    end)

    it("goes on when its last task was cancelled before it began", function()
        local loop = co.loop()
        loop:spawn(function() end):cancel()
        while loop:step() do end
        assert.is_nil(loop:step())
        assert.equal(1, co.run(function() return 1 end))
    end)

    it("that is interrupted closes what a connection has just left", function()
        local served, file
        local ok, err = pcall(co.run, function()
            local server = assert(co.listen("127.0.0.1", 0))
            local host, port = server:address()
            co.spawn(server.serve, server, function(client)
                served, file = client, assert(co.open("/dev/null"))
                interrupt "do_cqes"
                co.sleep(0)
            end)
            assert(co.connect(host, port)):read()
        end)
        assert.same({ false, "interrupted!" }, { ok, err })
        assert.equal(-1, file:getfd())
        assert.equal(-1, served:getfd())
    end)

    it("that is interrupted calls what is deferred once", function()
        local calls = 0
        local ok, err = pcall(co.run, function()
            co.scope(function(s)
                s:defer(function()
                    calls = calls + 1
                    interrupt "submit_and_wait"
                    co.sleep(10)
                end)
            end)
        end)
        assert.same({ false, "interrupted!" }, { ok, err })
        assert.equal(1, calls)
    end)

    it("that is interrupted while it ends a program ends that at once", function()
        local p
        local ok, err = pcall(co.run, function()
            p = assert(co.process { "sh", "-c", "trap '' TERM; echo; exec sleep 10", stdout = "pipe", group = true })
            assert.equal("", p.stdout:line())
            interrupt "submit_and_wait"
        end)
        assert.same({ false, "interrupted!" }, { ok, err })
        assert.same({ nil, "signal", luring.SIGKILL }, { p:wait() })
    end)

    it("takes no options that it doesn't know", function()
        assert.is_false(pcall(co.loop, { rings = 1 }))
        assert.is_false(pcall(co.loop, { clock = "real" }))
    end)
end)

describe("many tasks", function()
    it("sleep at once, and wake in the order of their deadlines", function()
        local loop = co.loop { clock = "virtual" }
        local order = {}
        loop:run(function()
            local seed = 7
            for _ = 1, 2000 do
                seed = (seed * 1103 + 12345) % 65536
                local seconds = seed
                co.spawn(function()
                    co.sleep(seconds)
                    order[#order + 1] = seconds
                end)
            end
        end)
        assert.equal(2000, #order)
        for n = 2, #order do assert.is_true(order[n - 1] <= order[n]) end
    end)

    it("wait for more actions than the queue has room for", function()
        local ring = luring.queue_init(4, 0)
        local n = co.loop { ring = ring }:run(function()
            local n = 0
            for _ = 1, 100 do
                co.spawn(function()
                    co.io.nop()
                    n = n + 1
                end)
            end
            co.sleep(0.001)
            while n < 100 do co.sleep(0.001) end
            return n
        end)
        assert.equal(100, n)
        luring.queue_exit(ring)
    end)
end)
