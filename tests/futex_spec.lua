-- luacheck: ignore 311 (what is let go of is set to nil)
-- Futexes: words of shared buffers that actions wait for.

local luring = require "luring"
local drive = require "drive"
local host = require "host"

local ANY, U32 = luring.FUTEX_BITSET_MATCH_ANY, luring.FUTEX2_SIZE_U32

-- A spec that is skipped, and says why, where this build or the kernel has no futexes.
local function with(name, body)
    it(name, function()
        for _, needed in ipairs { "futex_wait", "futex_wake", "futex_waitv" } do
            if not luring.can(needed) then return pending("no " .. needed .. " here") end
        end
        body()
    end)
end

describe("futexes:", function()
    local ring, b, got
    before_each(function()
        ring = luring.queue_init(16, 0)
        b = luring.buffer(16, { shared = true })
        got = {}
    end)
    after_each(function() luring.queue_exit(ring) end)

    local function note(cqe, res)
        luring.cqe_seen(ring, cqe)
        got[#got + 1] = res
    end

    local function wait(buffer, k, value, mask, flags)
        assert(ring:futex_wait(buffer, k, value, mask or ANY, flags or U32, 0, note))
    end

    local function wake(buffer, k, count, mask, flags)
        return (drive.one(ring, "futex_wake", buffer, k, count, mask or ANY, flags or U32, 0))
    end

    with("futex_wait waits until its word is woken", function()
        b:store32(2, 7)
        wait(b, 2, 7)
        ring:submit()
        assert.equal(0, wake(b, 1, 10))
        assert.equal(0, wake(b, 3, 10))
        assert.same({}, got)
        assert.equal(1, wake(b, 2, 10))
        while #got < 1 do drive.turn(ring) end
        assert.same({ 0 }, got)
    end)

    with("futex_wait is -EAGAIN where the word is another already", function()
        b:store32(4, 2 ^ 32 - 1)
        wait(b, 4, 1)
        drive.turn(ring)
        assert.same({ -luring.EAGAIN }, got)
        wait(b, 4, -1)
        wait(b, 4, 2 ^ 32 - 1)
        ring:submit()
        assert.equal(2, wake(b, 4, 10))
    end)

    with("futex_wake wakes as many as it says, and those whose masks meet its own", function()
        for i = 0, 2 do wait(b, 1, 0, 2 ^ i) end
        ring:submit()
        assert.equal(0, wake(b, 1, 10, 8))
        assert.equal(0, wake(b, 1, 0))
        assert.equal(1, wake(b, 1, 10, 2 + 8))
        assert.equal(1, wake(b, 1, 1))
        assert.equal(1, wake(b, 1, 2 ^ 31 - 1))
        while #got < 3 do drive.turn(ring) end
        assert.same({ 0, 0, 0 }, got)
    end)

    with("a view's words count from its own first", function()
        wait(b:view(5, 12), 1, 0)
        ring:submit()
        assert.equal(0, wake(b, 1, 1))
        assert.equal(1, wake(b:view(5, 8), 1, 1))
    end)

    with("a private futex is woken by private ones only", function()
        wait(b, 1, 0, ANY, U32 + luring.FUTEX2_PRIVATE)
        ring:submit()
        assert.equal(0, wake(b, 1, 1))
        assert.equal(1, wake(b, 1, 1, ANY, U32 + luring.FUTEX2_PRIVATE))
    end)

    with("what the kernel refuses is -EINVAL", function()
        assert.equal(-luring.EINVAL, wake(b, 1, 1, ANY, luring.FUTEX2_SIZE_U8))
        assert.equal(-luring.EINVAL, (drive.one(ring, "futex_wake", b, 1, 1, ANY, U32, 1)))
        wait(b, 1, 0, 0)
        drive.turn(ring)
        assert.equal(-luring.EINVAL, got[1])
        assert.equal(-luring.EINVAL, (drive.one(ring, "futex_waitv", {}, 0)))
    end)

    with("a child that was forked wakes its parent", function()
        wait(b, 1, 0)
        ring:submit()
        local pid = host.fork()
        if pid == 0 then
            local ok, woken = pcall(function()
                b:store32(1, 5)
                return (drive.one(luring.queue_init(4, 0), "futex_wake", b, 1, 1, ANY, U32, 0))
            end)
            host.exit(ok and woken == 1 and 0 or 1)
        end
        while #got < 1 do drive.turn(ring) end
        assert.same({ 0 }, got)
        assert.equal(5, b:load32(1))
        assert.equal(0, host.wait(pid))
    end)

    with("futex_waitv says which of several was woken", function()
        local other = luring.buffer(4096, { shared = true })
        other:store32(1024, 9)
        local list = { { b, 1, value = 0 }, { other, 1024, value = 9 }, { b, 3, value = 0, flags = U32 } }
        for place, futex in ipairs(list) do
            got = {}
            assert(ring:futex_waitv(list, 0, note))
            ring:submit()
            assert.equal(0, wake(b, 2, 1))
            assert.equal(1, wake(futex[1], futex[2], 1))
            while #got < 1 do drive.turn(ring) end
            assert.same({ place - 1 }, got)
        end
        list[2].value = 8
        assert.equal(-luring.EAGAIN, (drive.one(ring, "futex_waitv", list, 0)))
    end)

    with("futex_waitv takes 128, and the list is as it was when it was queued", function()
        local many = luring.buffer(512, { shared = true })
        local list = {}
        for k = 1, 128 do list[k] = { many, k, value = 0 } end
        -- A later argument can't run code, but an element can.
        list[128] = setmetatable({ many, 128 }, { __index = function(_, name)
            for k = 1, 127 do list[k] = nil end
            drive.collect()
            return name == "value" and 0 or nil
        end })
        assert(ring:futex_waitv(list, 0, note))
        list[128] = nil
        ring:submit()
        assert.equal(1, wake(many, 128, 1))
        while #got < 1 do drive.turn(ring) end
        assert.same({ 127 }, got)
        for k = 1, 129 do list[k] = { many, 1, value = 0 } end
        assert.error_matches(function() ring:futex_waitv(list, 0) end, "more than 128 futexes")
    end)

    with("are cancelled, and end with their ring", function()
        local key = assert(ring:futex_wait(b, 1, 0, ANY, U32, 0, note))
        assert(ring:futex_waitv({ { b, 1, value = 0 }, { b, 2, value = 0 } }, 0, note))
        ring:submit()
        -- The kernel counts the futexes that it cancels.
        assert.is_true(drive.one(ring, "cancel", key, 0) >= 0)
        while #got < 1 do drive.turn(ring) end
        assert.same({ -luring.ECANCELED }, got)
        assert.equal(1, ring:in_flight())
        luring.queue_exit(ring)
        ring = luring.queue_init(16, 0)
        assert.equal(0, wake(b, 1, 10))
    end)

    with("keep their buffers until they end, and no longer", function()
        -- Mappings of this size are the buffers'.
        local function count()
            drive.collect()
            local n = 0
            for line in io.lines "/proc/self/maps" do
                local first, last = line:match "^(%x+)-(%x+)"
                if tonumber(last, 16) - tonumber(first, 16) == 37 * 2 ^ 20 then n = n + 1 end
            end
            return n
        end
        local function buffer() return luring.buffer(37 * 2 ^ 20, { shared = true }) end
        wait(buffer(), 1, 0)
        local one = buffer()
        local list = { { one, 1, value = 0 }, { buffer(), 1, value = 0 }, { one, 2, value = 0 } }
        assert(ring:futex_waitv(list, 0, note))
        one, list = nil, nil
        ring:submit()
        assert.equal(3, count())
        assert.equal(2, (drive.one(ring, "cancel_all")))
        while #got < 2 do drive.turn(ring) end
        assert.equal(0, count())
    end)

    it("say what is wrong", function()
        if not drive.has "futex_wait" then return pending "this liburing has no futexes" end
        local private = luring.buffer(16)
        local function single(...)
            local arguments, n = { ... }, select("#", ...)
            return function() ring:futex_wait((unpack or table.unpack)(arguments, 1, n)) end
        end
        local function several(...)
            local list = { { b, 1, value = 0 }, ... }
            return function() ring:futex_waitv(list, 0) end
        end
        local cases = {
            { single(private, 1, 0, ANY, U32, 0), "bad argument #1 .*only a shared buffer has words" },
            { single(b:view(2), 1, 0, ANY, U32, 0), "bad argument #1 .*the view does not begin at a word" },
            { single(b:view(1, 3), 1, 0, ANY, U32, 0), "bad argument #1 .*shorter than a word" },
            { single("x", 1, 0, ANY, U32, 0), "bad argument #1 .*luring.buffer expected, got string" },
            { single(b, 5, 0, ANY, U32, 0), "bad argument #2 .*must be between 1 and 4" },
            { single(b, 0, 0, ANY, U32, 0), "bad argument #2 .*must be between 1 and 4" },
            { single(b, 1, 2 ^ 32, ANY, U32, 0), "bad argument #3 .*must be between %-2147483648 and 4294967295" },
            { single(b, 1, 0, -1, U32, 0), "bad argument #4" },
            { several(5), "bad argument #1 .*element 2 must be {b, k, value=, flags=}" },
            { several {}, "bad argument #1 .*a buffer is missing" },
            { several { private, 1, value = 0 }, "only a shared buffer has words" },
            { several { b, 5, value = 0 }, "element 2: the word must be between 1 and 4" },
            { several { b, value = 0 }, "element 2: the word must be between 1 and 4" },
            { several { b, 1 }, "field 'value' must be an integer from %-2147483648 to 4294967295" },
            { several { b, 1, value = 0, flags = -1 }, "field 'flags' must be an integer from 0 to 4294967295" },
        }
        for _, case in ipairs(cases) do assert.error_matches(case[1], case[2]) end
        assert.equal(0, ring:submit())
    end)
end)
