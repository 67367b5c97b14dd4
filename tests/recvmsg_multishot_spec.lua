-- Messages that come one after the other into buffers of a group.

local luring = require "luring"
local drive = require "drive"

-- A spec that is skipped, and says why, where this build or the kernel has not what it needs.
local function with(name, body)
    it(name, function()
        if not luring.can "recvmsg_multishot" then return pending "no recvmsg_multishot here" end
        body()
    end)
end

describe("recvmsg_multishot", function()
    local ring, group, server, address, client, got
    before_each(function()
        ring = luring.queue_init(32, 0)
        group = luring.buf_ring(ring, 4, 512)
        server = luring.udp_bind { family = luring.AF_INET, addr = "127.0.0.1", port = 0 }
        address = luring.getsockname(server)
        client = luring.udp_bind { family = luring.AF_INET, addr = "127.0.0.1", port = 0 }
        got = {}
    end)
    after_each(function()
        luring.queue_exit(ring)
        drive.close(server, client)
    end)

    local function note(cqe, res, value, flags)
        got[#got + 1] = { res = res, value = value, more = luring.more(flags) }
        luring.cqe_seen(ring, cqe)
    end

    local function arm(fd, inbox, flags)
        local key = assert(ring:recvmsg_multishot(fd, inbox, flags or 0, note))
        ring:submit()
        return key
    end

    local function send(text) assert.equal(#text, (drive.one(ring, "sendto", client, text, 0, address))) end

    local function await(n)
        while #got < n do drive.turn(ring) end
    end

    with("brings each message with its sender, and has its buffers back", function()
        arm(server, group)
        for i = 1, 20 do
            local text = ("message %d"):format(i):rep(i)
            send(text)
            await(i)
            local one = got[i]
            assert.equal(#text, one.res)
            assert.equal(text, one.value.data)
            assert.same(luring.getsockname(client), one.value.addr)
            assert.equal(0, one.value.flags % luring.MSG_CMSG_CLOEXEC)
            assert.is_nil(one.value.control)
            assert.is_nil(one.value.fds)
            assert.is_true(one.more)
            drive.collect()
        end
        assert.equal(1, ring:in_flight())
        assert.equal(4, group:available())
    end)

    with("brings what came together", function()
        arm(server, { group = group, name = false })
        for i = 1, 3 do ring:sendto(client, "text" .. i, 0, address) end
        ring:submit()
        await(3)
        for i = 1, 3 do
            assert.equal("text" .. i, got[i].value.data)
            assert.is_nil(got[i].value.addr)
        end
    end)

    with("says what was cut off", function()
        arm(server, group)
        send(("x"):rep(512))
        await(1)
        assert.equal(512 - 16 - 128, got[1].res)
        assert.equal(("x"):rep(512 - 16 - 128), got[1].value.data)
        assert.equal(luring.MSG_TRUNC, got[1].value.flags % (2 * luring.MSG_TRUNC))
        drive.one(ring, "cancel_all")
        await(2)
        assert.same({ res = -luring.ECANCELED, more = false }, got[2])

    end)

    with("shows nothing that was in a buffer before, as MSG_TRUNC would", function()
        local one, other = luring.socketpair()
        arm(other, group, luring.MSG_TRUNC)
        for i = 1, 8 do
            assert.equal(3, (drive.one(ring, "send", one, "abc", 0)))
            await(i)
            assert.equal(3, got[i].res)
            assert.equal("abc", got[i].value.data)
        end
        drive.close(one, other)

        local listener = luring.tcp_listen { family = luring.AF_INET, addr = "127.0.0.1", port = 0 }
        local peer = luring.tcp_connect(luring.getsockname(listener))
        local accepted = drive.one(ring, "accept", listener, 0)
        got = {}
        arm(accepted, group, luring.MSG_TRUNC)
        assert.equal(3, (drive.one(ring, "send", peer, "xyz", 0)))
        await(1)
        assert.equal(3, got[1].res)
        assert.equal("xyz", got[1].value.data)
        drive.close(listener, peer, accepted)
    end)

    with("ends with an empty message, which it brings", function()
        arm(server, group)
        send ""
        await(1)
        assert.equal(0, got[1].res)
        assert.equal("", got[1].value.data)
        assert.same(luring.getsockname(client), got[1].value.addr)
        assert.is_false(got[1].more)
        assert.equal(4, group:available())
        assert.equal(0, ring:in_flight())
        assert.equal(0, group:close())
    end)

    with("ends when no buffer is left, and goes on when armed again", function()
        local small = luring.buf_ring(ring, 1, 200)
        small:manual(true)
        arm(server, small)
        send "a"
        await(1)
        send "b"
        await(2)
        assert.same({ res = -luring.ENOBUFS, more = false }, got[2])
        small:give(got[1].value.data)
        arm(server, small)
        await(3)
        assert.equal("b", got[3].value.data:sub())
    end)

    with("brings descriptors and control data", function()
        local one, other = luring.socketpair(luring.AF_UNIX, luring.SOCK_DGRAM, 0)
        local from, to = drive.idle_pipe()
        arm(other, { group = group, control = 64 })
        assert.equal(2, (drive.one(ring, "sendmsg", one, { data = "fd", fds = { to } }, 0)))
        await(1)
        local value = got[1].value
        assert.equal("fd", value.data)
        assert.equal(1, #value.fds)
        assert.equal(1, (drive.one(ring, "write", value.fds[1], "x", -1)))
        assert.same({ 1, "x" }, { drive.one(ring, "read", from, 9, -1) })
        drive.close(value.fds[1])

        luring.setsockopt(server, luring.SOL_SOCKET, luring.SO_TIMESTAMP or 29, 1) -- 32 bits: no number, for C
        arm(server, { group = group, control = 64 })
        send "stamp"
        await(2)
        assert.equal("stamp", got[2].value.data)
        assert.equal(luring.SOL_SOCKET, got[2].value.control[1].level)
        assert.is_true(#got[2].value.control[1].data >= 8)
        drive.close(one, other, from, to)
    end)

    with("closes descriptors that nobody gets", function()
        local one, other = luring.socketpair(luring.AF_UNIX, luring.SOCK_DGRAM, 0)
        local from, to = drive.idle_pipe()
        local before = drive.descriptors "pipe"
        -- Without a callback; and for a ring that ends before the callback is called.
        ring:recvmsg_multishot(other, { group = group, control = 64 }, 0)
        for _ = 1, 3 do drive.one(ring, "sendmsg", one, { data = "fd", fds = { from, to } }, 0) end
        drive.turn(ring, 0)
        assert.equal(before, drive.descriptors "pipe")
        assert.equal(1, ring:in_flight())
        drive.one(ring, "cancel_all")
        while ring:in_flight() > 0 do drive.turn(ring) end

        ring:recvmsg_multishot(other, { group = group, control = 64 }, 0, note)
        ring:sendmsg(one, { data = "fd", fds = { from, to } }, 0)
        ring:submit_and_wait(2)
        assert.equal(before + 2, drive.descriptors "pipe")
        luring.queue_exit(ring)
        assert.equal(before, drive.descriptors "pipe")
        assert.same({}, got)
        ring = luring.queue_init(4, 0)
        drive.close(one, other, from, to)
    end)

    with("gives views of a manual group, which go back when they are sent", function()
        group:manual(true)
        arm(server, group)
        send "hello, world"
        await(1)
        local value = got[1].value
        assert.equal(12, got[1].res)
        assert.equal("hello, world", value.data:sub())
        assert.same(luring.getsockname(client), value.addr)
        assert.equal(3, group:available())
        assert.equal(12, (drive.one(ring, "sendto", server, value.data, 0, value.addr)))
        assert.same({ 12, "hello, world" }, { drive.one(ring, "recv", client, 99, 0) })
        assert.equal(4, group:available())
        assert.error_matches(function() value.data:sub() end, "gone back")
        send "again"
        await(2)
        group:give(got[2].value.data)
        assert.equal(4, group:available())
        send "collected"
        await(3)
        assert.equal(3, group:available())
        got[3] = nil
        value = nil -- luacheck: ignore
        drive.collect()
        assert.equal(4, group:available())
    end)

    with("delivers a message again that was not seen, with the same view", function()
        for _, manual in ipairs { false, true } do
            group:manual(manual)
            local values = {}
            local key = assert(ring:recvmsg_multishot(server, group, 0, function(cqe, res, value)
                if res < 0 then return luring.cqe_seen(ring, cqe) end
                values[#values + 1] = value
                drive.collect()
                if #values == 3 then luring.cqe_seen(ring, cqe) end
            end))
            ring:submit()
            send "same"
            while #values < 3 do drive.turn(ring) end
            for i = 1, 3 do
                assert.equal("same", manual and values[i].data:sub() or values[i].data)
                assert.equal(values[1].data, values[i].data)
                assert.same(values[1].addr, values[i].addr)
            end
            drive.one(ring, "cancel", key, 0)
            while ring:in_flight() > 0 do drive.turn(ring) end
        end
    end)

    with("bears finalizers that end its ring or its group", function()
        for _, manual in ipairs { false, true } do
            for place = 1, 12 do
                local own = luring.queue_init(8, 0)
                local inbox = luring.buf_ring(own, 2, 65536)
                inbox:manual(manual)
                local seen
                own:recvmsg_multishot(server, inbox, 0, function(_, _, value)
                    seen = manual and value.data:sub() or value.data
                end)
                own:submit()
                local text = ("0123456789"):rep(3000)
                send(text)
                own:submit_and_wait(1)
                drive.ambush(place, function() luring.queue_exit(own) end, function(owe)
                    owe()
                    own:do_cqes(1)
                end)
                assert.is_true(seen == nil or seen == text)
                luring.queue_exit(own)
                while drive.one(ring, "recv", server, 1, luring.MSG_DONTWAIT) >= 0 do end -- luacheck: ignore
            end
        end
    end)

    with("loses no descriptor when a finalizer ends its ring, or has it delivered", function()
        local one, other = luring.socketpair(luring.AF_UNIX, luring.SOCK_DGRAM, 0)
        for _, manual in ipairs { false, true } do
            for place = 1, 12 do
                for _, exits in ipairs { true, false } do
                    local before = drive.descriptors "socket"
                    local own = luring.queue_init(8, 0)
                    local inbox = luring.buf_ring(own, 2, 512)
                    inbox:manual(manual)
                    local closed = 0
                    own:recvmsg_multishot(other, { group = inbox, control = 64 }, 0, function(cqe, _, value)
                        -- The finalizer may have got it before this has seen it.
                        if not pcall(luring.cqe_seen, own, cqe) and not exits then return end
                        closed = closed + 1
                        drive.close(value.fds[1])
                    end)
                    own:submit()
                    drive.one(ring, "sendmsg", one, { data = "x", fds = { one } }, 0)
                    own:submit_and_wait(0)
                    drive.ambush(place, function()
                        if exits then luring.queue_exit(own) else own:do_cqes() end
                    end, function(owe)
                        owe()
                        own:do_cqes()
                    end)
                    assert.is_true(closed <= 1)
                    luring.queue_exit(own)
                    assert.equal(before, drive.descriptors "socket")
                end
            end
        end
        drive.close(one, other)
    end)

    it("says what is wrong", function()
        if not drive.has "recvmsg_multishot" then return pending "this liburing has no recvmsg_multishot" end
        local function call(inbox, flags)
            return function() luring.recvmsg_multishot(ring, server, inbox, flags or 0) end
        end
        local incremental = luring.buf_ring(ring, 4, 512, luring.IOU_PBUF_RING_INC)
        local small = luring.buf_ring(ring, 4, 144)
        local elsewhere = luring.queue_init(4, 0)
        assert.error_matches(call(512), "bad argument #3 .*luring.buf_ring expected, got number")
        assert.error_matches(call {}, "field 'group' must be a luring.buf_ring")
        assert.error_matches(call { group = 5 }, "field 'group' must be a luring.buf_ring")
        assert.error_matches(call { group = group, control = -1 }, "field 'control' must be an integer from 0 to 65535")
        assert.error_matches(call { group = group, name = 5 }, "field 'name' must be a boolean")
        assert.error_matches(call { group = group, size = 5 }, "unknown field 'size'")
        assert.error_matches(call { group = group, control = 500 }, "buffers must be larger than 656 bytes")
        assert.error_matches(call(small), "buffers must be larger than 144 bytes")
        if type(incremental) == "userdata" then
            assert.error_matches(call(incremental), "an incremental group takes no messages")
        end
        assert.error_matches(call(luring.buf_ring(elsewhere, 1, 512)), "the group is another ring's")
        assert.error_matches(call(group, "x"), "bad argument #4")
        luring.queue_exit(elsewhere)
        assert.equal(0, ring:submit())
    end)
end)
