local luring = require "luring"
local drive = require "drive"

local ECANCELED, ETIME, EAGAIN = -luring.ECANCELED, -luring.ETIME, -luring.EAGAIN

local ring, from, to, got
before_each(function()
    ring = luring.queue_init(16, 0)
    from, to = drive.idle_pipe()
    got = {}
end)
after_each(function()
    luring.queue_exit(ring)
    drive.close(from, to)
end)

local function note(name)
    return function(cqe, res)
        luring.cqe_seen(ring, cqe)
        got[name] = res
    end
end

local function write(name, data, fd) return assert(luring.write(ring, fd or to, data, -1, note(name))) end
local function read(name, n) return assert(luring.read(ring, from, n, -1, note(name))) end
local function fail(name) return write(name, "x", -1) end

-- An argument error that says `why`, after which what is queued runs as if nothing had been said.
local function refuses(why, ...)
    local ok, message = pcall(luring.chain, ring, ...)
    assert.is_false(ok)
    assert.truthy(message:find(why, 1, true), message)
end

describe("chain", function()
    it("begins each when the one before has succeeded", function()
        local one, other = luring.socketpair()
        local first, second = read("read", 1), luring.send(ring, one, "then", 0, note "send")
        assert.is_true(luring.chain(ring, { first, second }))
        luring.submit(ring)
        assert.equal(EAGAIN, (drive.one(ring, "recv", other, 10, luring.MSG_DONTWAIT)))
        write("write", "x")
        drive.turn(ring, 3)
        assert.same({ read = 1, send = 4, write = 1 }, got)
        drive.close(one, other)
    end)

    it("ends with what fails, or reads less than it was told", function()
        luring.chain(ring, { fail "bad", write("never", "x") })
        write("fill", "abc")
        drive.turn(ring, 3)
        assert.equal(-luring.EBADF, got.bad)
        assert.equal(ECANCELED, got.never)
        luring.chain(ring, { read("short", 65536), write("never either", "x") })
        drive.turn(ring, 2)
        assert.equal(3, got.short)
        assert.equal(ECANCELED, got["never either"])
    end)

    it("goes on if it is hard", function()
        luring.chain(ring, { fail "bad", write("still", "x"), read("short", 100), write("last", "y") }, { hard = true })
        drive.turn(ring, 4)
        assert.same({ bad = -luring.EBADF, still = 1, short = 1, last = 1 }, got)
    end)

    it("bounds its last member", function()
        -- Sockets: Linux 6.1 bounds nothing behind what its workers do, and pipes are theirs.
        local one, other = luring.socketpair()
        local first, second = write("write", "x", other), luring.recv(ring, one, 1, 0, note "read")
        local idle = luring.recv(ring, one, 1, 0, note "idle")
        luring.chain(ring, { first, second, idle }, { timeout = 0.01 })
        drive.turn_until(ring, function() return got.idle end)
        assert.same({ write = 1, read = 1, idle = ECANCELED }, got)
        assert.equal(EAGAIN, luring.do_cqes(ring, 10)) -- nothing of the timeout
        luring.chain(ring, { write("write", "x") }, { timeout = 1000 })
        drive.turn(ring, 1)
        assert.equal(EAGAIN, luring.do_cqes(ring, 10))
        drive.close(one, other)
    end)

    it("takes a member's own timeout", function()
        local idle = read("idle", 1)
        local timeout = luring.link_timeout(ring, idle, 0.01)
        local last = write("last", "x")
        luring.chain(ring, { idle, timeout, last })
        drive.turn(ring, 2)
        assert.same({ idle = ECANCELED, last = ECANCELED }, got)
        local first = write("first", "x")
        luring.chain(ring, { first, (luring.link_timeout(ring, first, 1000)), (write("then", "yz")) })
        drive.turn(ring, 2)
        assert.same({ 1, 2 }, { got.first, got["then"] })
    end)

    it("wants keys of this ring, unsubmitted, side by side and in order", function()
        local other = luring.queue_init(4, 0)
        local foreign = luring.read(other, from, 1, -1)
        local submitted = write("submitted", "x")
        luring.submit(ring)
        local a, b, c = write("a", "x"), write("b", "x"), write("c", "x")
        refuses("action 1: not a key", {})
        refuses("action 2: not a key", { a, 1 })
        refuses("action 1: not a key of this ring, or its action has ended", { foreign })
        refuses("action 1: the action has been submitted", { submitted, a })
        refuses("action 2: not queued right behind the one before it", { a, c })
        refuses("action 2: not queued right behind the one before it", { b, a })
        refuses("action 2: not queued right behind the one before it", { a, a })
        refuses("the last key is not the action that was queued last", { a, b }, { timeout = 1 })
        refuses("unknown field 'soft'", { a, b }, { soft = true })
        refuses("unknown field [1]", { a, b }, { "hard" })
        refuses("a field's name must be a string", { a, b }, { [1.5] = true })
        refuses("must be a time of 0 seconds or more, and less than 2^63", { a, b, c }, { timeout = -1 })
        refuses("must be a boolean", { a, b, c }, { hard = 1 })
        drive.turn(ring, 4)
        assert.same({ submitted = 1, a = 1, b = 1, c = 1 }, got)
        luring.queue_exit(other)
    end)

    it("takes no member of another", function()
        local a, b, c = write("a", "x"), write("b", "x"), write("c", "x")
        luring.chain(ring, { a, b })
        refuses("in a chain already", { b, c })
        refuses("in a chain already", { a, b, c })
        local timeout = luring.link_timeout(ring, c, 10)
        refuses("timeout is not in the list", { c })
        refuses("in a chain already", { timeout })
        drive.turn(ring, 3)
        assert.same({ a = 1, b = 1, c = 1 }, got)
    end)

    it("gives nil without room for its timeout, and changes nothing", function()
        local small = luring.queue_init(2, 0)
        local a = luring.write(small, -1, "x", -1)
        local b = luring.write(small, to, "xyz", -1)
        assert.is_nil(luring.chain(small, { a, b }, { timeout = 1 }))
        luring.submit_and_wait(small, 2)
        luring.do_cqes(small)
        assert.equal(3, (drive.one(ring, "read", from, 10, -1)))
        luring.queue_exit(small)
    end)
end)

describe("chain's skip", function()
    -- Callbacks of the test itself, so that it can be seen when they have gone.
    local kept
    before_each(function() kept = setmetatable({}, { __mode = "k" }) end)
    local function keep(name)
        local callback = note(name)
        kept[callback] = true
        return callback
    end
    local large = ("x"):rep(5000)

    it("lets only the last speak", function()
        for _ = 1, 50 do
            luring.chain(ring, {
                luring.write(ring, to, large, -1, keep "write"),
                luring.read(ring, from, 5000, -1, keep "read"),
                luring.write(ring, to, "end", -1, keep "last"),
            }, { skip = true })
            luring.submit_and_wait(ring, 1)
            assert.equal(1, luring.do_cqes(ring, 10))
            drive.one(ring, "read", from, 3, -1)
        end
        assert.same({ last = 3 }, got)
        drive.collect()
        assert.is_nil(next(kept))
    end)

    it("lets one that fails speak, and nothing after it", function()
        for _ = 1, 50 do
            luring.chain(ring, {
                luring.write(ring, to, "x", -1, keep "first"),
                luring.write(ring, -1, large, -1, keep "bad"),
                luring.write(ring, to, large, -1, keep "third"),
                luring.write(ring, to, "x", -1, keep "last"),
            }, { skip = true, timeout = 1000 })
            luring.submit_and_wait(ring, 1)
            assert.equal(1, luring.do_cqes(ring, 10))
        end
        assert.same({ bad = -luring.EBADF }, got)
        drive.collect()
        assert.is_nil(next(kept))
    end)

    it("lets one that reads less than it was told speak", function()
        luring.chain(ring, { write("write", "x"), read("short", 10), write("last", "x") }, { skip = true })
        luring.submit_and_wait(ring, 1)
        assert.equal(1, luring.do_cqes(ring, 10))
        assert.same({ short = 1 }, got)
    end)

    it("lets all that fail speak in a hard chain, and the last", function()
        luring.chain(ring, {
            luring.write(ring, to, "x", -1, keep "first"),
            luring.write(ring, -1, large, -1, keep "bad"),
            luring.read(ring, from, 1, -1, keep "read"),
            luring.write(ring, -1, "x", -1, keep "bad too"),
            luring.write(ring, to, "yz", -1, keep "last"),
        }, { skip = true, hard = true })
        drive.turn(ring, 4)
        assert.same({ bad = -luring.EBADF, ["bad too"] = -luring.EBADF, last = 2 }, got)
        drive.collect()
        assert.is_nil(next(kept))
    end)

    it("loses nothing when the kernel refuses a member of a hard chain", function()
        local first = luring.write(ring, to, "x", -1, keep "first")
        local second = luring.write(ring, to, "x", -1, keep "second")
        local refused = luring.write(ring, to, "x", -1, keep "refused")
        luring.sqe_set_ioprio(ring, refused, 0xE000) -- no such class
        local last = luring.write(ring, to, "x", -1, keep "last")
        luring.chain(ring, { first, second, refused, last }, { skip = true, hard = true })
        while not got.last do drive.turn(ring) end
        assert.equal(-luring.EINVAL, got.refused)
        assert.equal(ECANCELED, got.first)
        drive.collect()
        assert.is_nil(next(kept))
    end)

    it("keeps the last member's own timeout apart", function()
        local first, last = write("first", "x"), read("last", 1)
        local timeout = luring.link_timeout(ring, last, 1000, note "timeout")
        luring.chain(ring, { first, last, timeout }, { skip = true })
        drive.turn(ring, 2)
        assert.same({ last = 1, timeout = ECANCELED }, got)
    end)

    it("lets go of the last member's own timeout when another fails", function()
        local first, last = fail "first", luring.read(ring, from, 1, -1, keep "last")
        local timeout = luring.link_timeout(ring, last, 1000, keep "timeout")
        luring.chain(ring, { first, last, timeout }, { skip = true })
        drive.turn(ring)
        assert.same({ first = -luring.EBADF }, got)
        drive.collect()
        assert.is_nil(next(kept))
    end)

    it("ends with a member that is cancelled, queued or in flight", function()
        for _, submit in ipairs { true, false } do
            got = {}
            local idle = luring.read(ring, from, 1, -1, keep "idle")
            luring.chain(ring, { idle, (luring.write(ring, to, large, -1, keep "last")) }, { skip = true })
            if submit then luring.submit(ring) end
            luring.cancel(ring, idle, 0, note "cancel")
            drive.turn(ring, 2)
            assert.same({ idle = ECANCELED, cancel = 0 }, got)
        end
        drive.collect()
        assert.is_nil(next(kept))
    end)

    it("is refused for what makes descriptors, and with SQPOLL", function()
        local listener = luring.tcp_listen { family = luring.AF_INET, addr = "127.0.0.1", port = 0 }
        local accept, last = luring.accept(ring, listener, 0), write("last", "x")
        refuses("action 1: may complete more than once, or makes what must be closed",
            { accept, last }, { skip = true })
        luring.close_fd(listener)
        local polled = luring.queue_init(4, luring.IORING_SETUP_SQPOLL)
        local a, b = luring.write(polled, to, "x", -1), luring.write(polled, to, "x", -1)
        local ok, message = pcall(luring.chain, polled, { a, b }, { skip = true })
        assert.is_false(ok)
        assert.truthy(message:find("without IORING_SETUP_SQPOLL", 1, true), message)
        luring.queue_exit(polled)
    end)

    it("ends with its ring, wherever it is", function()
        luring.chain(ring, {
            write("first", "x"),
            luring.read(ring, from, 1, -1, keep "read"),
            luring.read(ring, from, 1, -1, keep "idle"),
            luring.write(ring, to, large, -1, keep "last"),
        }, { skip = true })
        luring.submit(ring)
        local another = luring.write(ring, to, large, -1, keep "another")
        luring.chain(ring, { another, (luring.write(ring, to, "x", -1, keep "end")) }, { skip = true, timeout = 1 })
        luring.queue_exit(ring)
        drive.collect()
        assert.is_nil(next(kept))
        assert.same({}, got)
    end)
end)

describe("link_timeout", function()
    it("cancels what it belongs to", function()
        luring.link_timeout(ring, read("idle", 1), 0.01, note "timeout")
        drive.turn(ring, 2)
        assert.same({ idle = ECANCELED, timeout = ETIME }, got)
    end)

    it("gets -ECANCELED when that has ended before", function()
        luring.link_timeout(ring, write("write", "x"), { tv_sec = 1000 }, note "timeout")
        drive.turn(ring, 2)
        assert.same({ write = 1, timeout = ECANCELED }, got)
    end)

    it("posts nothing without a callback", function()
        luring.link_timeout(ring, read("idle", 1), 0)
        luring.submit_and_wait(ring, 1)
        assert.equal(1, luring.do_cqes(ring, 10))
        for _ = 1, 100 do
            luring.link_timeout(ring, write("write", "x"), 1000)
            luring.submit_and_wait(ring, 1)
            assert.equal(1, luring.do_cqes(ring, 10))
        end
        assert.same({ idle = ECANCELED, write = 1 }, got)
    end)

    it("may be cancelled before it is submitted, and the chain goes on", function()
        local first = write("first", "x")
        local timeout = luring.link_timeout(ring, first, 1000, note "timeout")
        luring.chain(ring, { first, timeout, (write("last", "yz")) })
        luring.cancel(ring, timeout, 0, note "cancel")
        drive.turn(ring, 4)
        assert.same({ first = 1, timeout = ECANCELED, last = 2, cancel = 0 }, got)
    end)

    it("wants the action that was queued last", function()
        local a = write("a", "x")
        local b = write("b", "x")
        local ok, message = pcall(luring.link_timeout, ring, a, 1)
        assert.is_false(ok)
        assert.truthy(message:find("not the action that was queued last", 1, true), message)
        local timeout = luring.link_timeout(ring, b, 1)
        ok, message = pcall(luring.link_timeout, ring, timeout, 1)
        assert.is_false(ok)
        assert.truthy(message:find("a timeout has no timeout", 1, true), message)
        drive.turn(ring, 2)
        ok, message = pcall(luring.link_timeout, ring, b, 1)
        assert.is_false(ok)
        assert.truthy(message:find("its action has ended", 1, true), message)
        for _, bad in ipairs { -1, 0 / 0, "x", {} } do
            local key = write("key", "x")
            assert.has_error(function() luring.link_timeout(ring, key, bad) end)
        end
    end)

    it("gives nil when the queue is full", function()
        local small = luring.queue_init(1, 0)
        assert.is_nil(luring.link_timeout(small, luring.write(small, to, "x", -1), 1))
        luring.queue_exit(small)
    end)
end)
