local luring = require "luring"
local drive = require "drive"

local ring, from, to
before_each(function() from, to = drive.idle_pipe() end)
after_each(function()
    luring.queue_exit(ring)
    drive.close(from, to)
end)

describe("auto_seen", function()
    before_each(function() ring = luring.queue_init_params(4, { auto_seen = true }) end)

    it("keeps what its callback could not be called with, for want of C stack", function()
        local told, calls = 0, nil
        drive.reap_deep(function()
            calls = 0
            luring.nop(ring, function() calls = calls + 1 end)
            luring.submit_and_wait(ring, 1)
            return ring
        end, function()
            luring.do_cqes(ring)
            told = told + calls
        end)
        assert.equal(31 * 3, told)
    end)

    it("sees a completion before its callback is called", function()
        local calls, got, flags = 0, nil, nil
        luring.write(ring, to, ("x"):rep(20000), -1)
        drive.turn(ring)
        luring.read(ring, from, 20000, -1, function(cqe, ...)
            calls = calls + 1
            got = { n = select("#", ...), ... }
            flags = luring.cqe_flags(ring, cqe)
            assert.equal(-11, luring.do_cqes(ring))
            for _ = 1, 2 do luring.cqe_seen(ring, cqe) end -- does nothing
        end)
        assert.equal(-11, drive.turn(ring))
        assert.same({ n = 2, 20000, ("x"):rep(20000) }, got)
        assert.equal(1, calls)
        assert.equal(0, flags)
        assert.equal(-11, luring.do_cqes(ring))
    end)

    it("leaves no completion behind when its callback raises", function()
        luring.write(ring, to, "x", -1, function() error("once") end)
        luring.submit_and_wait(ring, 1)
        assert.is_false((pcall(luring.do_cqes, ring)))
        assert.equal(-11, luring.do_cqes(ring))
    end)

    it("takes the cqe of the callback that runs, and no other", function()
        local outer
        luring.write(ring, to, "x", -1, function(cqe)
            outer = cqe
            luring.write(ring, to, "x", -1, function(inner)
                assert.has_error(function() luring.cqe_flags(ring, outer) end)
                luring.cqe_flags(ring, inner)
            end)
            drive.turn(ring)
            luring.cqe_flags(ring, cqe)
        end)
        drive.turn(ring)
        assert.has_error(function() luring.cqe_flags(ring, outer) end)
        assert.has_error(function() luring.cqe_seen(ring, outer) end)
    end)

    it("lets go of callbacks", function()
        local kept = setmetatable({}, { __mode = "k" })
        for i = 1, 50 do
            local function callback() return i end
            kept[callback] = true
            luring.write(ring, to, ("x"):rep(5000), -1, callback)
            luring.read(ring, from, 5000, -1, callback)
            drive.turn(ring, 2)
        end
        drive.collect()
        assert.is_nil(next(kept))
    end)

    it("stops where the callback exits the ring", function()
        luring.write(ring, to, "x", -1, function() luring.queue_exit(ring) end)
        luring.submit_and_wait(ring, 1)
        assert.equal(-11, luring.do_cqes(ring))
    end)

    it("counts with a max too", function()
        for _ = 1, 3 do luring.write(ring, to, "x", -1, function() end) end
        luring.submit_and_wait(ring, 3)
        assert.equal(2, luring.do_cqes(ring, 2))
        assert.equal(1, luring.do_cqes(ring, 2))
    end)
end)

describe("auto_submit", function()
    before_each(function() ring = luring.queue_init_params(4, { auto_submit = true }) end)

    it("makes room in a full queue", function()
        local done = 0
        for _ = 1, 100 do
            assert.truthy(luring.write(ring, to, "x", -1, function(cqe)
                luring.cqe_seen(ring, cqe)
                done = done + 1
            end))
        end
        drive.turn_until(ring, function() return done == 100 end) -- workers may write, as on Linux 6.1
    end)

    it("parts no action from its timeout without saying so", function()
        local key
        for _ = 1, 4 do key = luring.write(ring, to, "x", -1) end
        local ok, message = pcall(luring.link_timeout, ring, key, 1)
        assert.is_false(ok)
        assert.truthy(message:find("the action has been submitted", 1, true) or
            message:find("its action has ended", 1, true), message)
    end)

    it("does so with SQPOLL", function()
        luring.queue_exit(ring)
        ring = luring.queue_init_params(4, { auto_submit = true, flags = luring.IORING_SETUP_SQPOLL })
        for _ = 1, 100 do assert.truthy(luring.write(ring, to, "x", -1)) end
    end)
end)
