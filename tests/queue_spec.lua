local luring = require "luring"
local child = require "child"
local drive = require "drive"
local host = require "host"

local HERE = debug.getinfo(1, "S").short_src

-- The error of queue_init, and the line that called it.
local function refusal(...)
    local entries, flags = ...
    local line
    local ok, message = pcall(function()
        line = debug.getinfo(1, "l").currentline + 1
        return (luring.queue_init(entries, flags))
    end)
    assert.is_false(ok)
    assert.equal("string", type(message))
    return message, line
end

describe("queue_init", function()
    it("makes rings of 1 to 32768 entries", function()
        for _, entries in ipairs { 1, 2, 3, 100, 4096, 32768 } do
            local ring = luring.queue_init(entries, 0)
            assert.equal("userdata", type(ring), entries)
            luring.queue_exit(ring)
        end
    end)

    it("says what the system said, where it was called", function()
        for _, entries in ipairs { 0, 40000, 32769, 4294967295 } do
            local message, line = refusal(entries, 0)
            local start = ("%s:%d: could not initialise queue: Invalid argument"):format(HERE, line)
            assert.equal(start, message:sub(1, #start))
            assert.truthy(message:find("between 1 and 32768", 1, true), message)
        end
    end)

    it("refuses flags that it does not know", function()
        for _, flags in ipairs { 0x80000000, 0x40000000, 4294967295 } do
            local message, line = refusal(4, flags)
            local start = ("%s:%d: could not initialise queue: Invalid argument"):format(HERE, line)
            assert.equal(start, message:sub(1, #start))
        end
        assert.truthy(refusal(4, 0x80000000):find("0x80000000", 1, true))
    end)

    it("passes on flags that it knows", function()
        local ring = luring.queue_init(40000, luring.IORING_SETUP_CLAMP)
        luring.queue_exit(ring)
    end)

    it("takes an argument out of a C unsigned's range for an error", function()
        for _, wrong in ipairs { -1, 4294967296, 2 ^ 53 } do
            for position = 1, 2 do
                local arguments = { 4, 0 }
                arguments[position] = wrong
                local message = refusal(arguments[1], arguments[2])
                local expected = "bad argument #" .. position .. " to 'queue_init' (must be between 0 and 4294967295)"
                assert.truthy(message:find(expected, 1, true), message)
            end
        end
    end)

    it("leaves no descriptor behind when it fails", function()
        local before = luring.open_file("/dev/null", "r")
        luring.close_fd(before)
        for _ = 1, 10 do refusal(0, 0) end
        local after = luring.open_file("/dev/null", "r")
        luring.close_fd(after)
        assert.equal(before, after)
    end)

    it("says when there are no descriptors left", function()
        local fd = luring.open_file("/dev/null", "r")
        luring.close_fd(fd)
        local limit = host.limit(fd)
        local ok, message = pcall(luring.queue_init, 4, 0)
        host.limit(limit)
        assert.is_false(ok)
        local said = "could not initialise queue: " .. luring.strerror(luring.EMFILE)
        assert.truthy(message:find(said, 1, true), message)
    end)
end)

describe("submit", function()
    local ring
    before_each(function() ring = luring.queue_init(4, 0) end)
    after_each(function() luring.queue_exit(ring) end)

    it("returns how many actions it submitted", function()
        assert.equal(0, luring.submit(ring))
        local from, to = drive.idle_pipe()
        for n = 1, 4 do
            for _ = 1, n do assert.truthy(luring.read(ring, from, 1, -1)) end
            assert.equal(n, luring.submit(ring))
            assert.equal(0, luring.submit(ring))
        end
        drive.close(from, to)
    end)

    it("and submit_and_wait return exactly one value", function()
        assert.equal(1, select("#", luring.submit(ring)))
        assert.equal(1, select("#", luring.submit_and_wait(ring, 0)))
    end)

    it("is submit_and_wait for 0 completions", function()
        local from, to = drive.idle_pipe()
        assert.truthy(luring.read(ring, from, 1, -1))
        assert.equal(1, luring.submit_and_wait(ring, 0))
        assert.equal(0, luring.submit_and_wait(ring, 0))
        drive.close(from, to)
    end)

    it("waits for as many completions as it is told", function()
        local from, to = drive.idle_pipe()
        for _ = 1, 3 do assert.truthy(luring.write(ring, to, "x", -1)) end
        assert.equal(3, luring.submit_and_wait(ring, 3))
        local bytes = drive.one(ring, "read", from, 10, -1)
        assert.equal(3, bytes)
        drive.close(from, to)
    end)

    it("is interrupted by a signal, and can be called again", function()
        local from, to = drive.idle_pipe()
        local got
        luring.read(ring, from, 10, -1, function(cqe, res, result)
            luring.cqe_seen(ring, cqe)
            got = { res, result }
        end)
        assert.equal(1, luring.submit(ring))
        for _ = 1, 3 do
            host.alarm(20)
            assert.equal(-4, luring.submit_and_wait(ring, 1))
            assert.equal(-11, luring.do_cqes(ring))
            assert.is_nil(got)
        end
        luring.write(ring, to, "later", -1)
        assert.equal(1, luring.submit_and_wait(ring, 2))
        assert.equal(-11, luring.do_cqes(ring))
        assert.same({ 5, "later" }, got)
        drive.close(from, to)
    end)
end)

describe("a full queue", function()
    local ring, from, to
    before_each(function()
        ring = luring.queue_init(2, 0)
        from, to = drive.idle_pipe()
        for _ = 1, 2 do assert.equal("userdata", type(luring.read(ring, from, 1, -1))) end
    end)
    after_each(function()
        luring.queue_exit(ring)
        drive.close(from, to)
    end)

    it("makes every action nil, and only nil", function()
        local actions = {
            { "read", from, 1, -1 }, { "write", to, "x", -1 }, { "recv", from, 1, 0 }, { "send", to, "x", 0 },
            { "accept", from, 0 },
        }
        for _, action in ipairs(actions) do
            local function call() return luring[action[1]](ring, (unpack or table.unpack)(action, 2)) end
            assert.is_nil(call(), action[1])
            assert.equal(1, select("#", call()), action[1])
        end
        assert.equal(2, luring.submit(ring))
    end)

    it("still looks at the arguments first", function()
        assert.has_error(function() luring.read(ring, "x", 1, -1) end)
        assert.has_error(function() luring.read(ring, from, 1, -1, 5) end)
    end)

    it("has room again after a submit", function()
        assert.is_nil(luring.write(ring, to, "x", -1))
        assert.equal(2, luring.submit(ring))
        assert.equal("userdata", type(luring.write(ring, to, "x", -1)))
    end)

    it("keeps no callback", function()
        local kept = setmetatable({}, { __mode = "k" })
        for i = 1, 10 do
            local function callback() return i end
            kept[callback] = true
            assert.is_nil(luring.read(ring, from, 1000, -1, callback))
            assert.is_nil(luring.write(ring, to, "x", -1, callback))
        end
        drive.collect()
        assert.is_nil(next(kept))
    end)

    it("keeps no content, and no buffer", function()
        drive.collect()
        local before = collectgarbage("count")
        for i = 1, 20 do assert.is_nil(luring.write(ring, to, tostring(i):rep(1024 * 1024) .. "x", -1)) end
        drive.collect()
        assert.is_true(collectgarbage("count") - before < 1024)
        for _ = 1, 10000 do assert.is_nil(luring.read(ring, from, 4294967295, -1)) end
    end)
end)

describe("queue_exit", function()
    it("returns nothing, and may be called again", function()
        local ring = luring.queue_init(4, 0)
        for _ = 1, 3 do assert.equal(0, select("#", luring.queue_exit(ring))) end
    end)

    it("makes every other call with the ring an argument error", function()
        local ring = luring.queue_init(4, 0)
        luring.queue_exit(ring)
        local calls = {
            submit = {}, submit_and_wait = { 0 }, do_cqes = {}, cqe_seen = { host.light(1) },
            read = { 0, 1, -1 }, write = { 1, "x", -1 }, recv = { 0, 1, 0 }, send = { 1, "x", 0 }, accept = { 0, 0 },
        }
        for name, arguments in pairs(calls) do
            local ok, message = pcall(function()
                local result = luring[name](ring, (unpack or table.unpack)(arguments))
                return result
            end)
            assert.is_false(ok, name)
            assert.truthy(message:find("^.*bad argument #1 to '.*' %(the ring has been exited%)$"), message)
        end
    end)

    it("closes the ring's descriptor", function()
        local fd = luring.open_file("/dev/null", "r")
        luring.close_fd(fd)
        luring.queue_exit(luring.queue_init(4, 0))
        local again = luring.open_file("/dev/null", "r")
        luring.close_fd(again)
        assert.equal(fd, again)
    end)

    it("drops what was not submitted", function()
        -- A send happens with its submit, whatever the ring does next; a write to a file may wait
        -- for the kernel's workers, where a cancellation can still find it.
        local path = os.tmpname()
        local fd = luring.open_file(path, "w+")
        local one, other = luring.socketpair()
        for queued = 1, 4 do
            local ring = luring.queue_init(4, 0)
            local called = false
            for _ = 2, queued do luring.write(ring, fd, "never", 0, function() called = true end) end
            luring.send(ring, one, "never", 0, function() called = true end)
            luring.queue_exit(ring)
            assert.is_false(called)
            assert.equal("", drive.contents(path))
            local after = luring.queue_init(1, 0)
            assert.same({ -luring.EAGAIN, "" }, { drive.one(after, "recv", other, 100, luring.MSG_DONTWAIT) })
            luring.queue_exit(after)
        end
        drive.close(fd, one, other)
        os.remove(path)
    end)

    it("drops what a submit has left in the queue", function()
        local one, other = luring.socketpair()
        local ring = luring.queue_init(4, 0)
        local kept = setmetatable({}, { __mode = "k" })
        local function queue()
            for _ = 1, 3 do
                local function callback() return ring end
                kept[callback] = true
                luring.send(ring, one, ("never"):rep(1000), 0, callback)
            end
        end
        assert.truthy(luring.accept(ring, one, 1)) -- flags that the kernel doesn't know: its submit ends there
        queue()
        assert.equal(1, luring.submit(ring))
        luring.queue_exit(ring)
        drive.collect()
        assert.is_nil(next(kept))
        local after = luring.queue_init(1, 0)
        assert.same({ -luring.EAGAIN, "" }, { drive.one(after, "recv", other, 100, luring.MSG_DONTWAIT) })
        luring.queue_exit(after)
        drive.close(one, other)
    end)

    it("calls no callback, and lets go of them all", function()
        local ring = luring.queue_init(16, 0)
        local from, to = drive.idle_pipe()
        local called = 0
        local kept = setmetatable({}, { __mode = "k" })
        local function action(fd, submit)
            local function callback() called = called + 1 + fd end
            kept[callback] = true
            luring.read(ring, fd, 10, -1, callback)
            if submit then luring.submit(ring) end
        end
        action(from, true)
        action(-1, true) -- completed at once
        action(from, false)
        luring.queue_exit(ring)
        drive.collect()
        assert.equal(0, called)
        assert.is_nil(next(kept))
        drive.close(from, to)
    end)

    it("leaves nothing in flight: what comes later is there for others", function()
        local ends = { luring.queue_exit, function(ring) debug.getmetatable(ring).__gc(ring) end }
        for _, ending in ipairs(ends) do
            for _ = 1, 20 do
                local from, to = drive.idle_pipe()
                local ring, other = luring.queue_init(4, 0), luring.queue_init(4, 0)
                luring.read(ring, from, 100, -1)
                assert.equal(1, luring.submit(ring))
                ending(ring)
                drive.one(other, "write", to, "still here", -1)
                assert.same({ 10, "still here" }, { drive.one(other, "read", from, 100, -1) })
                luring.queue_exit(other)
                drive.close(from, to)
            end
        end
    end)

    it("frees the buffers of what was in flight", function()
        if child.wrapper ~= "" then return pending("a checker keeps what is freed for a while") end
        local function mapped() return drive.mapped() / 1024 end -- MiB
        local from, to = drive.idle_pipe()
        local before
        for i = 1, 50 do
            local ring = luring.queue_init(4, 0)
            luring.read(ring, from, 16 * 2 ^ 20, -1)
            assert.equal(1, luring.submit(ring))
            luring.queue_exit(ring)
            if i == 10 then before = mapped() end
        end
        assert.is_true(mapped() - before < 64, "40 buffers of 16 MiB: " .. mapped() - before)
        drive.close(from, to)
    end)

    it("is what the collector does", function()
        local fd = luring.open_file("/dev/null", "r")
        luring.close_fd(fd)
        for _ = 1, 5 do luring.queue_init(4, 0) end
        drive.collect()
        local again = luring.open_file("/dev/null", "r")
        luring.close_fd(again)
        assert.equal(fd, again)
    end)
end)
