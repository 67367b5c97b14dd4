-- The actions on sockets beyond the original's.

local luring = require "luring"
local drive = require "drive"

describe("sockets:", function()
    local ring
    before_each(function() ring = luring.queue_init(16, 0) end)
    after_each(function() luring.queue_exit(ring) end)

    local any = { family = luring.AF_INET, addr = "127.0.0.1", port = 0 }

    local function pair(kind)
        local a, b = luring.socketpair(luring.AF_UNIX, kind or luring.SOCK_STREAM, 0)
        assert.is_true(a >= 0, tostring(a))
        return a, b
    end

    it("connect and accept_from meet, and say who is there", function()
        local server = luring.tcp_listen(any)
        local address = luring.getsockname(server)
        local got = {}
        assert(luring.accept_from(ring, server, 0, function(cqe, res, peer, flags)
            luring.cqe_seen(ring, cqe)
            got.fd, got.peer, got.flags = res, peer, flags
        end))
        local client
        if drive.has "socket" then
            client = drive.one(ring, "socket", luring.AF_INET, luring.SOCK_STREAM, 0, 0)
        else
            client = luring.tcp_connect(address)
        end
        assert.is_true(client >= 0, tostring(client))
        if drive.has "socket" then assert.equal(0, (drive.one(ring, "connect", client, address))) end
        while not got.fd do drive.turn(ring) end
        assert.is_true(got.fd >= 0)
        assert.same(luring.getsockname(client), got.peer)
        assert.equal("number", type(got.flags))
        assert.equal(0, (drive.one(ring, "shutdown", client, luring.SHUT_WR)))
        assert.same({ 0, "" }, { drive.one(ring, "recv", got.fd, 10, 0) })
        drive.close(server, client, got.fd)
    end)

    it("connect to nobody is -ECONNREFUSED, and bad addresses are argument errors", function()
        if not drive.has "socket" then return pending "this liburing has no socket" end
        local server = luring.tcp_listen(any)
        local address = luring.getsockname(server)
        luring.close_fd(server)
        local client = drive.one(ring, "socket", luring.AF_INET, luring.SOCK_STREAM, 0, 0)
        assert.equal(-luring.ECONNREFUSED, (drive.one(ring, "connect", client, address)))
        assert.error_matches(function() luring.connect(ring, client, { family = 77 }) end, "bad argument #3")
        assert.error_matches(function() luring.connect(ring, client, 5) end, "table expected, got number")
        drive.close(client)
    end)

    it("connect and sendto take no callback", function()
        local server = luring.udp_bind(any)
        local client = luring.udp_bind(any)
        local address = luring.getsockname(server)
        assert.truthy(luring.sendto(ring, client, "one", 0, address))
        assert.truthy(luring.connect(ring, client, address))
        drive.turn(ring, 2)
        assert.same({ 3, "one" }, { drive.one(ring, "recv", server, 10, 0) })
        assert.same(address, luring.getpeername(client))
        drive.close(server, client)
    end)

    it("bind and listen make a server", function()
        if not drive.has "bind" then return pending "this liburing has no bind" end
        local server = drive.one(ring, "socket", luring.AF_INET, luring.SOCK_STREAM, 0, 0)
        assert.equal(0, (drive.one(ring, "bind", server, any)))
        assert.equal(0, (drive.one(ring, "listen", server, 8)))
        local client = luring.tcp_connect(luring.getsockname(server))
        assert.is_true(client >= 0)
        drive.close(server, client)
    end)

    it("accept_multishot accepts until it is cancelled, and keeps its callback", function()
        if not drive.has "accept_multishot" then return pending "this liburing has no accept_multishot" end
        local server = luring.tcp_listen(any)
        local address = luring.getsockname(server)
        local fds, last = {}, nil
        assert(luring.accept_multishot(ring, server, 0, function(cqe, res, _, flags)
            luring.cqe_seen(ring, cqe)
            local more = flags % (2 * luring.IORING_CQE_F_MORE) >= luring.IORING_CQE_F_MORE
            if res >= 0 then fds[#fds + 1] = res end
            if not more then last = res end
            drive.collect()
        end))
        luring.submit(ring)
        local clients = {}
        for i = 1, 5 do
            clients[i] = luring.tcp_connect(address)
            while #fds < i do drive.turn(ring) end
        end
        assert.is_nil(last)
        assert.equal(2, (drive.one(ring, "send", clients[5], "hi", 0)))
        assert.same({ 2, "hi" }, { drive.one(ring, "recv", fds[5], 10, 0) })
        drive.close((unpack or table.unpack)(clients))
        drive.close((unpack or table.unpack)(fds))
        luring.queue_exit(ring) -- ends it in flight
        ring = luring.queue_init(16, 0)
        drive.close(server)
    end)

    it("send takes a list of strings", function()
        local a, b = pair()
        local big = ("x"):rep(5000)
        assert.equal(5005, (drive.one(ring, "send", a, { "ab", big, "cde" }, 0)))
        assert.same({ 5005, "ab" .. big .. "cde" }, { drive.one(ring, "recv", b, 6000, 0) })
        assert.equal(2, (drive.one(ring, "send", a, { "a", "b" }, 0)))
        assert.same({ 2, "ab" }, { drive.one(ring, "recv", b, 10, 0) })
        drive.close(b)
        assert.equal(-luring.EPIPE, (drive.one(ring, "send", a, { "a", "b" }, 0)))
        drive.close(a)
    end)

    it("sendto and recvmsg bring a datagram and its sender", function()
        if not drive.has "socket" then return pending "this liburing has no socket" end
        local a = luring.udp_bind and luring.udp_bind(any)
        if not a then return pending "no udp_bind" end
        local b = luring.udp_bind(any)
        local to, from = luring.getsockname(b), luring.getsockname(a)
        assert.equal(5, (drive.one(ring, "sendto", a, "hello", 0, to)))
        local res, message = drive.one(ring, "recvmsg", b, 100, 0)
        assert.same({ 5, "hello", from }, { res, message.data, message.addr })
        assert.equal(3, (drive.one(ring, "sendto", a, { "h", "", "ey" }, 0, to)))
        res, message = drive.one(ring, "recvmsg", b, { size = 2, name = false }, 0)
        assert.same({ 2, "he", nil }, { res, message.data, message.addr })
        assert.equal(luring.MSG_TRUNC, message.flags % (2 * luring.MSG_TRUNC) - message.flags % luring.MSG_TRUNC)
        local big = ("z"):rep(4000)
        assert.equal(4000, (drive.one(ring, "sendmsg", a, { data = big, addr = to }, 0)))
        assert.equal(big, (select(2, drive.one(ring, "recvmsg", b, 4000, 0))).data)
        drive.close(a, b)
    end)

    it("sendmsg takes what recvmsg has brought", function()
        local a, b = luring.socketpair(luring.AF_UNIX, luring.SOCK_DGRAM)
        assert.equal(5, (drive.one(ring, "sendmsg", a, { data = "hello", fds = { a } }, 0)))
        local _, message = drive.one(ring, "recvmsg", b, { size = 10, control = 100 }, 0)
        message.addr = nil -- nobody's, and b has none
        assert.equal(5, (drive.one(ring, "sendmsg", a, message, 0)))
        local res, again = drive.one(ring, "recvmsg", b, { size = 10, control = 100 }, 0)
        assert.equal(5, res)
        assert.equal("hello", again.data)
        drive.close(a, b, message.fds[1], again.fds[1])
    end)

    it("sendmsg and recvmsg pass descriptors", function()
        local a, b = pair()
        local from, to = luring.pipe2()
        assert.equal(1, (drive.one(ring, "sendmsg", a, { data = "x", fds = { from, to } }, 0)))
        local res, message = drive.one(ring, "recvmsg", b, { size = 10, control = 64 }, 0)
        assert.same({ 1, "x", 2 }, { res, message.data, #message.fds })
        assert.is_nil(message.control)
        assert.equal(4, (drive.one(ring, "write", message.fds[2], "pipe", -1)))
        assert.same({ 4, "pipe" }, { drive.one(ring, "read", from, 10, -1) })
        drive.close(a, b, from, to, message.fds[1], message.fds[2])
    end)

    it("other control messages come as they are", function()
        if not luring.setsockopt then return pending "no setsockopt" end
        local a, b = pair()
        assert.equal(0, luring.setsockopt(b, luring.SOL_SOCKET, luring.SO_PASSCRED or 16, 1))
        assert.equal(1, (drive.one(ring, "send", a, "x", 0)))
        local _, message = drive.one(ring, "recvmsg", b, { size = 10, control = 64 }, 0)
        assert.same({ 1, luring.SOL_SOCKET, 2, 12 },
            { #message.control, message.control[1].level, message.control[1].type, #message.control[1].data })
        local credentials = message.control[1]
        assert.equal(1, (drive.one(ring, "sendmsg", a, { data = "y", control = { credentials } }, 0)))
        _, message = drive.one(ring, "recvmsg", b, { size = 10, control = 64 }, 0)
        assert.same(credentials, message.control[1])
        drive.close(a, b)
    end)

    it("descriptors that come for nobody are closed", function()
        local function open(fd) return luring.getsockname(fd) ~= -luring.EBADF end
        local a, b = pair()
        local c, d = pair()
        assert.equal(1, (drive.one(ring, "sendmsg", a, { data = "x", fds = { c } }, 0)))
        assert(luring.recvmsg(ring, b, { size = 10, control = 64 }, 0)) -- no callback
        drive.turn(ring)
        luring.close_fd(c)
        -- Its other end is only gone if the received one is closed.
        assert.same({ 0, "" }, { drive.one(ring, "recv", d, 10, 0) })
        assert.is_true(open(a))
        drive.close(a, b, d)
    end)

    it("descriptors are found, whatever the flags say of control data", function()
        local a, b = pair()
        assert.equal(1, (drive.one(ring, "sendmsg", a, { data = "x", fds = { a } }, 0)))
        local MSG_CMSG_COMPAT = -2 ^ 31
        local res, message = drive.one(ring, "recvmsg", b, { size = 10, control = 64 }, MSG_CMSG_COMPAT)
        assert.same({ 1, "x", 1 }, { res, message.data, message.fds and #message.fds })
        drive.close(a, b, message.fds[1])
    end)

    it("a descriptor of the sender's process that comes for nobody is closed", function()
        local a, b = pair()
        if luring.setsockopt(b, luring.SOL_SOCKET, luring.SO_PASSPIDFD or 76, 1) ~= 0 then
            drive.close(a, b)
            return pending "this kernel passes none"
        end
        local before = drive.descriptors()
        assert.equal(1, (drive.one(ring, "send", a, "x", 0)))
        assert(luring.recvmsg(ring, b, { size = 10, control = 64 }, 0)) -- no callback
        drive.turn(ring)
        assert.equal(0, luring.in_flight(ring))
        assert.equal(before, drive.descriptors())
        drive.close(a, b)
    end)

    it("send and recv take more bytes than go at once", function()
        local has_memory, big = pcall(luring.buffer, 2 ^ 31 + 1)
        if not has_memory then return pending "there is no memory for a buffer of 2 GiB" end
        local a, b = pair()
        local sent = drive.one(ring, "send", a, big, luring.MSG_DONTWAIT)
        assert.is_true(sent > 0, tostring(sent))
        local received = drive.one(ring, "recv", b, big, luring.MSG_DONTWAIT)
        assert.is_true(received > 0 and received <= sent, tostring(received))
        drive.close(a, b)
    end)

    it("says what is wrong with a message", function()
        local cases = {
            { 5, "table expected, got number" },
            { {}, "field 'data' must be a string or a list of strings" },
            { { data = { 1, {} } }, "element 2 must be a string" },
            { { data = "x", fds = 5 }, "field 'fds' must be a list of descriptors" },
            { { data = "x", fds = { "a" } }, "(element 1: descriptor expected)" },
            { { data = "x", fds = { 0, {} } }, "(element 2: descriptor expected)" },
            { { data = "x", fds = { luring.fixed(0) } }, "(element 1: no descriptor is" },
            { { data = "x", control = { 1 } }, "field 'control' must be a list" },
            { { data = "x", control = { { level = 1, type = "x", data = "" } } }, "field 'control' must be a list" },
            { { data = "x", addr = {} }, "bad argument #3" },
            { { data = "x", fd = { 0 } }, "unknown field 'fd'" },
            { { "x" }, "unknown field [1]" },
        }
        for _, case in ipairs(cases) do
            local ok, message = pcall(luring.sendmsg, ring, 0, case[1], 0)
            assert.is_false(ok)
            assert.matches("bad argument #3", message, 1, true)
            assert.matches(case[2], message, 1, true)
        end
        assert.error_matches(function() luring.recvmsg(ring, 0, { size = -1 }, 0) end, "field 'size'")
        assert.error_matches(function() luring.recvmsg(ring, 0, {}, 0) end, "field 'size'")
        assert.error_matches(function() luring.recvmsg(ring, 0, { size = 1, addr = 1 }, 0) end, "unknown field 'addr'")
        assert.error_matches(function() luring.recvmsg(ring, 0, { size = 1, name = 0 }, 0) end, "field 'name' must be")
    end)
end)

describe("zero-copy sends:", function()
    local ring, a, b
    before_each(function()
        ring = luring.queue_init(16, 0)
        local server = luring.tcp_listen { family = luring.AF_INET, addr = "127.0.0.1", port = 0 }
        a = luring.tcp_connect(luring.getsockname(server))
        b = drive.one(ring, "accept", server, 0)
        luring.close_fd(server)
    end)
    after_each(function()
        luring.queue_exit(ring)
        drive.close(a, b)
    end)

    local function send(name, ...)
        local calls = {}
        local arguments = { ... }
        arguments[#arguments + 1] = function(cqe, res, value, flags)
            luring.cqe_seen(ring, cqe)
            calls[#calls + 1] = { res, value, flags }
        end
        assert(luring[name](ring, (unpack or table.unpack)(arguments)))
        return calls
    end

    local function receive(n)
        local text = ""
        while #text < n do text = text .. select(2, drive.one(ring, "recv", b, n - #text, 0)) end
        return text
    end

    for _, name in ipairs { "send_zc", "sendmsg_zc" } do
        it(name .. " tells of the notification only when asked to", function()
            if not drive.has(name) then return pending("this liburing has no " .. name) end
            local big = ("0123456789"):rep(1000)
            local data = name == "send_zc" and big or { data = { big:sub(1, 10), big:sub(11) } }
            local calls = send(name, a, data, 0, 0)
            assert.equal(big, receive(#big))
            while #calls == 0 do drive.turn(ring) end
            assert.equal(#big, calls[1][1])
            assert.is_true(calls[1][3] % (2 * luring.IORING_CQE_F_MORE) >= luring.IORING_CQE_F_MORE)
            local reported = send(name, a, data, 0, luring.IORING_SEND_ZC_REPORT_USAGE)
            assert.equal(big, receive(#big))
            while #reported < 2 do drive.turn(ring) end
            assert.same({ #big, nil }, { reported[1][1], reported[1][2] })
            assert.equal(0, reported[2][1])
            assert.is_true(reported[2][2] == "copied" or reported[2][2] == "zerocopy")
            assert.equal(1, #calls)
        end)
    end

    it("keep their string until the notification", function()
        if not drive.has "send_zc" then return pending "this liburing has no send_zc" end
        local size = 3000000
        assert(luring.send_zc(ring, a, ("abc"):rep(size / 3), luring.MSG_WAITALL, 0))
        luring.submit(ring)
        drive.collect()
        local others = {}
        for i = 1, 10 do others[i] = ("x"):rep(size + i) end
        assert.equal(10, #others)
        assert.is_true(receive(size) == ("abc"):rep(size / 3))
    end)

    it("a failing one has a notification if its flags say so", function()
        if not drive.has "send_zc" then return pending "this liburing has no send_zc" end
        local calls = send("send_zc", 9999, "x", 0, luring.IORING_SEND_ZC_REPORT_USAGE)
        while #calls == 0 do drive.turn(ring) end
        assert.same({ -luring.EBADF, nil }, { calls[1][1], calls[1][2] })
        local more = calls[1][3] % (2 * luring.IORING_CQE_F_MORE) >= luring.IORING_CQE_F_MORE
        drive.one(ring, "nop")
        assert.equal(more and 2 or 1, #calls)
    end)

    it("cmd_sock reads and sets options", function()
        if not drive.has "cmd_sock" then return pending "this liburing has no cmd_sock" end
        local get, set = luring.SOCKET_URING_OP_GETSOCKOPT, luring.SOCKET_URING_OP_SETSOCKOPT
        local level, name = luring.SOL_SOCKET, luring.SO_KEEPALIVE
        local res, value = drive.one(ring, "cmd_sock", get, a, level, name, 0)
        if res == -luring.EOPNOTSUPP then return pending "this kernel has no cmd_sock" end
        assert.same({ 4, 0 }, { res, value })
        assert.equal(0, (drive.one(ring, "cmd_sock", set, a, level, name, 1)))
        res, value = drive.one(ring, "cmd_sock", get, a, level, name, 0)
        assert.same({ 4, 1 }, { res, value })
        res, value = drive.one(ring, "cmd_sock", get, a, level, name, "1234")
        assert.same({ 4, 4 }, { res, #value })
        drive.one(ring, "send", b, "hello", 0)
        assert.equal(5, (drive.one(ring, "cmd_sock", luring.SOCKET_URING_OP_SIOCINQ, a, 0, 0, 0)))
    end)

    it("cmd_sock takes options of up to 4096 bytes", function()
        if not drive.has "cmd_sock" then return pending "this liburing has no cmd_sock" end
        local get = luring.SOCKET_URING_OP_GETSOCKOPT
        assert.truthy(luring.cmd_sock(ring, get, a, luring.SOL_SOCKET, luring.SO_TYPE, ("x"):rep(4096)))
        local ok, message = pcall(luring.cmd_sock, ring, get, a, luring.SOL_SOCKET, luring.SO_TYPE, ("x"):rep(4097))
        assert.is_false(ok)
        assert.truthy(message:find("string longer than 4096 bytes", 1, true), message)
    end)

    it("cmd_sock takes no commands but these: another's numbers may be addresses", function()
        if not drive.has "cmd_sock" then return pending "this liburing has no cmd_sock" end
        local ok, message = pcall(luring.cmd_sock, ring, 5, a, 0, 0, 0) -- SOCKET_URING_OP_GETSOCKNAME
        assert.is_false(ok)
        assert.truthy(message:find("must be between 0 and 3", 1, true), message)
    end)

    it("nothing but zero-copy sends is sent without a copy", function()
        local MSG_ZEROCOPY = 2 ^ 26
        local address = { family = luring.AF_INET, addr = "127.0.0.1", port = 1 }
        local calls = {
            { "send", a, "x", MSG_ZEROCOPY }, { "send", a, { "x" }, MSG_ZEROCOPY + luring.MSG_DONTWAIT },
            { "sendmsg", a, { data = "x" }, MSG_ZEROCOPY }, { "sendto", a, "x", MSG_ZEROCOPY, address },
        }
        for _, call in ipairs(calls) do
            local ok, message = pcall(luring[call[1]], ring, call[2], call[3], call[4], call[5])
            assert.is_false(ok)
            assert.truthy(message:find("not MSG_ZEROCOPY: send_zc and sendmsg_zc are that", 1, true), message)
        end
    end)

    it("zero-copy sends take no flags that make addresses of their data", function()
        local IORING_SEND_VECTORIZED = 32
        for name, data in pairs { send_zc = ("x"):rep(16), sendmsg_zc = { data = "x" } } do
            if drive.has(name) then
                local ok, message = pcall(luring[name], ring, a, data, 0, IORING_SEND_VECTORIZED)
                assert.is_false(ok)
                assert.truthy(message:find("no flags but IORING_SEND_ZC_REPORT_USAGE", 1, true), message)
            end
        end
    end)

    it("recvmsg with MSG_TRUNC brings none of what was in its memory before", function()
        local listener = luring.tcp_listen({ family = luring.AF_INET, addr = "127.0.0.1", port = 0 })
        local client = luring.tcp_connect(luring.getsockname(listener))
        local server = drive.one(ring, "accept", listener, 0)
        local secret = ("secret"):rep(150)
        drive.one(ring, "send", client, secret, 0)
        assert.equal(secret, (select(2, drive.one(ring, "recv", server, 1000, 0))))
        drive.one(ring, "send", client, ("public"):rep(100), 0)
        local res, message = drive.one(ring, "recvmsg", server, 600, luring.MSG_TRUNC)
        assert.equal(600, res)
        assert.equal(("\0"):rep(600), message.data) -- TCP counts what it does not write
        drive.close(listener, client, server)
    end)
end)
