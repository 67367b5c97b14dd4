local luring = require "luring"
local drive = require "drive"

local HERE = { family = luring.AF_INET, addr = "127.0.0.1", port = 0 }
local HERE6 = { family = luring.AF_INET6, addr = "::1", port = 0 }
local ANY6 = { family = luring.AF_INET6, addr = "::", port = 0 }

local function complaint(name, ...)
    local call = (loadstring or load)(
        ("local luring = ... return function(...) local res = luring.%s(...) return res end"):format(name))(luring)
    local ok, message = pcall(call, ...)
    assert.is_false(ok)
    return message:match("bad argument (#.*)$") or message
end

local function reuse(fd) return luring.getsockopt(fd, luring.SOL_SOCKET, luring.SO_REUSEPORT) end

describe("tcp_listen", function()
    local function listen(address, opts)
        local fd = luring.tcp_listen(address, opts)
        assert.is_true(fd >= 0, luring.errname(-fd))
        return fd
    end

    it("has a backlog, alone or among its options", function()
        local connects = 0
        for _, opts in ipairs { 0, { backlog = 0 } } do
            local fd = listen(HERE, opts)
            local address = luring.getsockname(fd)
            -- One connection waits to be accepted; the next one's handshake is not answered.
            local first = luring.tcp_connect(address)
            assert.is_true(first >= 0)
            local info = luring.getsockopt_bytes(fd, luring.IPPROTO_TCP, luring.TCP_INFO, 32)
            assert.equal(0, info:byte(29)) -- tcpi_sacked is a listener's backlog
            connects = connects + 1
            drive.close(first, fd)
        end
        assert.equal(2, connects)
        local fd = listen(HERE, 7)
        assert.equal(7, luring.getsockopt_bytes(fd, luring.IPPROTO_TCP, luring.TCP_INFO, 32):byte(29))
        luring.close_fd(fd)
    end)

    it("lets several sockets listen on a port with reuseport only", function()
        local first = listen(HERE, { reuseport = true })
        local address = luring.getsockname(first)
        assert.equal(-luring.EADDRINUSE, luring.tcp_listen(address))
        assert.equal(-luring.EADDRINUSE, luring.tcp_listen(address, { reuseport = false }))
        local second = listen(address, { reuseport = true })
        assert.equal(1, reuse(second))
        drive.close(first, second)
    end)

    it("sets v6only, nodelay and fastopen", function()
        for _, on in ipairs { true, false } do
            local fd = listen(ANY6, { v6only = on, nodelay = on, fastopen = on and 5 or nil })
            local number = on and 1 or 0
            assert.equal(number, luring.getsockopt(fd, luring.IPPROTO_IPV6, luring.IPV6_V6ONLY))
            assert.equal(number, luring.getsockopt(fd, luring.IPPROTO_TCP, luring.TCP_NODELAY))
            assert.equal(on and 5 or 0, luring.getsockopt(fd, luring.IPPROTO_TCP, luring.TCP_FASTOPEN))
            luring.close_fd(fd)
        end
    end)

    it("with v6only decides about IPv4", function()
        for _, only in ipairs { true, false } do
            local fd = listen(ANY6, { v6only = only })
            local port = luring.getsockname(fd).port
            local client = luring.tcp_connect { family = luring.AF_INET, addr = "127.0.0.1", port = port }
            if only then assert.equal(-luring.ECONNREFUSED, client) else assert.equal(0, luring.close_fd(client)) end
            luring.close_fd(fd)
        end
    end)

    it("is -errno for an option that the address hasn't, and leaves no descriptor open", function()
        local free = luring.open_file("/dev/null", "r")
        luring.close_fd(free)
        local address = { family = luring.AF_UNIX, path = "\0luring" .. tostring({}) }
        assert.is_true(luring.tcp_listen(address, { nodelay = true }) < 0)
        assert.is_true(luring.tcp_listen(HERE, { v6only = true }) < 0)
        assert.equal(free, luring.open_file("/dev/null", "r"))
        luring.close_fd(free)
    end)

    it("takes no other options, and none of another type", function()
        assert.equal("#2 to 'tcp_listen' (unknown field [1])", complaint("tcp_listen", HERE, { 5 }))
        assert.equal("#2 to 'tcp_listen' (unknown field 'resuseport')",
            complaint("tcp_listen", HERE, { resuseport = true }))
        for _, name in ipairs { "reuseport", "v6only", "nodelay" } do
            assert.equal(("#2 to 'tcp_listen' (field '%s' must be a boolean)"):format(name),
                complaint("tcp_listen", HERE, { [name] = 1 }))
        end
        for _, name in ipairs { "backlog", "fastopen" } do
            for _, wrong in ipairs { true, -1, 1.5, 2 ^ 31, "x" } do
                assert.equal(("#2 to 'tcp_listen' (field '%s' must be an integer from 0 to 2147483647)"):format(name),
                    complaint("tcp_listen", HERE, { [name] = wrong }))
            end
        end
    end)
end)

describe("a text where an address should be", function()
    it("is an argument error", function()
        local expected = "#1 to '%s' (neither a packed address nor a table with family, addr and port)"
        for _, name in ipairs { "tcp_connect", "tcp_listen", "udp_bind" } do
            for _, text in ipairs { "127.0.0.1", "::1", "localhost", "/run/some.sock", "\0\1abstract", "80" } do
                assert.equal(expected:format(name), complaint(name, text, name == "tcp_connect" and 80 or nil))
            end
        end
    end)
end)

describe("udp_bind", function()
    it("makes a socket that datagrams arrive at", function()
        local ring = luring.queue_init(4, 0)
        local fd = luring.udp_bind(HERE)
        local address = luring.getsockname(fd)
        assert.is_true(address.port > 0)
        assert.equal(luring.SOCK_DGRAM, luring.getsockopt(fd, luring.SOL_SOCKET, luring.SO_TYPE))
        assert.equal(0, reuse(fd))
        assert.equal(-luring.ENOTCONN, luring.getpeername(fd))
        local sender = luring.socket_fd(luring.AF_INET, luring.SOCK_DGRAM)
        assert.equal(0, (drive.one(ring, "connect", sender, address)))
        assert.equal(8, (drive.one(ring, "send", sender, "datagram", 0)))
        luring.close_fd(sender)
        assert.same({ 8, "datagram" }, { drive.one(ring, "recv", fd, 100, 0) })
        assert.equal(-luring.EADDRINUSE, luring.udp_bind(address))
        luring.close_fd(fd)
        luring.queue_exit(ring)
    end)

    it("has reuseport and v6only, and no other option", function()
        local first = luring.udp_bind(HERE6, { reuseport = true, v6only = true })
        local second = luring.udp_bind(luring.getsockname(first), { reuseport = true })
        assert.is_true(second >= 0)
        assert.equal(1, luring.getsockopt(first, luring.IPPROTO_IPV6, luring.IPV6_V6ONLY))
        drive.close(first, second)
        assert.equal("#2 to 'udp_bind' (unknown field [1])", complaint("udp_bind", HERE, { 1 }))
        assert.equal("#2 to 'udp_bind' (unknown field 'backlog')", complaint("udp_bind", HERE, { backlog = 1 }))
    end)
end)

describe("a socket", function()
    it("is made of any kind by socket_fd", function()
        local fd = luring.socket_fd(luring.AF_INET6, luring.SOCK_DGRAM, luring.IPPROTO_UDP)
        assert.equal(luring.AF_INET6, luring.getsockopt(fd, luring.SOL_SOCKET, luring.SO_DOMAIN))
        assert.equal(luring.SOCK_DGRAM, luring.getsockopt(fd, luring.SOL_SOCKET, luring.SO_TYPE))
        assert.equal(luring.IPPROTO_UDP, luring.getsockopt(fd, luring.SOL_SOCKET, luring.SO_PROTOCOL))
        luring.close_fd(fd)
        assert.equal(-luring.EAFNOSUPPORT, luring.socket_fd(-1, luring.SOCK_STREAM))
        assert.equal(-luring.EINVAL, luring.socket_fd(luring.AF_INET, 99))
    end)

    it("is connected to its peer", function()
        local ring = luring.queue_init(4, 0)
        local listener = luring.tcp_listen(HERE)
        local client = luring.tcp_connect(luring.getsockname(listener))
        local server = drive.one(ring, "accept", listener, 0)
        assert.same(luring.getsockname(listener), luring.getpeername(client))
        assert.same(luring.getsockname(client), luring.getpeername(server))
        assert.equal(-luring.ENOTCONN, luring.getpeername(listener))
        assert.equal(-luring.EBADF, luring.getpeername(-1))
        drive.close(server, client, listener)
        luring.queue_exit(ring)
    end)

    it("is shut down in one direction", function()
        local ring = luring.queue_init(4, 0)
        local one, other = luring.socketpair()
        assert.equal(0, luring.shutdown_fd(one, luring.SHUT_WR))
        assert.same({ 0, "" }, { drive.one(ring, "recv", other, 10, 0) })
        assert.equal(-luring.EPIPE, (drive.one(ring, "send", one, "x", 0)))
        assert.equal(1, (drive.one(ring, "send", other, "x", 0)))
        assert.same({ 1, "x" }, { drive.one(ring, "recv", one, 10, 0) })
        assert.equal(-luring.EINVAL, luring.shutdown_fd(one, 9))
        assert.equal(-luring.ENOTSOCK, luring.shutdown_fd(0, luring.SHUT_RD))
        drive.close(one, other)
        luring.queue_exit(ring)
    end)

    it("has options that are integers", function()
        local fd = luring.socket_fd(luring.AF_INET, luring.SOCK_STREAM)
        for _, value in ipairs { 1, 0, "1" } do
            assert.equal(0, luring.setsockopt(fd, luring.SOL_SOCKET, luring.SO_KEEPALIVE,
                type(value) == "number" and value or "\1\1\1\1"))
            assert.equal(tonumber(value), luring.getsockopt(fd, luring.SOL_SOCKET, luring.SO_KEEPALIVE))
        end
        assert.equal(-luring.ENOPROTOOPT, luring.getsockopt(fd, luring.SOL_SOCKET, 9999))
        assert.equal(-luring.ENOPROTOOPT, luring.setsockopt(fd, luring.SOL_SOCKET, 9999, 1))
        assert.equal(-luring.EINVAL, luring.setsockopt(fd, luring.SOL_SOCKET, luring.SO_KEEPALIVE, "x"))
        luring.close_fd(fd)
        assert.equal(-luring.EBADF, luring.getsockopt(fd, luring.SOL_SOCKET, luring.SO_ERROR))
    end)

    -- A socket with a filter of `count` instructions, and these. The kernel is told where they are: in a buffer,
    -- whose pages are new.
    local kept = {}
    local function filtered(count)
        local function mapped()
            local places = {}
            for first in drive.contents("/proc/self/maps"):gmatch("(%x+)%-%x+ rw%-s") do places[first] = true end
            return places
        end
        local before = mapped()
        local buffer = luring.buffer(2 ^ 16, { shared = true })
        kept[#kept + 1] = buffer
        local place
        for first in pairs(mapped()) do
            if not before[first] then place = tonumber(first, 16) end
        end
        local filter = ("\6\0\0\0AAAA"):rep(count) -- each returns a number
        buffer:set(1, filter)
        local function number(value, bytes)
            local text = ""
            for _ = 1, bytes do
                text, value = text .. string.char(value % 256), math.floor(value / 256)
            end
            return text
        end
        local fd = luring.socket_fd(luring.AF_INET, luring.SOCK_DGRAM)
        local program = number(count, 2) .. ("\0"):rep(6) .. number(place, 8)
        local res = luring.setsockopt(fd, luring.SOL_SOCKET, luring.SO_ATTACH_FILTER, program)
        return res == 0 and fd or res, filter
    end

    it("has a filter, whose length is not in bytes", function()
        local socket = luring.socket_fd(luring.AF_INET, luring.SOCK_DGRAM)
        local is_little = luring.getsockopt_bytes(socket, luring.SOL_SOCKET, luring.SO_TYPE, 4):byte() ~= 0
        luring.close_fd(socket)
        if not is_little then return pending "these instructions are a little-endian machine's" end
        for count = 1, 5 do
            local fd = filtered(count)
            assert.is_true(fd >= 0, fd)
            local first = luring.getsockopt(fd, luring.SOL_SOCKET, luring.SO_GET_FILTER)
            assert.equal(count > 4 and -luring.EINVAL or 6, first)
            luring.close_fd(fd)
        end
        local fd, filter = filtered(4000)
        if fd == -luring.ENOMEM then return pending "this kernel takes no large filters" end -- net.core.optmem_max
        for _, room in ipairs { 4000, 4096, 2 ^ 31 - 1 } do
            assert.equal(filter, luring.getsockopt_bytes(fd, luring.SOL_SOCKET, luring.SO_GET_FILTER, room))
        end
        assert.equal(-luring.EINVAL, luring.getsockopt_bytes(fd, luring.SOL_SOCKET, luring.SO_GET_FILTER, 3999))
        if drive.has "cmd_sock" then
            local ring = luring.queue_init(4, 0)
            local get, room = luring.SOCKET_URING_OP_GETSOCKOPT, ("\0"):rep(4000)
            local res, value = drive.one(ring, "cmd_sock", get, fd, luring.SOL_SOCKET, luring.SO_GET_FILTER, room)
            if res ~= -luring.EOPNOTSUPP then
                assert.same({ 4000, filter:sub(1, 4000) }, { res, value })
            end
            luring.queue_exit(ring)
        end
        luring.close_fd(fd)
    end)

    it("has options that are bytes", function()
        local fd = luring.socket_fd(luring.AF_INET, luring.SOCK_STREAM)
        local function linger(size)
            return luring.getsockopt_bytes(fd, luring.SOL_SOCKET, luring.SO_LINGER, size)
        end
        assert.equal(("\0"):rep(8), linger(100))
        assert.equal(0, luring.setsockopt(fd, luring.SOL_SOCKET, luring.SO_LINGER, "\1\1\1\1\0\0\0\0"))
        assert.truthy(linger(8):find("^%z*\1%z*$"))
        assert.equal(4, #linger(4))
        assert.equal("", linger(0))
        assert.equal(-luring.ENOPROTOOPT, luring.getsockopt_bytes(fd, luring.SOL_SOCKET, 9999, 4))
        -- What a question would be asked with is zeros, not old memory.
        for _ = 1, 20 do
            local bytes = luring.getsockopt_bytes(fd, luring.IPPROTO_TCP, luring.TCP_INFO, 65536)
            assert.is_true(#bytes > 100 and #bytes < 1024)
        end
        luring.close_fd(fd)
    end)
end)
