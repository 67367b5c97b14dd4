local luring = require "luring"
local drive = require "drive"
local host = require "host"

local ECANCELED, ENOENT = -luring.ECANCELED, -luring.ENOENT
local ALL = luring.IORING_ASYNC_CANCEL_ALL

local ring, from, to, got
before_each(function()
    ring = luring.queue_init(8, 0)
    from, to = drive.idle_pipe()
    got = {}
end)
after_each(function()
    luring.queue_exit(ring)
    drive.close(from, to)
end)

-- A callback that notes what it got, under a name.
local function note(name)
    return function(cqe, ...)
        luring.cqe_seen(ring, cqe)
        got[name] = { n = select("#", ...), ... }
    end
end

local function read(name) return assert(luring.read(ring, from, 10, -1, note(name))) end

describe("cancel", function()
    it("ends what is in flight", function()
        local key = read "read"
        luring.submit(ring)
        luring.cancel(ring, key, 0, note "cancel")
        drive.turn(ring, 2)
        assert.same({ n = 2, ECANCELED, "" }, got.read)
        assert.same({ n = 3, 0, nil, 0 }, got.cancel)
    end)

    it("keeps what is queued from running", function()
        local small = luring.write(ring, to, "never", -1, note "small")
        local large = luring.write(ring, to, ("never"):rep(1000), -1, note "large")
        luring.write(ring, to, "this", -1, note "other")
        luring.cancel(ring, small, 0, note "first")
        luring.cancel(ring, large, 0, note "second")
        drive.turn(ring, 5)
        assert.same({ n = 1, ECANCELED }, got.small)
        assert.same({ n = 1, ECANCELED }, got.large)
        assert.same({ n = 1, 4 }, got.other)
        assert.same({ n = 3, 0, nil, 0 }, got.first)
        assert.same({ n = 3, 0, nil, 0 }, got.second)
        assert.equal("this", select(2, drive.one(ring, "read", from, 10000, -1)))
    end)

    it("gives a queued read's callback what a failed one gets", function()
        luring.cancel(ring, read "read", 0)
        drive.turn(ring, 2)
        assert.same({ n = 2, ECANCELED, "" }, got.read)
    end)

    it("breaks the chain of what is queued", function()
        local first, second = read "first", luring.write(ring, to, "never", -1, note "second")
        luring.chain(ring, { first, second })
        luring.cancel(ring, first, 0, note "cancel")
        drive.turn(ring, 3)
        assert.equal(ECANCELED, got.first[1])
        assert.equal(ECANCELED, got.second[1])
        assert.equal(0, got.cancel[1])
    end)

    it("finds no key that has ended, and none of another ring", function()
        local other = luring.queue_init(4, 0)
        local foreign = luring.read(other, from, 10, -1)
        local ended = luring.write(ring, to, "x", -1)
        drive.turn(ring)
        luring.cancel(ring, ended, 0, note "ended")
        luring.cancel(ring, foreign, 0, note "foreign")
        drive.turn(ring, 2)
        assert.equal(ENOENT, got.ended[1])
        assert.equal(ENOENT, got.foreign[1])
        luring.queue_exit(other)
    end)

    it("counts with IORING_ASYNC_CANCEL_ALL", function()
        local key = read "submitted"
        luring.submit(ring)
        luring.cancel(ring, key, ALL, note "first")
        luring.cancel(ring, read "queued", ALL, note "second")
        drive.turn(ring, 4)
        assert.equal(1, got.first[1])
        assert.equal(1, got.second[1])
        assert.equal(ECANCELED, got.submitted[1])
        assert.equal(ECANCELED, got.queued[1])
    end)

    it("cancels a queued cancellation, which has cancelled all the same", function()
        local cancel = luring.cancel(ring, read "read", 0, note "first")
        luring.cancel(ring, cancel, 0, note "second")
        drive.turn(ring, 3)
        assert.equal(ECANCELED, got.read[1])
        assert.equal(ECANCELED, got.first[1])
        assert.equal(0, got.second[1])
    end)

    it("changes nothing when the queue is full", function()
        local key = luring.write(ring, to, "here", -1, note "write")
        for _ = 1, 7 do luring.write(ring, to, "x", -1) end
        assert.is_nil(luring.cancel(ring, key, 0))
        assert.is_nil(luring.cancel_all(ring))
        drive.turn(ring, 8)
        assert.equal(4, got.write[1])
    end)

    it("lets go of callbacks and contents", function()
        local kept = setmetatable({}, { __mode = "k" })
        for i = 1, 100 do
            local callback = function(cqe) luring.cqe_seen(ring, cqe, i) end
            kept[callback] = true
            luring.cancel(ring, luring.write(ring, to, ("x"):rep(5000), -1, callback), 0)
            drive.turn(ring, 2)
        end
        drive.collect()
        assert.is_nil(next(kept))
    end)

    it("is dropped with its ring, and what it cancelled too", function()
        luring.cancel(ring, read "read", 0, note "cancel")
        luring.queue_exit(ring)
        assert.same({}, got)
    end)

    it("wants a key and known flags", function()
        local ok, message = pcall(luring.cancel, ring, 1, 0)
        assert.is_false(ok)
        assert.truthy(message:find("bad argument #2 to '?[%w.]*cancel'? %(key expected, got number%)") or
            message:find("key expected, got number", 1, true), message)
        ok, message = pcall(luring.cancel, ring, read "read", 2)
        assert.is_false(ok)
        assert.truthy(message:find("must be 0 or IORING_ASYNC_CANCEL_ALL", 1, true), message)
    end)
end)

describe("cancel_fd", function()
    local other_from, other_to
    before_each(function() other_from, other_to = drive.idle_pipe() end)
    after_each(function() drive.close(other_from, other_to) end)

    it("ends all of a descriptor's, and only that's", function()
        read "submitted"
        luring.read(ring, other_from, 10, -1, note "other")
        luring.submit(ring)
        read "queued"
        luring.cancel_fd(ring, from, nil, note "cancel")
        drive.turn(ring, 3)
        assert.equal(2, got.cancel[1])
        assert.equal(ECANCELED, got.submitted[1])
        assert.equal(ECANCELED, got.queued[1])
        assert.is_nil(got.other)
    end)

    it("ends one with 0", function()
        read "first"
        read "second"
        luring.cancel_fd(ring, from, 0, note "cancel")
        drive.turn(ring, 2)
        assert.equal(0, got.cancel[1])
        assert.truthy(got.first)
        assert.is_nil(got.second)
    end)

    it("ends a slot's, and none of the descriptor with the slot's number", function()
        -- The slot that has a descriptor's number has the other file.
        assert.equal(0, luring.register_files(ring, from + 1))
        assert.equal(1, luring.register_files_update(ring, from, { other_from }))
        local slot = luring.fixed(from)
        for _, flags in ipairs { 0, ALL } do
            got = {}
            read "descriptor"
            luring.read(ring, slot, 10, -1, note "slot")
            luring.cancel_fd(ring, slot, flags, note "cancel")
            drive.turn(ring, 2)
            assert.equal(flags == ALL and 1 or 0, got.cancel[1])
            assert.equal(ECANCELED, got.slot[1])
            assert.is_nil(got.descriptor)
            luring.read(ring, slot, 10, -1, note "slot again")
            luring.cancel_fd(ring, from, flags, note "cancel")
            drive.turn(ring, 2)
            assert.equal(ECANCELED, got.descriptor[1])
            assert.is_nil(got["slot again"])
            luring.cancel_all(ring)
            drive.turn(ring, 2)
        end
    end)

    it("counts none", function()
        luring.cancel_fd(ring, other_from, nil, note "cancel")
        drive.turn(ring)
        assert.equal(0, got.cancel[1])
    end)
end)

describe("a cancellation of one action", function()
    it("is 0, whatever the action waits for", function()
        if not luring.can("futex_wait") then return pending "no futex_wait here" end
        local word = luring.buffer(4, { shared = true })
        local function wait()
            local any = 2 ^ 32 - 1
            return luring.futex_wait(ring, word, 1, 0, any, luring.FUTEX2_SIZE_U32 or 2, 0, note "wait")
        end
        local key = wait()
        luring.submit(ring)
        luring.cancel(ring, key, 0, note "cancel")
        drive.turn(ring, 2)
        assert.same({ ECANCELED, 0 }, { got.wait[1], got.cancel[1] })
        key = wait()
        luring.submit(ring)
        assert.equal(0, luring.sync_cancel(ring, { key = key }))
        luring.do_cqes(ring)
        key = wait()
        luring.submit(ring)
        assert.equal(1, luring.sync_cancel(ring, { key = key, all = true }))
        luring.do_cqes(ring)
        assert.equal(0, luring.in_flight(ring))
    end)
end)

describe("cancel_all", function()
    it("ends what is queued and what is in flight", function()
        read "submitted"
        luring.submit(ring)
        read "queued"
        luring.write(ring, to, "never", -1, note "write")
        luring.cancel_all(ring, note "cancel")
        drive.turn(ring, 4)
        assert.equal(3, got.cancel[1])
        for _, name in ipairs { "submitted", "queued", "write" } do assert.equal(ECANCELED, got[name][1], name) end
    end)

    it("leaves what is queued after it", function()
        luring.cancel_all(ring)
        luring.write(ring, to, "here", -1, note "write")
        drive.turn(ring, 2)
        assert.equal(4, got.write[1])
    end)
end)

describe("sync_cancel", function()
    it("ends a key in flight", function()
        local key = read "read"
        luring.submit(ring)
        assert.equal(0, luring.sync_cancel(ring, { key = key }))
        luring.do_cqes(ring)
        assert.equal(ECANCELED, got.read[1])
        assert.equal(ENOENT, luring.sync_cancel(ring, { key = key }))
    end)

    it("keeps a queued key from running, and submits the rest", function()
        local key = luring.write(ring, to, "never", -1, note "write")
        luring.write(ring, to, "this", -1, note "other")
        assert.equal(0, luring.sync_cancel(ring, { key = key }))
        drive.turn_until(ring, function() return got.write and got.other end)
        assert.equal(ECANCELED, got.write[1])
        assert.equal(4, got.other[1])
    end)

    it("counts all of a descriptor's, of a kind's, and any", function()
        -- A socket: on Linux 6.1 a read of a pipe is a worker's, which the kernel waits for and does not count.
        local one, other = luring.socketpair()
        local function receive(name) assert(luring.recv(ring, one, 10, 0, note(name))) end
        local IORING_OP_RECV = 27
        local object = { getfd = function() return one end }
        for _, what in ipairs {
            { fd = one, all = true }, { fd = object, all = true }, { any = true }, { op = IORING_OP_RECV, all = true },
        } do
            got = {}
            receive "submitted"
            luring.submit(ring)
            receive "queued"
            local count = luring.sync_cancel(ring, what)
            if what.op and count == -luring.EINVAL then -- before Linux 6.6
                drive.close(one, other)
                return pending "this kernel finds none by its operation"
            end
            assert.equal(2, count)
            luring.do_cqes(ring)
            assert.equal(ECANCELED, got.submitted[1])
            assert.equal(ECANCELED, got.queued[1])
        end
        drive.close(one, other)
    end)

    it("ends what a worker waits for, on a ring that puts off what ends", function()
        local made, other = pcall(luring.queue_init, 8, 2 ^ 12 + 2 ^ 13) -- SINGLE_ISSUER and DEFER_TASKRUN
        if not made then return pending "DEFER_TASKRUN is not known here" end
        local source, sink = drive.idle_pipe()
        for _, timeout in ipairs { math.huge, 20 } do
            local res
            local key = luring.tee(other, from, sink, 10, 0, function(cqe, result)
                luring.cqe_seen(other, cqe)
                res = result
            end)
            luring.submit_and_wait(other, 1, 0.02) -- until the worker has begun
            host.alarm(30000)
            local cancelled = luring.sync_cancel(other, { key = key }, timeout)
            host.alarm(0)
            assert.equal(0, cancelled)
            drive.turn_until(other, function() return res end)
            assert.is_true(res == ECANCELED or res == -luring.EINTR, tostring(res))
            assert.equal(ENOENT, luring.sync_cancel(other, { key = key }, timeout))
        end
        luring.queue_exit(other)
        drive.close(source, sink)
    end)

    it("takes a file of Lua", function()
        assert.equal(ENOENT, luring.sync_cancel(ring, { fd = io.stdout }))
    end)

    it("says what it needs", function()
        for message, what in pairs {
            ["needs 'key', 'fd' or 'op', or else 'any'"] = {},
            ["needs 'key', 'fd' or 'op', or else 'any' "] = { any = true, fd = 1 },
            ["field 'key' must be a key"] = { key = 1 },
            ["field 'fd' must be a descriptor"] = { fd = "x" },
            ["field 'op' must be an integer"] = { op = 256 },
            ["field 'all' must be a boolean"] = { all = 1 },
            ["unknown field 'every'"] = { every = true },
            ["unknown field [1]"] = { any = true, 5 },
            ["a field's name must be a string"] = { any = true, [false] = 1 },
        } do
            local ok, raised = pcall(luring.sync_cancel, ring, what)
            assert.is_false(ok)
            assert.truthy(raised:find(message:gsub(" $", ""), 1, true), raised)
        end
        assert.has_error(function() luring.sync_cancel(ring, { any = true }, -1) end)
        assert.has_error(function() luring.sync_cancel(ring, { any = true }, 0 / 0) end)
        assert.equal(0, luring.sync_cancel(ring, { any = true }, math.huge))
    end)
end)
