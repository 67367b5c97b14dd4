local luring = require "luring"
local drive = require "drive"

local ring, from, to
before_each(function()
    ring = luring.queue_init(4, 0)
    from, to = drive.idle_pipe()
end)
after_each(function()
    luring.queue_exit(ring)
    drive.close(from, to)
end)

describe("submit_and_wait with a timeout", function()
    it("gives -ETIME when nothing was submitted and nothing arrived", function()
        assert.equal(-luring.ETIME, luring.submit_and_wait(ring, 1, 0))
        luring.read(ring, from, 1, -1)
        assert.equal(1, luring.submit_and_wait(ring, 1, 0.001))
        assert.equal(-luring.ETIME, luring.submit_and_wait(ring, 1, { tv_sec = 0, tv_nsec = 1000 }))
    end)

    it("gives what was submitted, and 0 for what arrived", function()
        luring.write(ring, to, "x", -1)
        assert.equal(1, luring.submit_and_wait(ring, 1, 1000))
        assert.equal(0, luring.submit_and_wait(ring, 2, 0.001))
        assert.equal(0, luring.submit_and_wait(ring, 1, 1000))
        assert.equal(1, luring.do_cqes(ring, 5))
        assert.equal(0, luring.submit_and_wait(ring, 0, 0))
    end)

    it("waits as long on a ring with IORING_SETUP_IOPOLL", function()
        local polled = luring.queue_init(4, luring.IORING_SETUP_IOPOLL)
        local start = luring.now()
        assert.equal(-luring.ETIME, luring.submit_and_wait(polled, 1, 0.02))
        assert.is_true(luring.now() - start >= 0.02)
        luring.queue_exit(polled)
    end)

    it("waits for ever with nil and math.huge", function()
        for _, forever in ipairs { math.huge, false } do
            luring.write(ring, to, "x", -1)
            assert.equal(1, luring.submit_and_wait(ring, 1, forever or nil))
            luring.do_cqes(ring)
        end
    end)

    it("refuses what is no time", function()
        local no_times = { -1, 0 / 0, -math.huge, "x", true, {}, { tv_sec = -1 }, { tv_sec = 0, tv_nsec = 1e9 } }
        for _, wrong in ipairs(no_times) do
            assert.has_error(function() luring.submit_and_wait(ring, 1, wrong) end)
        end
    end)
end)

describe("do_cqes with a max", function()
    local calls
    before_each(function() calls = 0 end)
    local function nop(seen)
        luring.nop(ring, function(cqe)
            calls = calls + 1
            if seen ~= false then luring.cqe_seen(ring, cqe) end
        end)
    end

    it("handles so many, and says how many", function()
        for _ = 1, 3 do nop() end
        luring.nop(ring)
        luring.submit_and_wait(ring, 4)
        assert.equal(2, luring.do_cqes(ring, 2))
        assert.equal(2, calls)
        assert.equal(2, luring.do_cqes(ring, 100))
        assert.equal(3, calls)
        assert.equal(-11, luring.do_cqes(ring, 1))
    end)

    it("counts one that is delivered again, again", function()
        nop(false)
        luring.submit_and_wait(ring, 1)
        assert.equal(5, luring.do_cqes(ring, 5))
        assert.equal(5, calls)
    end)

    it("loses nothing when the completion queue overflows", function()
        for _ = 1, 40 do
            for _ = 1, 4 do nop() end
            luring.submit(ring)
        end
        local handled = 0
        repeat
            local n = luring.do_cqes(ring, 7)
            handled = handled + math.max(n, 0)
        until n < 0
        assert.equal(160, handled)
        assert.equal(160, calls)
    end)

    it("is a positive number", function()
        for _, wrong in ipairs { 0, -1, "x", 1.5 } do
            assert.has_error(function() luring.do_cqes(ring, wrong) end)
        end
    end)
end)

describe("cqe_flags", function()
    it("gives the flags of what a callback has got", function()
        -- TCP's: not every kernel tells of others what is left.
        local listener = luring.tcp_listen { family = luring.AF_INET, addr = "127.0.0.1", port = 0 }
        local other = luring.tcp_connect(luring.getsockname(listener))
        local one = drive.one(ring, "accept", listener, 0)
        drive.one(ring, "send", other, "two parts", 0)
        local flags = {}
        for i = 1, 2 do
            local kept
            luring.recv(ring, one, i == 1 and 3 or 100, 0, function(cqe)
                flags[i] = luring.cqe_flags(ring, cqe)
                luring.cqe_seen(ring, cqe)
                kept = cqe
            end)
            drive.turn(ring)
            assert.has_error(function() luring.cqe_flags(ring, kept) end)
        end
        assert.is_true(luring.has(flags[1], luring.IORING_CQE_F_SOCK_NONEMPTY))
        assert.is_false(luring.has(flags[2], luring.IORING_CQE_F_SOCK_NONEMPTY))
        assert.is_false(luring.more(flags[1]))
        drive.close(one, other, listener)
    end)

    it("takes only a cqe", function()
        assert.has_error(function() luring.cqe_flags(ring, 1) end)
        assert.has_error(function() luring.cqe_flags(ring) end)
    end)
end)

describe("more and has", function()
    it("tell bits", function()
        assert.is_true(luring.more(luring.IORING_CQE_F_MORE))
        assert.is_true(luring.more(0xFFFFFFFF))
        assert.is_false(luring.more(0xFFFFFFFF - luring.IORING_CQE_F_MORE))
        assert.is_true(luring.has(7, 2))
        assert.is_true(luring.has(7, 5))
        assert.is_false(luring.has(5, 7))
        assert.is_false(luring.has(5, 2))
        assert.is_true(luring.has(2 ^ 52 + 1, 2 ^ 52))
        assert.has_error(function() luring.has(1.5, 1) end)
        assert.has_error(function() luring.more(-1) end)
    end)
end)

describe("a ring", function()
    it("can be a to-be-closed variable", function()
        local compile = loadstring or load
        if not compile("local x <close> = nil") then return end
        local closed = assert(compile("local ring <close> = require('luring').queue_init(2, 0) return ring"))()
        assert.has_error(function() luring.submit(closed) end)
    end)

    it("can be waited for by other loops", function()
        local object = luring.pollable(ring)
        assert.equal("r", object:events())
        assert.is_true(object:pollfd() > 2)
        assert.equal(object:pollfd(), object:getfd())
        assert.is_nil(object:timeout())
        assert.is_false(object:dirty())
        luring.write(ring, to, "x", -1)
        luring.submit_and_wait(ring, 1)
        assert.equal(0, object:timeout())
        assert.is_true(object:dirty())
        luring.do_cqes(ring)
        assert.is_false(object:dirty())
        luring.queue_exit(ring)
        assert.has_error(function() object:pollfd() end)
    end)
end)
