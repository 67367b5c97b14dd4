local luring = require "luring"
local drive = require "drive"
local child = require "child"

local LOCAL = { family = luring.AF_INET, addr = "127.0.0.1", port = 0 }

describe("a socket", function()
    local ring, one, other
    before_each(function()
        ring = luring.queue_init(64, 0)
        one, other = luring.socketpair()
    end)
    after_each(function()
        luring.queue_exit(ring)
        drive.close(one, other)
    end)

    it("sends and receives, in both directions", function()
        assert.equal(5, (drive.one(ring, "send", one, "hello", 0)))
        assert.same({ 5, "hello" }, { drive.one(ring, "recv", other, 100, 0) })
        assert.equal(3, (drive.one(ring, "send", other, "a\0b", 0)))
        assert.same({ 3, "a\0b" }, { drive.one(ring, "recv", one, 4096, 0) })
    end)

    it("takes recv's flags", function()
        drive.one(ring, "send", one, "hello", 0)
        assert.same({ 5, "hello" }, { drive.one(ring, "recv", other, 100, luring.MSG_PEEK) })
        assert.same({ 2, "he" }, { drive.one(ring, "recv", other, 2, 0) })
        assert.same({ 3, "llo" }, { drive.one(ring, "recv", other, 100, 0) })
        assert.same({ -luring.EAGAIN, "" }, { drive.one(ring, "recv", other, 100, luring.MSG_DONTWAIT) })
    end)

    it("takes send's flags", function()
        local text, sent = ("x"):rep(65536), 0
        while sent >= 0 do sent = drive.one(ring, "send", one, text, luring.MSG_DONTWAIT) end
        assert.equal(-luring.EAGAIN, sent) -- and does not wait for room
    end)

    it("waits for all with MSG_WAITALL", function()
        local got
        luring.recv(ring, other, 10, luring.MSG_WAITALL, function(cqe, ...)
            luring.cqe_seen(ring, cqe)
            got = { ... }
        end)
        drive.one(ring, "send", one, "hello", 0)
        assert.is_nil(got)
        drive.one(ring, "send", one, "world", 0)
        while not got do drive.turn(ring) end
        assert.same({ 10, "helloworld" }, got)
    end)

    it("with MSG_TRUNC brings no more than it has room for", function()
        local a, b = luring.socketpair(luring.AF_UNIX, luring.SOCK_DGRAM)
        drive.one(ring, "send", a, ("x"):rep(1000), 0)
        local res, result = drive.one(ring, "recv", b, 10, luring.MSG_TRUNC)
        assert.equal(1000, res)
        assert.equal(("x"):rep(10), result)
        drive.close(a, b)
    end)

    it("with MSG_TRUNC on TCP shows no old memory", function()
        local listener = luring.tcp_listen(LOCAL)
        local client = luring.tcp_connect(luring.getsockname(listener))
        local server = drive.one(ring, "accept", listener, 0)
        local from, to = luring.pipe2()
        for _, size in ipairs { 60, 1000, 4096, 30000 } do
            -- TCP counts what it throws away. What a read has left comes last, so that nothing
            -- else overwrites it: small contents too are copied.
            drive.one(ring, "send", client, ("x"):rep(size), 0)
            drive.one(ring, "write", to, ("secret"):rep(size):sub(1, size), -1)
            drive.one(ring, "read", from, size, -1)
            local res, result = drive.one(ring, "recv", server, size, luring.MSG_TRUNC)
            assert.is_true(res > 0)
            assert.equal(res, #result)
            assert.is_nil(result:find("secret", 1, true))
            while res < size do res = res + drive.one(ring, "recv", server, size - res, 0) end
        end
        drive.close(listener, client, server, from, to)
    end)

    it("receives 0 and the empty string when the peer has closed", function()
        luring.close_fd(one)
        assert.same({ 0, "" }, { drive.one(ring, "recv", other, 100, 0) })
        one = -1
    end)

    it("sends to a peer that is gone: -EPIPE, and no signal", function()
        local result = child.run([[
            local luring = require "luring"
            local ring = luring.queue_init(4, 0)
            local one, other = luring.socketpair()
            luring.close_fd(other)
            luring.send(ring, one, "x", 0, function(cqe, res)
                luring.cqe_seen(ring, cqe)
                print(res)
            end)
            luring.submit_and_wait(ring, 1)
            luring.do_cqes(ring)
        ]])
        assert.equal("-32\n", result.output)
        assert.equal(0, result.status)
    end)

    it("brings -errno when it fails", function()
        local file = luring.open_file("/dev/null", "r")
        assert.same({ -luring.ENOTSOCK }, { drive.one(ring, "send", file, "x", 0) })
        assert.same({ -luring.ENOTSOCK, "" }, { drive.one(ring, "recv", file, 10, 0) })
        assert.same({ -luring.ENOTSOCK }, { drive.one(ring, "accept", file, 0) })
        assert.same({ -luring.EBADF }, { drive.one(ring, "send", -1, "x", 0) })
        assert.same({ -luring.EBADF, "" }, { drive.one(ring, "recv", -1, 10, 0) })
        assert.same({ -luring.EBADF }, { drive.one(ring, "accept", -1, 0) })
        luring.close_fd(file)
    end)

    it("keeps what it sends alive", function()
        local total, received = 0, {}
        for i = 1, 40 do
            local text = (("%02d"):format(i)):rep(500)
            total = total + #text
            assert(luring.send(ring, one, text, luring.MSG_WAITALL))
        end
        drive.collect()
        local garbage = {}
        for i = 1, 200 do garbage[i] = (("#%02d"):format(i)):rep(500) end
        luring.submit(ring)
        local got = 0
        while got < total do
            local res, text = drive.one(ring, "recv", other, 65536, 0)
            assert.is_true(res > 0)
            got = got + res
            received[#received + 1] = text
        end
        assert.equal(200, #garbage)
        local pieces = {}
        for piece in table.concat(received):gmatch(("."):rep(2)) do pieces[piece] = (pieces[piece] or 0) + 1 end
        for i = 1, 40 do assert.equal(500, pieces[("%02d"):format(i)], i) end
    end)
end)

describe("accept", function()
    local ring, listener, address
    before_each(function()
        ring = luring.queue_init(64, 0)
        listener = luring.tcp_listen(LOCAL)
        address = luring.getsockname(listener)
    end)
    after_each(function()
        luring.queue_exit(ring)
        luring.close_fd(listener)
    end)

    it("brings a connection's descriptor", function()
        local client = luring.tcp_connect(address)
        local server = drive.one(ring, "accept", listener, luring.SOCK_CLOEXEC)
        assert.is_true(server > 2)
        assert.same(luring.getsockname(server), address)
        assert.equal(4, (drive.one(ring, "send", client, "ping", 0)))
        assert.same({ 4, "ping" }, { drive.one(ring, "recv", server, 100, 0) })
        drive.close(client, server)
    end)

    it("waits until somebody connects", function()
        local connections, clients = {}, {}
        for _ = 1, 10 do
            luring.accept(ring, listener, 0, function(cqe, res)
                luring.cqe_seen(ring, cqe)
                connections[#connections + 1] = res
            end)
        end
        luring.submit(ring)
        assert.equal(-11, luring.do_cqes(ring))
        for i = 1, 10 do clients[i] = luring.tcp_connect(address) end
        while #connections < 10 do drive.turn(ring) end
        for i = 1, 10 do
            assert.is_true(connections[i] > 2)
            drive.close(connections[i], clients[i])
        end
    end)

    it("takes accept4's flags", function()
        local client = luring.tcp_connect(address)
        local server = drive.one(ring, "accept", listener, luring.SOCK_NONBLOCK)
        local info = child.contents("/proc/self/fdinfo/" .. server)
        local flags = tonumber(info:match("flags:%s*(%d+)"), 8)
        assert.equal(luring.O_NONBLOCK, flags - flags % luring.O_NONBLOCK - (flags - flags % (2 * luring.O_NONBLOCK)))
        assert.same({ -luring.EINVAL }, { drive.one(ring, "accept", listener, 1) })
        drive.close(client, server)
    end)
end)

describe("socketpair", function()
    it("takes a domain, a type and a protocol", function()
        local ring = luring.queue_init(4, 0)
        local one, other = luring.socketpair(luring.AF_UNIX, luring.SOCK_SEQPACKET, 0)
        drive.one(ring, "send", one, "first", 0)
        drive.one(ring, "send", one, "second", 0)
        assert.same({ 5, "first" }, { drive.one(ring, "recv", other, 100, 0) })
        assert.same({ 6, "second" }, { drive.one(ring, "recv", other, 100, 0) })
        drive.close(one, other)
        luring.queue_exit(ring)
    end)

    it("returns -errno alone", function()
        assert.same({ -luring.EOPNOTSUPP }, { luring.socketpair(luring.AF_INET) })
        assert.equal(1, select("#", luring.socketpair(luring.AF_UNIX, 77)))
        assert.is_true(luring.socketpair(12345) < 0)
    end)
end)
