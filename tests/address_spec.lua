local luring = require "luring"
local drive = require "drive"

local function listen(address)
    local fd = luring.tcp_listen(address)
    assert.is_true(fd >= 0, fd < 0 and luring.strerror(-fd) or nil)
    return fd
end

-- Connects to a listening socket's own address, and says what that is.
local function connect_to(listener)
    local address = luring.getsockname(listener)
    local client = luring.tcp_connect(address)
    assert.is_true(client >= 0, client < 0 and luring.strerror(-client) or nil)
    luring.close_fd(client)
    return address
end

local calls = {
    tcp_listen = function(address)
        local fd = luring.tcp_listen(address)
        return fd
    end,
    tcp_connect = function(address)
        local fd = luring.tcp_connect(address)
        return fd
    end,
}

local function wrong(name, address)
    local ok, message = pcall(calls[name], address)
    assert.is_false(ok)
    assert.equal("string", type(message))
    return message
end

describe("an address", function()
    it("of AF_INET has addr and port", function()
        local listener = listen { family = luring.AF_INET, addr = "127.0.0.1", port = 0 }
        local address = connect_to(listener)
        assert.is_true(address.port > 0)
        assert.same({ family = luring.AF_INET, addr = "127.0.0.1", port = address.port }, address)
        luring.close_fd(listener)
    end)

    it("of AF_INET6 has scope_id and flowinfo too, which are optional", function()
        local listener = listen { family = luring.AF_INET6, addr = "::1", port = 0 }
        local address = connect_to(listener)
        assert.same(
            { family = luring.AF_INET6, addr = "::1", port = address.port, scope_id = 0, flowinfo = 0 }, address)
        luring.close_fd(listener)
        local other = listen {
            family = luring.AF_INET6, addr = "0:0:0:0:0:0:0:1", port = 0, scope_id = 0, flowinfo = 0,
        }
        assert.equal("::1", connect_to(other).addr)
        luring.close_fd(other)
    end)

    it("of AF_UNIX has a path", function()
        local path = os.tmpname()
        os.remove(path)
        local listener = listen { family = luring.AF_UNIX, path = path }
        assert.same({ family = luring.AF_UNIX, path = path }, connect_to(listener))
        luring.close_fd(listener)
        assert.equal(-luring.ECONNREFUSED, luring.tcp_connect { family = luring.AF_UNIX, path = path })
        assert.equal(-luring.EADDRINUSE, luring.tcp_listen { family = luring.AF_UNIX, path = path })
        os.remove(path)
        assert.equal(-luring.ENOENT, luring.tcp_connect { family = luring.AF_UNIX, path = path })
    end)

    it("of AF_UNIX may be an abstract name, with zero bytes in it", function()
        local name = "\0luring-test\0" .. os.time() .. tostring({})
        local listener = listen { family = luring.AF_UNIX, path = name }
        assert.same({ family = luring.AF_UNIX, path = name }, connect_to(listener))
        luring.close_fd(listener)
        assert.equal(-luring.ECONNREFUSED, luring.tcp_connect { family = luring.AF_UNIX, path = name })
    end)

    it("of AF_UNIX without a name is the empty path", function()
        local one, other = luring.socketpair()
        assert.same({ family = luring.AF_UNIX, path = "" }, luring.getsockname(one))
        drive.close(one, other)
    end)

    it("of AF_UNIX may be 108 bytes long, and not 109", function()
        local path = "/tmp/" .. ("x"):rep(103)
        os.remove(path)
        local listener = listen { family = luring.AF_UNIX, path = path }
        assert.same({ family = luring.AF_UNIX, path = path }, connect_to(listener))
        luring.close_fd(listener)
        os.remove(path)
        local message = wrong("tcp_connect", { family = luring.AF_UNIX, path = path .. "x" })
        assert.truthy(message:find("bad argument #1 to 'tcp_connect' (field 'path' must be ", 1, true), message)
        message = wrong("tcp_connect", { family = luring.AF_UNIX, path = "/tmp/a\0b" })
        assert.truthy(message:find("bad argument #1 to 'tcp_connect' (field 'path' must be ", 1, true), message)
    end)

    it("of AF_UNIX may be an abstract name that fills its struct, as many programs' do", function()
        local name = "\0luring-test" .. os.time() .. tostring({})
        name = name .. ("\0"):rep(108 - #name)
        local listener = listen { family = luring.AF_UNIX, path = name }
        assert.same({ family = luring.AF_UNIX, path = name }, connect_to(listener))
        luring.close_fd(listener)
        local message = wrong("tcp_connect", { family = luring.AF_UNIX, path = name .. "\0" })
        assert.truthy(message:find("a path of at most 108 bytes", 1, true), message)
    end)

    it("may have other keys, which are ignored", function()
        local listener = listen {
            family = luring.AF_INET, addr = "127.0.0.1", port = 0, socktype = 1, canonname = {}, [1] = "x",
        }
        connect_to(listener)
        luring.close_fd(listener)
    end)

    it("may be given through a metatable", function()
        local base = { family = luring.AF_INET, addr = "127.0.0.1" }
        local listener = listen(setmetatable({ port = "0" }, { __index = base }))
        connect_to(listener)
        luring.close_fd(listener)
    end)

    it("with a wrong field is an argument error that names it", function()
        local INET, INET6, UNIX = luring.AF_INET, luring.AF_INET6, luring.AF_UNIX
        local cases = {
            { "family", {} }, { "family", { family = "x" } }, { "family", { family = 12345 } },
            { "family", { family = 70000 } }, { "family", { family = -1 } }, { "family", { family = 1.5 } },
            { "port", { family = INET, addr = "127.0.0.1" } },
            { "port", { family = INET, addr = "127.0.0.1", port = 65536 } },
            { "port", { family = INET, addr = "127.0.0.1", port = -1 } },
            { "port", { family = INET, addr = "127.0.0.1", port = 1.5 } },
            { "port", { family = INET, addr = "127.0.0.1", port = 0 / 0 } },
            { "port", { family = INET, addr = "127.0.0.1", port = {} } },
            { "addr", { family = INET, port = 0 } }, { "addr", { family = INET, port = 0, addr = {} } },
            { "addr", { family = INET, port = 0, addr = "localhost" } },
            { "addr", { family = INET, port = 0, addr = "" } },
            { "addr", { family = INET, port = 0, addr = "1.2.3" } },
            { "addr", { family = INET, port = 0, addr = "1.2.3.256" } },
            { "addr", { family = INET, port = 0, addr = "127.0.0.1\0" } },
            { "addr", { family = INET, port = 0, addr = "::1" } },
            { "addr", { family = INET, port = 0, addr = "\255\254" } },
            { "addr", { family = INET6, port = 0, addr = "127.0.0.1" } },
            { "addr", { family = INET6, port = 0, addr = ":::" } },
            { "port", { family = INET6, addr = "::1" } },
            { "scope_id", { family = INET6, addr = "::1", port = 0, scope_id = "x" } },
            { "scope_id", { family = INET6, addr = "::1", port = 0, scope_id = -1 } },
            { "flowinfo", { family = INET6, addr = "::1", port = 0, flowinfo = 2 ^ 32 } },
            { "path", { family = UNIX } }, { "path", { family = UNIX, path = {} } },
            { "path", { family = UNIX, path = true } },
        }
        for _, name in ipairs { "tcp_listen", "tcp_connect" } do
            for _, case in ipairs(cases) do
                local message = wrong(name, case[2])
                local expected = ("bad argument #1 to '%s' (field '%s' must be "):format(name, case[1])
                assert.truthy(message:find(expected, 1, true), message)
            end
        end
    end)

    it("whose metatable raises leaves that error", function()
        local raised = {}
        local address = setmetatable({}, { __index = function() error(raised) end })
        local ok, value = pcall(luring.tcp_listen, address)
        assert.is_false(ok)
        assert.equal(raised, value)
    end)

    it("may be a packed sockaddr", function()
        local listener = listen { family = luring.AF_INET, addr = "127.0.0.1", port = 0 }
        local port = luring.getsockname(listener).port
        local packed = "\2\0" .. string.char(math.floor(port / 256), port % 256, 127, 0, 0, 1) .. ("\0"):rep(8)
        local client = luring.tcp_connect(packed)
        assert.is_true(client >= 0)
        drive.close(client, listener)
        for _, length in ipairs { 0, 1, 129, 1000 } do
            local message = wrong("tcp_connect", ("\0"):rep(length))
            local expected = "bad argument #1 to 'tcp_connect' (a packed address has 2 to 128 bytes)"
            assert.truthy(message:find(expected, 1, true), message)
        end
        assert.is_true(luring.tcp_connect("\2\0") < 0)
    end)

    it("that nobody has is -errno, and leaves no descriptor open", function()
        local before = luring.open_file("/dev/null", "r")
        luring.close_fd(before)
        local elsewhere = { family = luring.AF_INET, addr = "192.0.2.1", port = 0 }
        assert.equal(-luring.EADDRNOTAVAIL, luring.tcp_listen(elsewhere))
        local listener = listen { family = luring.AF_INET, addr = "127.0.0.1", port = 0 }
        local address = luring.getsockname(listener)
        assert.equal(-luring.EADDRINUSE, luring.tcp_listen(address))
        luring.close_fd(listener)
        assert.equal(-luring.ECONNREFUSED, luring.tcp_connect(address))
        local after = luring.open_file("/dev/null", "r")
        luring.close_fd(after)
        assert.equal(before, after)
    end)

    it("can be used again at once: SO_REUSEADDR is set", function()
        local ring = luring.queue_init(4, 0)
        local listener = listen { family = luring.AF_INET, addr = "127.0.0.1", port = 0 }
        local address = luring.getsockname(listener)
        local client = luring.tcp_connect(address)
        local server = drive.one(ring, "accept", listener, 0)
        drive.close(server) -- the server's side closes first, and lingers
        drive.close(client, listener)
        local again = listen(address)
        luring.close_fd(again)
        luring.queue_exit(ring)
    end)

    it("of what is no socket is -errno", function()
        local fd = luring.open_file("/dev/null", "r")
        assert.equal(-luring.ENOTSOCK, luring.getsockname(fd))
        luring.close_fd(fd)
        assert.equal(-luring.EBADF, luring.getsockname(-1))
    end)
end)

describe("tcp_listen", function()
    it("takes a backlog", function()
        local address = { family = luring.AF_INET, addr = "127.0.0.1", port = 0 }
        for _, backlog in ipairs { 1, 0, 128, 2147483647 } do
            local fd = luring.tcp_listen(address, backlog)
            assert.is_true(fd >= 0)
            connect_to(fd)
            luring.close_fd(fd)
        end
        luring.close_fd(luring.tcp_listen(address, nil))
    end)
end)
