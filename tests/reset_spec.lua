local co = require "luring.co"
local luring = require "luring"
local drive = require "drive"

local RESET = "\1\0\0\0\0\0\0\0" -- struct linger: what is not sent is dropped, and the peer told so

-- Two ends of a TCP connection.
local function pair()
    local server = luring.tcp_listen { family = luring.AF_INET, addr = "127.0.0.1", port = 0 }
    local client = luring.tcp_connect(luring.getsockname(server))
    local ring = luring.queue_init(4, 0)
    local peer = drive.one(ring, "accept", server, 0)
    luring.queue_exit(ring)
    drive.close(server)
    assert(client >= 0 and peer >= 0)
    return client, peer
end

local function reset(fd)
    assert(luring.setsockopt(fd, luring.SOL_SOCKET, luring.SO_LINGER, RESET) == 0)
    luring.close_fd(fd)
end

-- More than a connection takes.
local MUCH = ("x"):rep(32 * 2 ^ 20)

describe("a peer that resets the connection", function()
    local ring, mine, peer
    before_each(function()
        ring = luring.queue_init(16, 0)
        mine, peer = pair()
    end)
    after_each(function()
        luring.queue_exit(ring)
        drive.close(mine)
    end)

    -- What an action that waits gets: each of its results, the last one without more to follow.
    local function results(name, ...)
        local arguments, n, got = { ... }, select("#", ...) + 1, {}
        local over = false
        arguments[n] = function(cqe, res, value, flags)
            luring.cqe_seen(ring, cqe)
            got[#got + 1] = res
            over = type(flags) ~= "number" or not luring.more(flags)
            if type(value) == "string" then got.text = (got.text or "") .. value end
        end
        assert(luring[name](ring, (unpack or table.unpack)(arguments, 1, n)))
        luring.submit(ring)
        assert.equal(-luring.EAGAIN, luring.do_cqes(ring))
        assert.same({}, got, "it waits")
        reset(peer)
        while not over do drive.turn(ring) end
        -- The ring goes on as ever.
        local from, to = drive.idle_pipe()
        assert.equal(5, (drive.one(ring, "write", to, "after", -1)))
        assert.equal("after", select(2, drive.one(ring, "read", from, 10, -1)))
        drive.close(from, to)
        assert.equal(0, luring.in_flight(ring))
        return got
    end

    for name, arguments in pairs {
        recv = { 100, 0 }, read = { 100, -1 }, readv = { { 10, 10 }, -1, 0 }, recvmsg = { 100, 0 },
    } do
        it(("is -ECONNRESET for %s that waits"):format(name), function()
            assert.equal(-luring.ECONNRESET, results(name, mine, (unpack or table.unpack)(arguments))[1])
        end)
    end

    it("is -ECONNRESET for a read into a buffer", function()
        assert.equal(-luring.ECONNRESET, results("recv", mine, luring.buffer(100), 0)[1])
    end)

    it("is -ECONNRESET for a multishot with a group, after what has arrived", function()
        if not luring.can "recv_multishot" or not drive.has "recv_multishot" then
            return pending("this kernel or liburing has none")
        end
        local group = luring.buf_ring(ring, 4, 64)
        assert.same({ -luring.ECONNRESET }, results("recv_multishot", mine, group, 0))
        assert.equal(4, group:available())
    end)

    it("is an error and a hang-up for a poll", function()
        local res = results("poll_add", mine, luring.POLLIN)[1]
        assert.truthy(luring.has(res, luring.POLLERR) and luring.has(res, luring.POLLHUP), res)
    end)

    for name, arguments in pairs {
        send = { MUCH, luring.MSG_WAITALL }, write = { MUCH, -1 }, writev = { { MUCH, "x" }, -1, 0 },
        sendmsg = { { data = MUCH }, luring.MSG_WAITALL },
    } do
        it(("ends a %s that waits for room, and no signal comes"):format(name), function()
            -- Until there is no room: some write a part and are done.
            while drive.one(ring, "send", mine, MUCH, luring.MSG_DONTWAIT) > 0 do end -- luacheck: ignore 542
            local res = results(name, mine, (unpack or table.unpack)(arguments))[1]
            -- What went before is told of by how much; a WAITALL send may have been begun anew.
            assert.is_true(res == -luring.ECONNRESET or res == -luring.EPIPE or res >= 0 and res < #MUCH, res)
            assert.is_true(drive.one(ring, "send", mine, "x", 0) < 0)
        end)
    end

    it("is one result of a chain, whose rest is cancelled", function()
        local got = {}
        local function note(nth)
            return function(cqe, res)
                luring.cqe_seen(ring, cqe)
                got[nth] = res
            end
        end
        local first = luring.recv(ring, mine, 10, 0, note(1))
        local second = luring.send(ring, mine, "never", 0, note(2))
        luring.chain(ring, { first, second })
        luring.submit(ring)
        reset(peer)
        while not got[2] do drive.turn(ring) end
        assert.same({ -luring.ECONNRESET, -luring.ECANCELED }, got)
    end)
end)

describe("a peer that resets the connection of a task", function()
    -- What `wait(stream)` gives when the peer goes while it waits.
    local function results(wait)
        local before = drive.descriptors()
        local got
        co.run(function()
            local mine, peer = pair()
            local stream = co.stream(mine)
            co.spawn(function() got = { wait(stream) } end)
            co.sleep(0)
            co.sleep(0.001)
            reset(peer)
        end)
        assert.equal(before, drive.descriptors())
        return got
    end

    for name, wait in pairs {
        read = function(s) return s:read() end,
        line = function(s) return s:line() end,
        read_all = function(s) return s:read_all() end,
        read_exactly = function(s) return s:read_exactly(10) end,
        peek = function(s) return s:peek(1) end,
        relay = function(s)
            local one, other = luring.socketpair()
            co.stream(one)
            return co.relay(s, co.stream(other))
        end,
    } do
        it(("is nil and ECONNRESET for its %s"):format(name), function()
            local got = results(wait)
            assert.is_nil(got[1])
            assert.equal(luring.ECONNRESET, got[3], tostring(got[2]))
        end)
    end

    it("is nil, the error, and how much was written, for its write", function()
        local got = results(function(s) return s:write(MUCH) end)
        assert.is_nil(got[1])
        assert.is_true(got[3] == luring.ECONNRESET or got[3] == luring.EPIPE, got[2])
        assert.is_true(got[4] >= 0 and got[4] < #MUCH, got[4])
    end)

    it("ends that connection of a server, and no other", function()
        local said, server = {}, nil
        co.run(function()
            server = assert(co.listen("127.0.0.1", 0))
            co.spawn(function()
                server:serve(function(client)
                    local line, message = client:line()
                    if not line then return nil, message end
                    client:write(line, "\n")
                end, { on_error = function(err) said[#said + 1] = err end })
            end)
            local other = assert(co.connect(server:address()))
            local gone = assert(co.connect(server:address()))
            co.sleep(0.001)
            reset((gone:release()))
            other:write("still here\n")
            assert.equal("still here", other:line())
            other:close()
            server:stop()
        end)
        assert.same({ luring.strerror(luring.ECONNRESET) }, said)
    end)
end)
