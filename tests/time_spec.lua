-- Timeouts, polls, epoll and children. What is asserted is the order and the results, never how
-- long something took.

local luring = require "luring"
local drive = require "drive"

describe("waiting:", function()
    local ring
    before_each(function() ring = luring.queue_init(16, 0) end)
    after_each(function() luring.queue_exit(ring) end)

    -- Queues an action whose results are put into the table that is returned.
    local function start(name, ...)
        local got = {}
        local arguments = { ... }
        arguments[#arguments + 1] = function(cqe, res, value, flags)
            luring.cqe_seen(ring, cqe)
            got.res, got.value, got.flags = res, value, flags
            got.count = (got.count or 0) + 1
        end
        got.key = assert(luring[name](ring, (unpack or table.unpack)(arguments)))
        return got
    end

    local function wait(...)
        for _, got in ipairs { ... } do
            while got.res == nil do drive.turn(ring) end
        end
    end

    it("timeout ends with -ETIME, seconds or a table", function()
        assert.equal(-luring.ETIME, (drive.one(ring, "timeout", 0.001, 0, 0)))
        assert.equal(-luring.ETIME, (drive.one(ring, "timeout", { tv_sec = 0, tv_nsec = 1000 }, 0, 0)))
    end)

    it("timeout ends with 0 once enough has come", function()
        local timeout = start("timeout", 1000, 2, 0)
        luring.submit(ring)
        drive.one(ring, "nop")
        assert.is_nil(timeout.res)
        drive.one(ring, "nop")
        wait(timeout)
        assert.equal(0, timeout.res)
    end)

    it("timeout says what is no time", function()
        for _, wrong in ipairs { -1, 0 / 0, 1 / 0, "x", {} } do
            assert.error_matches(function() luring.timeout(ring, wrong, 0, 0) end, "bad argument #2")
        end
        for _, long in ipairs { 1e19, 1e300, 2 ^ 63 } do
            assert.error_matches(function() luring.timeout(ring, long, 0, 0) end, "less than 2%^63")
            assert.error_matches(function() luring.submit_and_wait(ring, 0, long) end, "less than 2%^63")
        end
    end)

    it("timeout_remove ends one, and timeout_update changes it", function()
        local long = start("timeout", 1000, 0, 0)
        luring.submit(ring)
        assert.equal(0, (drive.one(ring, "timeout_remove", long.key, 0)))
        wait(long)
        assert.equal(-luring.ECANCELED, long.res)
        assert.equal(-luring.ENOENT, (drive.one(ring, "timeout_remove", long.key, 0)))
        long = start("timeout", 1000, 0, 0)
        luring.submit(ring)
        assert.equal(0, (drive.one(ring, "timeout_update", 0.001, long.key, 0)))
        wait(long)
        assert.equal(-luring.ETIME, long.res)
        assert.error_matches(function() luring.timeout_remove(ring, 5, 0) end, "key expected, got number")
    end)

    it("poll_add waits for data, and poll_remove ends it", function()
        local from, to = luring.pipe2()
        local poll = start("poll_add", from, luring.POLLIN)
        luring.submit(ring)
        drive.one(ring, "nop")
        assert.is_nil(poll.res)
        drive.one(ring, "write", to, "x", -1)
        wait(poll)
        assert.equal(luring.POLLIN, poll.res)
        drive.one(ring, "read", from, 1, -1)
        poll = start("poll_add", from, luring.POLLIN)
        luring.submit(ring)
        assert.equal(0, (drive.one(ring, "poll_remove", poll.key)))
        wait(poll)
        assert.equal(-luring.ECANCELED, poll.res)
        assert.equal(-luring.ENOENT, (drive.one(ring, "poll_remove", poll.key)))
        drive.close(from, to)
    end)

    it("poll_multishot goes on until it is removed", function()
        local from, to = luring.pipe2()
        local poll = start("poll_multishot", from, luring.POLLIN)
        luring.submit(ring)
        for i = 1, 3 do
            drive.one(ring, "write", to, "x", -1)
            while (poll.count or 0) < i do drive.turn(ring) end
            assert.is_true(poll.flags % (2 * luring.IORING_CQE_F_MORE) >= luring.IORING_CQE_F_MORE)
            drive.one(ring, "read", from, 1, -1)
            drive.collect()
        end
        assert.equal(0, (drive.one(ring, "poll_remove", poll.key)))
        while poll.res ~= -luring.ECANCELED do drive.turn(ring) end
        drive.close(from, to)
    end)

    it("poll_update gives a poll another mask", function()
        local a, b = luring.socketpair(luring.AF_UNIX, luring.SOCK_STREAM, 0)
        local poll = start("poll_add", a, luring.POLLIN)
        luring.submit(ring)
        assert.equal(0, (drive.one(ring, "poll_update", poll.key, luring.POLLOUT, 0)))
        wait(poll)
        assert.equal(luring.POLLOUT, poll.res % (2 * luring.POLLOUT) - poll.res % luring.POLLOUT)
        drive.close(a, b)
    end)

    it("poll_update leaves a multishot one, and makes none", function()
        for _, kind in ipairs { "poll_add", "poll_multishot" } do
            local a, b = luring.socketpair(luring.AF_UNIX, luring.SOCK_STREAM, 0)
            local goes_on
            local key = luring[kind](ring, a, luring.POLLPRI, function(cqe, _, _, flags)
                luring.cqe_seen(ring, cqe)
                goes_on = luring.more(flags)
            end)
            luring.submit(ring)
            local flags = kind == "poll_add" and luring.IORING_POLL_ADD_MULTI or 0
            assert.equal(0, (drive.one(ring, "poll_update", key, luring.POLLIN, flags)))
            drive.one(ring, "send", b, "x", 0)
            drive.turn_until(ring, function() return goes_on ~= nil end)
            assert.equal(kind == "poll_multishot", goes_on)
            drive.one(ring, "cancel_all")
            drive.close(a, b)
        end
    end)

    it("poll_update does not take a poll's key: its completion would end nothing", function()
        local IORING_POLL_UPDATE_USER_DATA = 4
        for _, flags in ipairs { IORING_POLL_UPDATE_USER_DATA, IORING_POLL_UPDATE_USER_DATA + 1 } do
            local from, to = luring.pipe2()
            local poll = start("poll_add", from, luring.POLLIN)
            luring.submit(ring)
            local ok, message = pcall(luring.poll_update, ring, poll.key, luring.POLLIN, flags)
            assert.is_false(ok)
            assert.truthy(message:find("must be between 0 and 3", 1, true), message)
            drive.close(from, to)
        end
    end)

    it("epoll_ctl says what to watch, and epoll_wait what happened", function()
        if not luring.epoll_create1 then return pending "no epoll_create1" end
        local epfd = luring.epoll_create1()
        local from, to = luring.pipe2()
        local add = { events = luring.EPOLLIN, data = 2 ^ 53 - 1 }
        assert.equal(0, (drive.one(ring, "epoll_ctl", epfd, from, luring.EPOLL_CTL_ADD, add)))
        assert.equal(-luring.EEXIST, (drive.one(ring, "epoll_ctl", epfd, from, luring.EPOLL_CTL_ADD, add)))
        if drive.has "epoll_wait" then
            drive.one(ring, "write", to, "x", -1)
            local res, events = drive.one(ring, "epoll_wait", epfd, 8, 0)
            if res ~= -luring.EINVAL then
                assert.same({ 1, { { events = luring.EPOLLIN, data = 2 ^ 53 - 1 } } }, { res, events })
            end
        end
        assert.equal(0, (drive.one(ring, "epoll_ctl", epfd, from, luring.EPOLL_CTL_DEL, nil)))
        drive.close(epfd, from, to)
    end)

    it("waitid says how a child ended", function()
        if not drive.has "waitid" then return pending "this liburing has no waitid" end
        if not luring.posix_spawn then return pending "no posix_spawn" end
        local pid = luring.posix_spawn { "/bin/sh", "-c", "exit 7" }
        local res, child = drive.one(ring, "waitid", luring.P_PID, pid, luring.WEXITED, 0)
        if res == -luring.EINVAL then return pending "this kernel has no waitid" end
        assert.same({ 0, pid, 7, luring.CLD_EXITED, luring.SIGCHLD },
            { res, child.pid, child.status, child.code, child.signo })
        assert.equal(-luring.ECHILD, (drive.one(ring, "waitid", luring.P_PID, pid, luring.WEXITED, 0)))
    end)

    it("a multishot that nobody listens to ends with its ring", function()
        local from, to = luring.pipe2()
        assert(luring.poll_multishot(ring, from, luring.POLLIN))
        drive.one(ring, "write", to, "x", -1)
        drive.turn(ring, 0)
        luring.queue_exit(ring)
        ring = luring.queue_init(16, 0)
        drive.close(from, to)
    end)

    it("nop does nothing", function()
        assert.equal(0, (drive.one(ring, "nop")))
    end)
end)

describe("do_cqes", function()
    it("enters the kernel for what it has put off once, before the first completion", function()
        local SINGLE_ISSUER, DEFER_TASKRUN = 0x1000, 0x2000
        local made, ring = pcall(luring.queue_init, 8, SINGLE_ISSUER + DEFER_TASKRUN)
        if not made then return pending "DEFER_TASKRUN is not known here" end
        local other = luring.queue_init(8, 0)
        local from1, to1 = luring.socketpair()
        local from2, to2 = luring.socketpair()
        local order = {}
        assert(luring.read(ring, from1, 10, -1, function(cqe)
            luring.cqe_seen(ring, cqe)
            order[#order + 1] = "first"
            -- This completes the second read, as soon as the kernel is entered for it.
            assert.equal(1, (drive.one(other, "write", to2, "x", -1)))
        end))
        assert(luring.read(ring, from2, 10, -1, function(cqe)
            luring.cqe_seen(ring, cqe)
            order[#order + 1] = "second"
        end))
        luring.submit(ring)
        assert.equal(1, (drive.one(other, "write", to1, "x", -1)))
        luring.do_cqes(ring)
        assert.same({ "first" }, order)
        luring.do_cqes(ring)
        assert.same({ "first", "second" }, order)
        luring.queue_exit(ring)
        luring.queue_exit(other)
        drive.close(from1, to1, from2, to2)
    end)
end)
