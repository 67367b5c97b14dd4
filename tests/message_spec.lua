local luring = require "luring"
local drive = require "drive"

-- The descriptor of a ring, as an object of another library would have it.
local function fd_of(ring) return luring.pollable(ring):pollfd() end

describe("msg_ring", function()
    if not drive.has "msg_ring" then
        it("needs a newer liburing", function() pending("this liburing has no msg_ring") end)
        return
    end

    local one, other, from, to
    before_each(function()
        one, other = luring.queue_init(8, 0), luring.queue_init(8, 0)
        from, to = drive.idle_pipe()
    end)
    after_each(function()
        luring.queue_exit(one)
        luring.queue_exit(other)
        drive.close(from, to)
    end)

    it("reaches the other ring's on_message", function()
        local got = {}
        luring.on_message(other, function(...) got[#got + 1] = { ... } end)
        for _, data in ipairs { 0, 1, 2 ^ 53 - 1 } do
            local res = drive.one(one, "msg_ring", fd_of(other), 7, data, 0)
            assert.equal(0, res)
        end
        assert.equal(-11, luring.do_cqes(other))
        assert.same({ { 7, 0, 0 }, { 7, 1, 0 }, { 7, 2 ^ 53 - 1, 0 } }, got)
        assert.equal(-11, luring.do_cqes(other, 1))
    end)

    it("is kept where the handler could not be called, for want of C stack", function()
        local got = 0
        luring.on_message(other, function() got = got + 1 end)
        drive.reap_deep(function()
            drive.one(one, "msg_ring", fd_of(other), 0, 0, 0)
            return other
        end, luring.do_cqes)
        assert.equal(31 * 3, got)
    end)

    it("is counted with other completions", function()
        local got = 0
        luring.on_message(other, function() got = got + 1 end)
        luring.write(other, to, "x", -1)
        luring.submit_and_wait(other, 1)
        for _ = 1, 3 do drive.one(one, "msg_ring", fd_of(other), 0, 0, 0) end
        luring.write(other, to, "x", -1)
        luring.submit_and_wait(other, 5) -- the two writes as well, which a worker may do
        assert.equal(2, luring.do_cqes(other, 2))
        assert.equal(1, got)
        assert.equal(3, luring.do_cqes(other, 5))
        assert.equal(3, got)
        assert.equal(-11, luring.do_cqes(other, 5))
    end)

    it("ends no action of the other ring", function()
        local ended = 0
        for _ = 1, 4 do luring.read(other, from, 1, -1, function() ended = ended + 1 end) end
        luring.submit(other)
        -- Keys begin anywhere: all small numbers, and those of this ring.
        for data = 0, 3000 do
            luring.msg_ring(one, fd_of(other), 1, data, 0)
            if data % 8 == 7 then drive.turn(one, 8) end
        end
        drive.turn(one, 0)
        luring.do_cqes(other)
        assert.equal(0, ended)
        luring.submit(other)
        assert.equal(-11, luring.do_cqes(other))
    end)

    it("is dropped without a handler", function()
        luring.on_message(other, function() error("not wanted any more") end)
        luring.on_message(other, nil)
        drive.one(one, "msg_ring", fd_of(other), 0, 0, 0)
        assert.equal(-11, luring.do_cqes(other))
        local got = drive.one(other, "write", to, "x", -1)
        assert.equal(1, got)
        luring.write(other, to, "x", -1)
        assert.equal(0, luring.run(other)) -- which waits for messages otherwise
    end)

    it("is all that a handler hears", function()
        local heard = 0
        luring.on_message(one, function() heard = heard + 1 end)
        for _ = 1, 5 do
            local bad, idle = luring.write(one, -1, "x", -1), luring.read(one, from, 1, -1)
            luring.chain(one, { bad, idle }, { timeout = 1000 }) -- whose CQE comes after its end
            luring.submit_and_wait(one, 3)
            luring.do_cqes(one)
        end
        assert.equal(0, heard)
    end)

    it("keeps run waiting until stop", function()
        local got = {}
        luring.on_message(other, function(_, data)
            got[#got + 1] = data
            if data == 3 then luring.stop(other, "enough") end
        end)
        for data = 1, 5 do drive.one(one, "msg_ring", fd_of(other), 0, data, 0) end
        assert.equal("enough", luring.run(other))
        assert.same({ 1, 2, 3 }, got)
        assert.equal(2, luring.do_cqes(other, 9))
    end)

    it("may be answered, and its handler may raise or exit the ring", function()
        local value = {}
        luring.on_message(other, function(res)
            if res == 1 then error(value) end
            if res == 2 then luring.queue_exit(other) end
        end)
        drive.one(one, "msg_ring", fd_of(other), 1, 0, 0)
        local ok, raised = pcall(luring.do_cqes, other)
        assert.is_false(ok)
        assert.equal(value, raised)
        drive.one(one, "msg_ring", fd_of(other), 2, 0, 0)
        assert.equal(-11, luring.do_cqes(other))
        assert.has_error(function() luring.do_cqes(other) end)
    end)

    it("that was not handled goes with its ring", function()
        luring.on_message(other, print)
        luring.read(other, from, 1, -1)
        luring.submit(other)
        for _ = 1, 20 do drive.one(one, "msg_ring", fd_of(other), 0, 0, 0) end -- more than the queue holds
        luring.queue_exit(other)
    end)

    it("carries numbers from 0 to 2^53-1", function()
        for _, data in ipairs { -1, 2 ^ 53, 1.5 } do
            assert.has_error(function() luring.msg_ring(one, fd_of(other), 0, data, 0) end)
        end
        assert.has_error(function() luring.on_message(one, 5) end)
    end)
end)
