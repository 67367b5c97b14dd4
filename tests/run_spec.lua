local luring = require "luring"
local drive = require "drive"
local host = require "host"
local child = require "child"

local ring, from, to
before_each(function()
    ring = luring.queue_init(8, 0)
    from, to = drive.idle_pipe()
end)
after_each(function()
    luring.queue_exit(ring)
    drive.close(from, to)
end)

describe("run", function()
    it("goes on until nothing is in flight", function()
        local left = 100
        local function again(cqe)
            assert.equal("userdata", type(cqe))
            left = left - 1
            if left > 0 then luring.write(ring, to, "x", -1, again) end
        end
        luring.write(ring, to, "x", -1, again)
        assert.same({ 0 }, { luring.run(ring) })
        assert.equal(0, left)
        assert.equal(0, luring.run(ring))
    end)

    it("takes no notice of further arguments", function()
        local more, calls = {}, 0
        luring.write(ring, to, "x", -1, function() calls = calls + 1 end)
        assert.equal(0, luring.run(ring, more, 1))
        assert.equal(1, calls)
        assert.is_nil(next(more))
    end)

    it("sees completions before their callbacks", function()
        local calls, flags = 0, nil
        luring.write(ring, to, "data", -1)
        luring.read(ring, from, 10, -1, function(cqe, res, result)
            calls = calls + 1
            flags = luring.cqe_flags(ring, cqe)
            assert.equal(-11, luring.do_cqes(ring))
            luring.cqe_seen(ring, cqe)
            assert.same({ 4, "data" }, { res, result })
        end)
        luring.run(ring)
        assert.equal(1, calls)
        assert.equal(0, flags)
    end)

    it("sees those that do_cqes handles in a callback, too", function()
        local inner, outer = 0, 0
        ring:nop(function()
            outer = outer + 1
            for _ = 1, 3 do
                ring:nop(function()
                    inner = inner + 1
                    if inner > 3 then error "one comes again" end
                end)
            end
            assert.equal(3, ring:submit_and_wait(3))
            assert.equal(2, ring:do_cqes(2))
            assert.equal(2, inner)
            assert.equal(-luring.EAGAIN, coroutine.wrap(function() return ring:do_cqes() end)())
            assert.equal(-luring.EAGAIN, ring:do_cqes())
        end)
        assert.equal(0, ring:run())
        assert.same({ 3, 1 }, { inner, outer })
    end)

    it("leaves do_cqes as it is once an error has ended it", function()
        local function inside(...) return coroutine.wrap(function(...) return pcall(...) end)(...) end
        local function dying(f, ...)
            return coroutine.resume(coroutine.create(function(...) return f(...) end), ...)
        end
        for _, call in ipairs { pcall, inside, dying } do
            ring:nop(function() error "over" end)
            assert.is_false((call(ring.run, ring)))
            local calls = 0
            ring:nop(function(cqe)
                calls = calls + 1
                if calls == 3 then ring:cqe_seen(cqe) end
            end)
            ring:submit_and_wait(1)
            assert.equal(1, ring:do_cqes(1))
            assert.equal(1, calls)
            assert.equal(-luring.EAGAIN, ring:do_cqes())
            assert.equal(3, calls)
            assert.equal(-luring.EAGAIN, ring:do_cqes())
            assert.equal(3, calls)
        end
    end)

    it("ends at stop, with what that was given", function()
        for _, value in ipairs { 5, "done", false, { 1 } } do
            luring.write(ring, to, "x", -1, function() luring.stop(ring, value) end)
            luring.read(ring, from, 1, -1)
            luring.read(ring, from, 1, -1)
            assert.equal(value, luring.run(ring))
            luring.sync_cancel(ring, { any = true })
        end
        luring.write(ring, to, "x", -1, function() luring.stop(ring) end)
        assert.equal(0, luring.run(ring))
    end)

    it("handles nothing after stop, and goes on there when it runs again", function()
        local calls = 0
        for _ = 1, 3 do
            luring.write(ring, to, "x", -1, function()
                calls = calls + 1
                luring.stop(ring, calls)
            end)
        end
        for i = 1, 3 do assert.equal(i, luring.run(ring)) end
        assert.equal(0, luring.run(ring))
    end)

    it("does not run in itself, and stop is for what runs", function()
        local function why(f, ...)
            local ok, message = pcall(f, ...)
            assert.is_false(ok)
            return message
        end
        assert.truthy(why(luring.stop, ring):find("the ring does not run", 1, true))
        local nested, elsewhere, other_stop
        local other = luring.queue_init(2, 0)
        luring.write(ring, to, "x", -1, function()
            nested = why(luring.run, ring)
            elsewhere = coroutine.wrap(function() return why(luring.run, ring) end)()
            other_stop = why(luring.stop, other)
            luring.write(other, to, "x", -1, function() luring.stop(other, "inner") end)
            assert.equal("inner", luring.run(other))
            coroutine.wrap(function() luring.stop(ring, "outer") end)()
        end)
        assert.equal("outer", luring.run(ring))
        assert.truthy(nested:find("the ring runs already", 1, true), nested)
        assert.truthy(elsewhere:find("the ring runs already", 1, true), elsewhere)
        assert.truthy(other_stop:find("the ring does not run", 1, true), other_stop)
        assert.truthy(why(luring.stop, ring):find("the ring does not run", 1, true))
        luring.queue_exit(other)
    end)

    it("raises what a callback raises, and can run again", function()
        local value = {}
        local function inside(...) return coroutine.wrap(function(...) return pcall(...) end)(...) end
        local function dying(f, ...)
            return coroutine.resume(coroutine.create(function(...) return f(...) end), ...)
        end
        for _, call in ipairs { pcall, inside, dying } do
            luring.write(ring, to, "x", -1, function() error(value) end)
            local ok, raised = call(luring.run, ring)
            assert.is_false(ok)
            assert.equal(value, raised)
            assert.is_false((pcall(luring.stop, ring)))
            local ended
            luring.write(ring, to, "x", -1, function() ended = true end)
            -- Deeper than the run that has ended, and so not within it.
            table.sort({ 1, 2 }, function(a, b)
                if not ended then luring.run(ring) end
                return a < b
            end)
            assert.is_true(ended)
        end
    end)

    it("ends with its ring", function()
        luring.write(ring, to, "x", -1, function() luring.queue_exit(ring) end)
        luring.read(ring, from, 1, -1)
        luring.read(ring, from, 1, -1)
        assert.equal(0, luring.run(ring))
    end)

    it("waits on after a signal", function()
        local got
        local idle = luring.read(ring, from, 1, -1, function(_, res) got = res end)
        luring.link_timeout(ring, idle, 0.05)
        host.alarm(10)
        assert.equal(0, luring.run(ring))
        assert.equal(-luring.ECANCELED, got)
    end)

    it("lets the interpreter's Ctrl-C end it", function()
        if _VERSION == "Lua 5.5" then return end -- the tests' own interpreter has no Ctrl-C
        local result = child.run([[
            local luring = require "luring"
            local ring = luring.queue_init(4, 0)
            local from = luring.pipe2()
            luring.read(ring, from, 1, -1)
            os.execute("(sleep 0.2; kill -INT $PPID) &")
            luring.run(ring)
        ]])
        assert.truthy(result.output:find("interrupted!", 1, true), result.output)
        assert.equal(1, result.status)
    end)
end)

describe("reserve", function()
    it("submits if it takes that", function()
        for _ = 1, 6 do luring.write(ring, to, "x", -1) end
        assert.is_true(luring.reserve(ring, 2))
        assert.equal(6, luring.submit(ring))
        for _ = 1, 6 do luring.write(ring, to, "x", -1) end
        assert.is_true(luring.reserve(ring, 3))
        assert.equal(0, luring.submit(ring))
        assert.is_true(luring.reserve(ring, 8))
        assert.is_true(luring.reserve(ring, 0))
    end)

    it("gives no more than there is", function()
        assert.has_error(function() luring.reserve(ring, 9) end)
        assert.has_error(function() luring.reserve(ring, -1) end)
    end)

    it("waits with SQPOLL", function()
        local polled = luring.queue_init(4, luring.IORING_SETUP_SQPOLL)
        for _ = 1, 50 do
            assert.is_true(luring.reserve(polled, 3))
            for _ = 1, 3 do assert.truthy(luring.write(polled, to, "x", -1)) end
            luring.submit_and_wait(polled, 1)
            luring.do_cqes(polled)
        end
        luring.queue_exit(polled)
    end)
end)
