local co = require "luring.co"
local luring = require "luring"
local socket = require "luring.co.socket"
local drive = require "drive"

local PATIENCE = 30 -- seconds

-- Runs `f` in a task, which ends.
local function task(f)
    local function body()
        f()
        return true
    end
    return function() assert(co.run(co.timeout, PATIENCE, body)) end
end

-- Where a server listens.
local function place(server)
    local host, port = server:getsockname()
    return host, port
end

-- Two ends of a connection.
local function pair()
    local server = assert(socket.bind("127.0.0.1", 0))
    local a = assert(socket.connect(place(server)))
    local b = assert(server:accept())
    server:close()
    return a, b
end

-- A port that nobody listens at.
local function free_port()
    local server = assert(co.listen("127.0.0.1", 0))
    local _, port = server:address()
    server:close()
    return port
end

-- A machine without DNS can't tell whether there is such a host.
local function assert_unknown(value, why)
    assert.is_nil(value)
    if why ~= "temporary failure in name resolution" then
        assert.equal("host or service not provided, or not known", why)
    end
end

describe("a socket of LuaSocket's shape", function()
    it("is bound, connected and accepted, and has names", task(function()
        local server = assert(socket.bind("*", 0, 5))
        local host, port, family = server:getsockname()
        assert.same({ "0.0.0.0", "string", "inet" }, { host, type(port), family })
        -- A listening socket's backlog is where others have their number of lost packets.
        local info = luring.getsockopt_bytes(server:getfd(), luring.IPPROTO_TCP, luring.TCP_INFO, 32)
        assert.equal(5, math.max(info:byte(29, 32)))
        local a = socket.tcp()
        assert.truthy(tostring(a):find("^tcp{master}: 0x%x"))
        assert.equal(-1, a:getfd())
        assert.same({ nil, "Bad file descriptor" }, { a:getpeername() })
        assert.equal(1, a:connect("localhost", port))
        assert.same({ nil, "already connected" }, { a:connect("localhost", port) })
        local b = assert(server:accept())
        assert.same({ "127.0.0.1", tonumber(port), "inet" }, { a:getpeername() })
        local there, number = b:getpeername()
        assert.same({ there, ("%d"):format(number), "inet" }, { a:getsockname() })
        assert.truthy(tostring(b):find("^tcp{client}"))
        assert.truthy(tostring(server):find("^tcp{server}"))
        assert.same({ nil, luring.strerror(luring.ENOTCONN) }, { server:getpeername() })
        assert.equal(luring.fileno(b), b:getfd())
    end))

    it("listens in LuaSocket's steps too", task(function()
        local server = socket.tcp4()
        assert.equal(1, server:setoption("reuseport", true))
        assert.equal(1, server:bind("127.0.0.1", 0))
        assert.is_true(server:getoption("reuseport"))
        assert.is_false(co.pcall(server.accept, server))
        assert.equal(1, server:listen(32))
        local host, port = place(server)
        local a = assert(socket.connect4(host, port))
        a:send("hello\n")
        assert.equal("hello", server:accept():receive())
        assert.equal(1, server:close())
        assert.same({ nil, "closed" }, { server:accept() })
        assert.same({ nil, "connection refused" }, { socket.connect(host, port) })
        local any = socket.tcp()
        assert.equal(1, any:listen())
        assert.equal("0.0.0.0", (any:getsockname()))
    end))

    it("connects from an address of this machine", task(function()
        local server = assert(socket.bind("127.0.0.1", 0))
        local a = assert(socket.connect("127.0.0.1", select(2, place(server)), "127.0.0.2"))
        assert.equal("127.0.0.2", (a:getsockname()))
        assert.equal("127.0.0.2", (server:accept():getpeername()))
        local b = socket.tcp()
        b:bind("127.0.0.3", 0)
        assert.equal(1, b:connect(place(server)))
        assert.equal("127.0.0.3", (server:accept():getpeername()))
        local c = socket.tcp()
        c:bind("127.0.0.1", free_port())
        assert.is_false(co.pcall(c.connect, c, place(server)))
    end))

    it("knows the addresses of its family alone, if it has one", task(function()
        local server, six = assert(socket.bind("127.0.0.1", 0)), socket.tcp6()
        local _, port = server:getsockname()
        if not six:bind("::1", 0) then return end -- a machine may have no IPv6
        six = socket.tcp6()
        assert.equal(1, six:bind("*", 0))
        six:listen()
        local _, other = six:getsockname()
        assert.same({ "::", "string", "inet6" }, { (six:getsockname()), type(other), select(3, six:getsockname()) })
        assert.equal(1, socket.tcp6():connect("::1", other))
        assert.equal(1, socket.tcp6():connect("localhost", other))
        assert.equal(1, socket.tcp4():connect("127.0.0.1", port))
        assert.equal(1, socket.tcp4():connect("localhost", port))
        local none = "Address family for hostname not supported"
        for family, host in pairs { tcp4 = "::1", tcp6 = "127.0.0.1" } do
            for _, method in ipairs { "connect", "bind" } do
                local a = socket[family]()
                assert.same({ nil, none }, { a[method](a, host, port) })
            end
        end
    end))

    it("listens for IPv6 alone at an address of IPv6, unless it is told otherwise", task(function()
        local six = socket.bind("::", 0)
        if not six then return end -- a machine may have none
        assert.is_true(six:getoption("ipv6-v6only"))
        local _, port = six:getsockname()
        assert(socket.bind("0.0.0.0", port))
        local both = socket.tcp6()
        both:setoption("ipv6-v6only", false)
        assert.equal(1, both:bind("*", 0))
        both:listen()
        _, port = both:getsockname()
        assert(socket.connect("127.0.0.1", port))
    end))

    it("does not connect one that listens, which goes on", task(function()
        local server = assert(socket.bind("127.0.0.1", 0))
        assert.same({ nil, "already connected" }, { server:connect(place(server)) })
        local a = assert(socket.connect(place(server)))
        assert.truthy(server:accept())
        a:close()
        server:close()
        assert.same({ nil, "closed" }, { server:connect("127.0.0.1", 1) })
        assert.same({ nil, "service not supported for socket type" }, { socket.connect("127.0.0.1", "99999") })
    end))

    it("names what went wrong as LuaSocket does", task(function()
        assert.same({ nil, "connection refused" }, { socket.connect("127.0.0.1", free_port()) })
        local server = assert(socket.bind("127.0.0.1", 0))
        local _, port = server:getsockname()
        assert.same({ nil, "address already in use" }, { socket.bind("127.0.0.1", port) })
        assert.same({ nil, luring.strerror(luring.EADDRNOTAVAIL) }, { socket.bind("192.0.2.1", 0) })
        for _, host in ipairs { "no.such.host.invalid", "no host", "x:y" } do
            assert_unknown(socket.connect(host, 80))
            assert_unknown(socket.bind(host, 0))
        end
        for _, none in ipairs { "no such", 99999, -1, 80.5 } do
            assert.same({ nil, "service not supported for socket type" }, { socket.connect("127.0.0.1", none) })
        end
        local nowhere = "unix:" .. os.tmpname() .. "/nothing"
        assert.same({ nil, luring.strerror(luring.ENOTDIR) }, { socket.connect(nowhere) })
        os.remove(nowhere:match("^unix:(.*)/"))
        assert.same({ nil, luring.strerror(luring.ENOENT) }, { socket.connect(nowhere) })
        assert.is_false(co.pcall(socket.connect, "127.0.0.1", nil))
        assert.is_false(co.pcall(socket.bind, "127.0.0.1", {}))
        local a = socket.tcp()
        local ok, why = pcall(a.receive, a)
        assert.is_false(ok)
        assert.truthy(why:find("tcp{client} expected", 1, true))
        assert.is_false(pcall(a.send, a, "x"))
    end))

    it("sends parts, and says where the last byte was", task(function()
        local a, b = pair()
        local places = {
            a:send("abcdef", 2, 3), a:send("abcdef", -2), a:send("abcdef", -3, -2), a:send("abc", 0, 99), a:send(12),
            a:send("abc", 5), a:send("abc", 3, 1), (a:send("")),
        }
        assert.same({ 3, 6, 5, 3, 2, 4, 2, 0 }, places)
        assert.equal(3, a:send("abcdef", "2", "3"))
        a:close()
        assert.equal("bcefdeabc12bc", b:receive("*a"))
        assert.is_false(co.pcall(b.send, b, {}))
        local ok, err = co.pcall(function() b:send("x", 1, "y") end)
        assert.is_false(ok)
        assert.truthy(err:find("co_socket_spec%.lua:%d+: bad argument #3 to 'send'"), err)
    end))

    it("sends as much as its timeout allows, and goes on from there", task(function()
        local text = ("0123456789abcdef"):rep(1000000)
        for _, seconds in ipairs { 0, 0.01 } do
            local a, b = pair()
            a:settimeout(seconds)
            local sent, why, last
            repeat -- a busy machine may let the time pass before anything is written
                sent, why, last = a:send(text, 7)
                assert.same({ nil, "timeout" }, { sent, why })
            until last > 6
            assert.is_true(last < #text)
            local reader = co.spawn(function() return b:receive(#text - 6) end)
            a:settimeout(nil)
            assert.equal(#text, a:send(text, last + 1))
            assert.is_true(reader:join() == text:sub(7))
        end
    end))

    it("receives lines without CR and LF, torn anywhere", task(function()
        local text = "one\r\ntwo\n\r\nth\rree\nlast"
        for cut = 1, #text - 1 do
            local a, b = pair()
            co.spawn(function()
                b:send(text:sub(1, cut))
                co.sleep(0)
                co.sleep(0)
                b:send(text:sub(cut + 1))
                b:close()
            end)
            local lines = { a:receive(), a:receive("*l"), a:receive("l"), (a:receive("*line", "a pre")) }
            assert.same({ "one", "two", "", "a prethree" }, lines)
            assert.same({ nil, "closed", "> last" }, { a:receive("*l", "> ") })
            assert.same({ nil, "closed", "> " }, { a:receive("*l", "> ") })
            a:close()
        end
    end))

    it("receives so many bytes, those of the prefix among them", task(function()
        local a, b = pair()
        b:send("0123456789")
        assert.equal("012", a:receive(3))
        assert.equal("ab3", a:receive(3, "ab"))
        assert.equal("abcd", a:receive(2, "abcd"))
        assert.equal("45", a:receive("2"))
        assert.is_true(a:dirty())
        b:send("xyz")
        assert.equal("6789xyz", a:receive(7))
        assert.is_false(a:dirty())
        for _, pattern in ipairs { -1, "x", "*L" } do assert.is_false(co.pcall(a.receive, a, pattern)) end
        b:close()
        assert.same({ nil, "closed", "pp" }, { a:receive(4, "pp") })
    end))

    it("waits for data, and takes none, when it receives 0 bytes", task(function()
        local a, b = pair()
        a:settimeout(0.01)
        assert.same({ nil, "timeout", "" }, { a:receive(0) })
        b:send("q")
        assert.equal("", a:receive(0))
        assert.equal("q", a:receive(1))
        b:close()
        assert.same({ nil, "closed", "" }, { a:receive(0) })
    end))

    it("receives all until the end, which alone is an error", task(function()
        local a, b = pair()
        local text = ("0123456789"):rep(100000)
        co.spawn(function()
            b:send(text)
            b:close()
        end)
        assert.equal("0123", a:receive(4))
        assert.is_true("pre" .. text:sub(5) == a:receive("*a", "pre"))
        assert.same({ nil, "closed", "pre" }, { a:receive("a", "pre") })
    end))

    it("gives what it has at a timeout", task(function()
        local a, b = pair()
        a:settimeout(0.01)
        b:send("par\rt")
        assert.same({ nil, "timeout", "> par\rt" }, { a:receive(10, "> ") })
        b:send("par\rt")
        assert.same({ nil, "timeout", "part" }, { a:receive("*l") })
        b:send("par\rt")
        assert.same({ nil, "timeout", "par\rt" }, { a:receive("*a") })
        assert.same({ nil, "timeout", "" }, { a:receive() })
    end))

    it("takes what is there, and never waits, with a timeout of 0", task(function()
        local a, b = pair()
        a:settimeout(0)
        assert.same({ nil, "timeout", "" }, { a:receive() })
        b:send("a line\nand more")
        assert.equal("a line", a:receive())
        assert.same({ nil, "timeout", "and more" }, { a:receive("*a") })
        local c = socket.tcp()
        c:settimeout(0)
        assert.same({ nil, "timeout" }, { c:connect("127.0.0.1", free_port()) })
    end))

    it("counts both kinds of timeout from the beginning of a call", task(function()
        for _, mode in ipairs { "b", "t", "r" } do
            local a, b = pair()
            local drip = co.background(function()
                while b:send("x") do co.sleep(0.005) end
            end)
            assert.equal(1, a:settimeout(0.05, mode))
            local data, why, rest = a:receive(1000)
            assert.same({ nil, "timeout" }, { data, why })
            assert.is_true(#rest > 0)
            drip:cancel()
        end
        local a = socket.tcp()
        a:settimeout(5)
        a:settimeout(3, "t")
        assert.same({ 5, 3 }, { a:gettimeout() })
        a:settimeout(7, "block")
        a:settimeout(8, "total")
        assert.same({ 7, 8 }, { a:gettimeout() })
        a:settimeout()
        a:settimeout(-1, "t")
        assert.same({ -1, -1 }, { a:gettimeout() })
        assert.is_false(pcall(a.settimeout, a, 1, "x"))
        assert.is_false(pcall(a.settimeout, a, "soon"))
    end))

    it("takes the shorter of two timeouts", task(function()
        local a = pair()
        for _, modes in ipairs { { "b", "t" }, { "t", "b" } } do
            a:settimeout(1000, modes[1])
            a:settimeout(0.005, modes[2])
            assert.same({ nil, "timeout", "" }, { a:receive() })
        end
    end))

    it("sends and receives what it can, however short its timeout", task(function()
        local a, b = pair()
        for _, seconds in ipairs { 1e-9, 1e-6 } do
            a:settimeout(seconds)
            assert.equal(4, a:send("data"))
            assert.equal("data", b:receive(4))
            b:send("answer\n")
            assert.equal("answer", a:receive())
        end
    end))

    it("accepts within its timeout", task(function()
        local server = assert(socket.bind("127.0.0.1", 0))
        for _, seconds in ipairs { 0, 0.01 } do
            server:settimeout(seconds)
            assert.same({ nil, "timeout" }, { server:accept() })
            local a = assert(socket.connect(place(server)))
            local b = assert(server:accept())
            a:send("x\n")
            assert.equal("x", b:receive())
        end
        for _, seconds in ipairs { PATIENCE, -1 } do
            server:settimeout(seconds)
            co.spawn(function()
                co.sleep(0.005)
                socket.connect(place(server))
            end)
            assert.truthy(server:accept())
        end
    end))

    it("loses nothing when its task's wait is cancelled", task(function()
        local a, b = pair()
        b:send("abc")
        assert.is_nil((co.timeout(0.01, a.receive, a, 10)))
        b:send("def\n")
        assert.equal("abcdef", a:receive())
    end))

    it("has options, which one that is not connected yet will have", task(function()
        local server = assert(socket.bind("127.0.0.1", 0))
        local a = socket.tcp()
        assert.equal(1, a:setoption("tcp-nodelay", true))
        assert.equal(1, a:connect(place(server)))
        assert.is_true(a:getoption("tcp-nodelay"))
        assert.equal(1, luring.getsockopt(a:getfd(), luring.IPPROTO_TCP, luring.TCP_NODELAY))
        assert.equal(1, a:setoption("tcp-nodelay", false))
        assert.is_false(a:getoption("tcp-nodelay"))
        assert.equal(1, a:setoption("keepalive", true))
        assert.equal(1, luring.getsockopt(a:getfd(), luring.SOL_SOCKET, luring.SO_KEEPALIVE))
        assert.equal(1, a:setoption("tcp-keepidle", 77))
        assert.equal(77, a:getoption("tcp-keepidle"))
        assert.equal(1, a:setoption("linger", { on = true, timeout = 300 }))
        assert.same({ on = true, timeout = 300 }, a:getoption("linger"))
        assert.equal(1, a:setoption("linger", { on = true, timeout = "5.5" }))
        assert.same({ on = true, timeout = 5 }, a:getoption("linger"))
        assert.equal(1, a:setoption("tcp-keepidle", "78.5"))
        assert.equal(78, a:getoption("tcp-keepidle"))
        for _, n in ipairs { -1, 2 ^ 40, math.huge, -math.huge, math.huge - math.huge } do
            assert.same({ nil, "setsockopt failed" }, { a:setoption("tcp-keepidle", n) })
            assert.same({ nil, "setsockopt failed" }, { a:setoption("linger", { on = true, timeout = n }) })
        end
        assert.is_nil(a:getoption("error"))
        assert.is_false(pcall(a.setoption, a, "no such", true))
        assert.is_false(pcall(a.setoption, a, "keepalive", 1))
        assert.is_false(pcall(a.getoption, a, "no such"))
        a:close()
        assert.same({ nil, "setsockopt failed" }, { a:setoption("keepalive", true) })
        assert.same({ nil, "getsockopt failed" }, { a:getoption("keepalive") })
    end))

    it("is closed by a reset, and says so", task(function()
        local a, b = pair()
        a:setoption("linger", { on = true, timeout = 0 })
        a:close()
        assert.same({ nil, "closed", "" }, { b:receive("*a") })
        assert.same({ nil, "closed", 0 }, { b:send("x") })
    end))

    it("is shut down in one direction, or both", task(function()
        local a, b = pair()
        a:send("ask")
        assert.equal(1, a:shutdown("send"))
        assert.equal("ask", b:receive("*a"))
        assert.same({ nil, "closed", 0 }, { a:send("x") })
        b:send("answer\n")
        assert.equal("answer", a:receive())
        local c, d = pair()
        assert.equal(1, c:shutdown())
        assert.same({ nil, "closed", "" }, { d:receive() })
        assert.same({ nil, "closed", "" }, { c:receive() })
        assert.equal(1, d:shutdown("receive"))
        assert.equal(1, d:send("x"))
        assert.is_false(pcall(a.shutdown, a, "x"))
    end))

    it("is closed once, and then gives nothing but that", task(function()
        local a, b = pair()
        b:send("unread\nlines")
        a:receive()
        local waits = co.spawn(function() return { b:receive() } end)
        co.sleep(0)
        b:close()
        assert.same({ nil, "closed", "" }, waits:join())
        assert.equal(1, a:close())
        assert.equal(1, a:close())
        assert.same({ nil, "closed", "pre" }, { a:receive(9, "pre") })
        assert.same({ nil, "closed", 1 }, { a:send("abc", 2) })
        assert.is_false(a:dirty())
        assert.equal(-1, a:getfd())
        assert.same({ nil, "Bad file descriptor" }, { a:getsockname() })
        assert.equal(1, a:shutdown())
    end))

    it("tells what is wrong with a call at the program's line", task(function()
        local own = socket.tcp()
        local cases = {
            ["#3 to 'setstats'"] = function() own:setstats(1, 2, "x") end,
            ["#1 to 'setfd'"] = function() own:setfd(1.5) end,
            ["#1 to 'setfd' %(a descriptor's"] = function() own:setfd(2 ^ 31) end,
            ["#1 to 'skip'"] = function() socket.skip("x") end,
            ["#1 to 'select'"] = function() socket.select { 5 } end,
            ["#2 to 'select'"] = function() socket.select({}, { 5 }) end,
            ["#1 to 'settimeout'"] = function() own:settimeout(false) end,
            ["#1 to 'connect'"] = function() socket.connect() end,
            ["#2 to 'connect'"] = function() own:connect("127.0.0.1", {}) end,
            ["#1 to 'send'"] = function() own:send("x") end,
            ["#1 to 'setoption'"] = function() own:setoption("nope", 1) end,
            ["#1 to 'bind'"] = function() socket.bind() end,
            ["#1 to 'toip'"] = function() socket.dns.toip() end,
            ["#1 to 'getaddrinfo'"] = function() socket.dns.getaddrinfo("a\0b") end,
            ["#1 to 'skip' %(number"] = function() socket.skip(-1, "x") end,
            ["#1 to 'select' %(a list"] = function() socket.select(5) end,
            ["#3 to 'select'"] = function() socket.select({}, {}, {}) end,
            ["#2 to 'setoption' %(number 'timeout'"] = function() own:setoption("linger", { on = true }) end,
            ["#2 to 'setoption' %(boolean 'on'"] = function() own:setoption("linger", { on = 1, timeout = 1 }) end,
            ["#2 to 'setoption' %(number expected, got string"] = function() own:setoption("tcp-keepcnt", "x") end,
            ["#2 to 'receive'"] = function() pair():receive("*l", {}) end,
        }
        for what, call in pairs(cases) do
            local ok, err = co.pcall(call)
            assert.is_false(ok)
            assert.truthy(err:find("^tests/co_socket_spec.lua:%d+: bad argument " .. what), err)
        end
    end))

    it("takes a descriptor, and gives its own away", task(function()
        local one, other = luring.socketpair()
        local a, b = socket.tcp(), socket.tcp()
        a:setfd(one)
        b:setfd(other)
        a:send("hello\n")
        assert.equal("hello", b:receive())
        assert.same({ "unix:", nil, "unix" }, { a:getpeername() })
        a:setfd(socket._SOCKETINVALID)
        assert.equal(-1, a:getfd())
        assert.same({ nil, "closed", "" }, { a:receive() })
        a:close()
        assert.equal(luring.SOCK_STREAM, luring.getsockopt(one, luring.SOL_SOCKET, luring.SO_TYPE))
        drive.close(one)
        assert.same({ nil, "closed", "" }, { b:receive() })
        assert.is_false(pcall(a.setfd, a, 9999))
    end))

    it("counts its bytes and its age", task(function()
        local a, b = pair()
        a:send("12345")
        b:receive(2)
        assert.same({ 0, 5 }, { (a:getstats()), (select(2, a:getstats())) })
        local received, sent, age = b:getstats()
        assert.same({ 2, 0 }, { received, sent }) -- the other three are kept for a receive
        assert.is_true(age >= 0 and age < 60)
        assert.equal(1, b:setstats(10, "20", 3600))
        b:receive(1)
        received, sent, age = b:getstats()
        assert.same({ 11, 20 }, { received, sent })
        assert.is_true(age >= 3600 and age < 3700)
        b:close()
        assert.same({ 11, 20 }, { (b:getstats()), (select(2, b:getstats())) })
    end))

    it("takes a service's name for a port", task(function()
        local list = co.resolve("127.0.0.1", "postgresql")
        if not list then return end -- a machine may have no list of them
        local server, why = socket.bind("127.0.0.1", "postgresql")
        if not server then return assert.equal("address already in use", why) end
        assert.equal(tostring(list[1].port), select(2, server:getsockname()))
    end))

    it("connects to a path", task(function()
        local path = os.tmpname()
        os.remove(path)
        local server = assert(co.listen("unix:" .. path))
        local a = assert(socket.connect("unix:" .. path))
        server:accept():write("hello\n")
        assert.equal("hello", a:receive())
        os.remove(path)
    end))
end)

describe("what LuaSocket has beside its sockets", function()
    it("has a try whose finalizer may fail, and wait", task(function()
        local log = {}
        local try = socket.newtry(function()
            co.sleep(0)
            log[#log + 1] = "finally"
            error("not told")
        end)
        assert.same({ nil, "no" }, { socket.protect(function() try(nil, "no") end)() })
        assert.same({ "finally" }, log)
    end))

    it("has a try, whose error protect makes a result of", task(function()
        local log = {}
        local try = socket.newtry(function() log[#log + 1] = "finally" end)
        local a, b = pair()
        local f = socket.protect(function(pattern, ...)
            local line = try(a:receive(pattern)) -- it waits, on every Lua
            return line, ...
        end)
        co.spawn(function()
            co.sleep(0.001)
            b:send("a line\n")
            co.sleep(0.001)
            b:close()
        end)
        assert.same({ "a line", "x", nil, n = 4 }, { n = select("#", f("*l", "x", nil, nil)), "a line", "x" })
        assert.same({}, log)
        assert.same({ nil, "closed" }, { f("*l") })
        assert.same({ "finally" }, log)
        assert.same({ 1, nil, 3 }, { socket.try(1, nil, 3) })
        assert.same({ nil, "no" }, { socket.protect(function() socket.try(false, "no", "more") end)() })
        local value = {}
        assert.equal(value, (select(2, socket.protect(socket.try)(nil, value))))
    end))

    it("lets all other errors, and cancellations, pass a protect", task(function()
        local raise = socket.protect(error)
        local value = {}
        assert.same({ false, value }, { co.pcall(raise, value) })
        assert.same({ false, "a string" }, { co.pcall(raise, "a string", 0) })
        local ok, err = co.pcall(socket.try, nil, "unprotected")
        assert.is_false(ok)
        assert.equal("unprotected", tostring(err))
        local t = co.spawn(socket.protect(function() co.sleep(1000) end))
        co.sleep(0)
        t:cancel()
        co.sleep(0)
        co.sleep(0)
        assert.equal("cancelled", t:status())
    end))

    it("has sinks", task(function()
        local a, b = pair()
        local keep = socket.sink("keep-open", a)
        assert.equal(3, keep("abc"))
        assert.equal(1, keep(nil))
        assert.equal(a:getfd(), keep.getfd())
        assert.equal(3, socket.sink(a)("def"))
        local close = socket.sink("close-when-done", a)
        assert.equal(3, close("ghi"))
        assert.is_false(close.dirty())
        assert.equal(1, close(nil))
        assert.equal("abcdefghi", b:receive("*a"))
        assert.is_false(pcall(socket.sink, "no such", a))
    end))

    it("has sources", task(function()
        local a, b = pair()
        local text = ("0123456789"):rep(500)
        a:send(text)
        a:close()
        local by_length = socket.source("by-length", b, 3000)
        assert.equal(text:sub(1, socket.BLOCKSIZE), by_length())
        assert.equal(3000 - socket.BLOCKSIZE, #by_length())
        assert.is_nil(by_length())
        assert.is_true(by_length.dirty())
        local until_closed = socket.source("default", b)
        assert.equal(text:sub(3001), until_closed())
        assert.is_nil(until_closed())
        assert.equal(-1, b:getfd())
        assert.same({ nil, "closed" }, { socket.source("by-length", b, 1)() })
    end))

    it("has skip, and choose", function()
        assert.same({ 2, 3 }, { socket.skip(1, 1, 2, 3) })
        assert.same({ 3 }, { socket.skip("2", 1, 2, 3) })
        assert.same({}, { socket.skip(2 ^ 63, 1) })
        assert.same({}, { socket.skip(3, 1) })
        local choose = socket.choose {
            default = function(...) return "default", ... end,
            one = function(x) return x end,
        }
        assert.same({ "default", 1, 2 }, { choose(1, 2) })
        assert.equal(5, choose("one", 5))
        assert.is_false(pcall(choose, "two"))
    end)

    it("has select, which finds what is ready", task(function()
        local a, b = pair()
        local c, d = pair()
        assert.same({ {}, {}, "timeout" }, { socket.select({ a, c }, nil, 0) })
        assert.same({ {}, {}, "timeout" }, { socket.select({ a, c }, {}, 0.005) })
        assert.same({ {}, {}, "timeout" }, { socket.select(nil, nil, 0.001) })
        assert.same({ {}, {}, "timeout" }, { socket.select({ {} }, nil, "0") }) -- one without a descriptor
        b:send("x")
        d:send("yz")
        local r, w, why = socket.select({ a, b, c }, { b }, 0)
        assert.equal(2, #r)
        assert.is_true(r[r[a]] == a and r[r[c]] == c)
        assert.is_true(#w == 1 and w[1] == b and w[b] == 1)
        assert.is_nil(why)
        c:receive(1)
        a:receive(1)
        r, w = socket.select({ a, c }) -- it has bytes that were read
        assert.is_true(#r == 1 and r[1] == c and #w == 0)
        for _, seconds in ipairs { PATIENCE, -1 } do
            co.spawn(function()
                co.sleep(0.005)
                b:send("later")
            end)
            r = socket.select({ a }, nil, seconds)
            assert.equal(a, r[1])
            a:receive(5)
        end
    end))

    it("has the time, and sleeps", task(function()
        local before = socket.gettime()
        assert.is_true(math.abs(before - os.time()) < 5)
        assert.is_true(before % 1 > 0 or socket.gettime() % 1 > 0)
        socket.sleep(0.02)
        socket.sleep(-1)
        local passed = socket.gettime() - before
        assert.is_true(passed > 0.015 and passed < 5)
    end))

    it("knows names", task(function()
        local ip, all = socket.dns.toip("localhost")
        assert.equal("127.0.0.1", ip)
        assert.same({ "localhost", {}, "127.0.0.1" }, { all.name, all.alias, all.ip[1] })
        assert.equal("10.1.2.3", (socket.dns.toip("10.1.2.3")))
        assert.same({ nil, "host not found" }, { socket.dns.toip("no.such.host.invalid") })
        assert.same({ nil, "host not found" }, { socket.dns.toip("::1") })
        assert.same({ { family = "inet6", addr = "::1" } }, socket.dns.getaddrinfo("::1"))
        assert_unknown(socket.dns.getaddrinfo("no.such.host.invalid"))
        local pipe = assert(io.popen("uname -n"))
        assert.equal(pipe:read("*l"), socket.dns.gethostname())
        pipe:close()
    end))

    it("says that only a task can wait", function()
        local ok, why = pcall(socket.connect, "127.0.0.1", 1)
        assert.is_false(ok)
        assert.truthy(why:find("only a task can wait", 1, true))
    end)
end)
