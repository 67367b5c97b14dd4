local luring = require "luring"
local drive = require "drive"

local ring, from, to
before_each(function()
    ring = luring.queue_init(8, 0)
    from, to = drive.idle_pipe()
end)
after_each(function()
    luring.queue_exit(ring)
    drive.close(from, to)
end)

local function why(f, ...)
    local ok, message = pcall(f, ...)
    assert.is_false(ok)
    return message
end

describe("sqe_set_flags", function()
    it("adds IOSQE_IO_DRAIN: what is queued before ends before", function()
        local one, other = luring.socketpair()
        luring.read(ring, from, 1, -1)
        luring.sqe_set_flags(ring, luring.send(ring, one, "later", 0), luring.IOSQE_IO_DRAIN)
        luring.submit(ring)
        local peek = luring.queue_init(2, 0)
        assert.equal(-luring.EAGAIN, (drive.one(peek, "recv", other, 10, luring.MSG_DONTWAIT)))
        drive.one(peek, "write", to, "x", -1)
        drive.turn(ring, 2)
        assert.equal(5, (drive.one(peek, "recv", other, 10, luring.MSG_DONTWAIT)))
        luring.queue_exit(peek)
        drive.close(one, other)
    end)

    it("adds IOSQE_ASYNC, and keeps what is there", function()
        local got
        local key = luring.write(ring, to, "x", -1, function(cqe, res)
            luring.cqe_seen(ring, cqe)
            got = res
        end)
        luring.sqe_set_flags(ring, key, luring.IOSQE_ASYNC)
        luring.sqe_set_flags(ring, key, 0)
        drive.turn(ring)
        assert.equal(1, got)
    end)

    it("refuses those that arguments and chain say", function()
        local key = luring.write(ring, to, "x", -1)
        for _, name in ipairs { "FIXED_FILE", "BUFFER_SELECT", "IO_LINK", "IO_HARDLINK", "CQE_SKIP_SUCCESS" } do
            local message = why(luring.sqe_set_flags, ring, key, luring["IOSQE_" .. name])
            assert.truthy(message:find("must be IOSQE_ASYNC or IOSQE_IO_DRAIN", 1, true), message)
        end
        assert.has_error(function() luring.sqe_set_flags(ring, key, 128) end)
        assert.has_error(function() luring.sqe_set_flags(ring, key, 256) end)
        assert.error_matches(function() luring.sqe_set_flags(ring, 1, 0) end, "key expected, got number")
    end)
end)

describe("sqe_set_ioprio and sqe_set_personality", function()
    it("reach the kernel", function()
        for name, wrong in pairs { sqe_set_ioprio = 0xE000, sqe_set_personality = 77 } do
            local got
            local key = luring.write(ring, to, "x", -1, function(cqe, res)
                luring.cqe_seen(ring, cqe)
                got = res
            end)
            luring[name](ring, key, wrong)
            drive.turn(ring)
            assert.equal(-luring.EINVAL, got, name)
        end
    end)

    it("leave alone what uses the field for flags", function()
        local one, other = luring.socketpair()
        local message = why(luring.sqe_set_ioprio, ring, luring.recv(ring, one, 10, 0), 2)
        assert.truthy(message:find("only reads and writes of files have a priority", 1, true), message)
        drive.close(one, other)
    end)
end)

describe("an action that is amended", function()
    it("is one of this ring that is not submitted", function()
        local other = luring.queue_init(2, 0)
        local foreign = luring.write(other, to, "x", -1)
        local key = luring.read(ring, from, 1, -1)
        luring.submit(ring)
        for _, name in ipairs { "sqe_set_flags", "sqe_set_ioprio", "sqe_set_personality" } do
            local message = why(luring[name], ring, key, 0)
            assert.truthy(message:find("the action has been submitted", 1, true), message)
            message = why(luring[name], ring, foreign, 0)
            assert.truthy(message:find("not a key of this ring, or its action has ended", 1, true), message)
        end
        luring.queue_exit(other)
    end)
end)
