-- luacheck: ignore 311 (what is let go of is set to nil)
-- Actions on registered buffers beside read_fixed and write_fixed: several at once, and zero-copy sends.

local luring = require "luring"
local drive = require "drive"

-- A spec that is skipped, and says why, where this build or the kernel has not what it needs.
local function with(needed, name, body)
    it(name, function()
        if not luring.can(needed) then return pending("no " .. needed .. " here") end
        body()
    end)
end

-- Mappings of this size are the large buffers', beside what the process had before.
local LARGE = 39 * 2 ^ 20
local had = 0
local function count()
    drive.collect()
    local n = -had
    for line in io.lines "/proc/self/maps" do
        local first, last = line:match "^(%x+)-(%x+)"
        if tonumber(last, 16) - tonumber(first, 16) >= LARGE then n = n + 1 end
    end
    return n
end

describe("readv_fixed and writev_fixed", function()
    local ring, b, from, to
    before_each(function()
        had = 0
        had = count()
        ring = luring.queue_init(16, 0)
        b = luring.buffer(8192)
        assert.equal(0, ring:register_buffers { false, b })
        from, to = drive.idle_pipe()
    end)
    after_each(function()
        luring.queue_exit(ring)
        drive.close(from, to)
    end)

    with("writev_fixed", "write views one after the other, and read into others", function()
        b:set(1, "hello, world")
        assert.equal(8, (drive.one(ring, "writev_fixed", to, { b:view(8, 12), b:view(1, 3) }, -1, 0, 1)))
        local one, two = b:view(4001, 4002), b:view(8001, 8192)
        local res, value, flags = drive.one(ring, "readv_fixed", from, { one, two }, -1, 0, 1)
        assert.equal(8, res)
        assert.is_nil(value)
        assert.equal("number", type(flags))
        assert.equal("wo", one:sub())
        assert.equal("rldhel", two:sub(1, 6))
    end)

    with("writev_fixed", "take offsets and flags, and the whole buffer", function()
        local path = os.tmpname()
        local file = luring.open_file(path, luring.O_RDWR)
        b:set(1, ("0123456789"):rep(819))
        assert.equal(8192, (drive.one(ring, "writev_fixed", file, { b }, 3, 0, 1)))
        assert.equal(8195, #drive.contents(path))
        assert.equal(2, (drive.one(ring, "readv_fixed", file, { b:view(1, 1), b:view(5, 5) }, 4, 0, 1)))
        assert.equal("1123256", b:sub(1, 7))
        assert.is_true(drive.one(ring, "readv_fixed", file, { b:view(1, 1) }, 4, 2 ^ 30, 1) < 0)
        assert.equal(0, (drive.one(ring, "readv_fixed", file, {}, 4, 0, 1)))
        drive.close(file)
        os.remove(path)
    end)

    with("writev_fixed", "are as many as 1024", function()
        local list, text = {}, {}
        for i = 1, 1024 do
            list[i], text[i] = b:view(i % 100 + 1, i % 100 + 1), ("%c"):format(i % 100 + 1)
        end
        b:set(1, ("x"):rep(200))
        for i = 1, 100 do b:set(i, ("%c"):format(i)) end
        -- With a stack of its own, which is small.
        assert(coroutine.wrap(function() return ring:writev_fixed(to, list, -1, 0, 1) end)())
        drive.turn(ring)
        local res, data = drive.one(ring, "read", from, 2000, -1)
        assert.same({ 1024, table.concat(text) }, { res, data })
    end)

    with("writev_fixed", "are -EFAULT where the views don't lie in the slot's buffer", function()
        local list = { b:view(1, 2), b:view(3, 4) }
        assert.equal(-luring.EFAULT, (drive.one(ring, "writev_fixed", to, list, -1, 0, 0)))
        assert.equal(-luring.EFAULT, (drive.one(ring, "writev_fixed", to, list, -1, 0, 2)))
        assert.equal(-luring.EFAULT, (drive.one(ring, "writev_fixed", to, { b, luring.buffer(2) }, -1, 0, 1)))
    end)

    with("writev_fixed", "give -EPIPE, never a signal, when the reader is gone", function()
        drive.close(from)
        assert.equal(-luring.EPIPE, (drive.one(ring, "writev_fixed", to, { b:view(1, 2) }, -1, 0, 1)))
        from, to = drive.idle_pipe()
    end)

    with("readv_fixed", "have what they fill and read for themselves, and nothing else", function()
        local done
        assert(ring:readv_fixed(from, { b:view(11, 20), b:view(31, 40) }, -1, 0, 1, function(cqe)
            ring:cqe_seen(cqe)
            done = true
        end))
        ring:submit()
        for _, place in ipairs { 11, 20, 31, 40 } do
            assert.error_matches(function() b:sub(place, place) end, "an action in flight is filling these bytes")
            assert.error_matches(function() b:set(place, "x") end, "an action in flight is filling these bytes")
        end
        for _, place in ipairs { 10, 21, 30, 41 } do b:set(place, "x") end
        assert.equal(1, (drive.one(ring, "write", to, "y", -1)))
        while not done do drive.turn(ring) end
        assert.equal("xy", b:sub(10, 11))

        assert(ring:writev_fixed(to, { b:view(10, 10), b:view(11, 12) }, -1, 0, 1))
        assert.error_matches(function() b:set(12, "x") end, "an action in flight is reading these bytes")
        assert.equal("xy", b:sub(10, 11))
        drive.turn(ring)
        b:set(12, "x")
    end)

    with("readv_fixed", "keep their buffers until they end, and the list may change", function()
        local done
        assert.equal(0, ring:unregister_buffers())
        local large = luring.buffer(LARGE)
        assert.equal(0, ring:register_buffers { large })
        local list = { large:view(1, 1), large:view(3, 3) }
        assert(ring:readv_fixed(from, list, -1, 0, 0, function(cqe)
            ring:cqe_seen(cqe)
            done = true
        end))
        list[1], list[2], large = nil, nil, nil
        ring:submit()
        assert.equal(0, ring:unregister_buffers())
        assert.equal(1, count())
        assert.equal(2, (drive.one(ring, "write", to, "ab", -1)))
        while not done do drive.turn(ring) end
        assert.equal(0, count())
    end)

    it("say what is wrong", function()
        if not drive.has "readv_fixed" then return pending "this liburing has no readv_fixed" end
        for _, name in ipairs { "readv_fixed", "writev_fixed" } do
            local function call(list, index)
                return function() luring[name](ring, to, list, -1, 0, index or 1) end
            end
            assert.error_matches(call { b, "x" }, "bad argument #3 .*element 2 is no buffer")
            assert.error_matches(call { b, 5 }, "bad argument #3 .*element 2 is no buffer")
            assert.error_matches(call(b), "table expected, got luring.buffer")
            assert.error_matches(call({ b }, 65536), "bad argument #6 .*must be between 0 and 65535")
            local many = {}
            for i = 1, 1025 do many[i] = b end
            assert.error_matches(call(many), "a list of more than 1024")
        end
        assert.equal(0, ring:submit())
    end)
end)

describe("send_zc_fixed", function()
    local ring, b, client, server
    before_each(function()
        ring = luring.queue_init(16, 0)
        b = luring.buffer(4096)
        assert.equal(0, ring:register_buffers { b })
        local listener = luring.tcp_listen { family = luring.AF_INET, addr = "127.0.0.1", port = 0 }
        client = luring.tcp_connect(luring.getsockname(listener))
        server = drive.one(ring, "accept", listener, 0)
        drive.close(listener)
    end)
    after_each(function()
        luring.queue_exit(ring)
        drive.close(client, server)
    end)

    with("send_zc_fixed", "sends, and keeps the bytes until the notification", function()
        b:set(1, "hello, world")
        local calls = {}
        local usage = luring.IORING_SEND_ZC_REPORT_USAGE
        assert(ring:send_zc_fixed(client, b:view(8, 12), 0, usage, 0, function(cqe, res, value, flags)
            ring:cqe_seen(cqe)
            calls[#calls + 1] = { res, value, luring.more(flags) }
        end))
        assert.error_matches(function() b:set(12, "x") end, "an action in flight is reading these bytes")
        while #calls < 2 do drive.turn(ring) end
        assert.same({ 5, nil, true }, calls[1])
        assert.equal(0, calls[2][1])
        assert.truthy(calls[2][2] == "copied" or calls[2][2] == "zerocopy")
        assert.is_false(calls[2][3])
        b:set(12, "x")
        assert.same({ 5, "world" }, { drive.one(ring, "recv", server, 10, 0) })
    end)

    with("send_zc_fixed", "is an error where the bytes don't lie in the slot's buffer", function()
        assert.equal(-luring.EFAULT, (drive.one(ring, "send_zc_fixed", client, b, 0, 0, 1)))
        assert.equal(-luring.EFAULT, (drive.one(ring, "send_zc_fixed", client, luring.buffer(5), 0, 0, 0)))
        assert.equal(-luring.EFAULT, (drive.one(ring, "send_zc_fixed", client, "string", 0, 0, 0)))
    end)

    with("send_zc_fixed", "to a peer that is gone is -EPIPE", function()
        assert.equal(0, (drive.one(ring, "shutdown", client, luring.SHUT_WR)))
        assert.equal(-luring.EPIPE, (drive.one(ring, "send_zc_fixed", client, b, 0, 0, 0)))
    end)
end)
