local luring = require "luring"
local child = require "child"
local drive = require "drive"
local program = require "program"

local HOME = "127.0.0.1"

describe("the example udp_echo.lua", function()
    local ring, socket, server
    before_each(function()
        ring = luring.queue_init(64, 0)
        socket = luring.udp_bind { family = luring.AF_INET, addr = HOME, port = 0 }
    end)
    after_each(function()
        if server then server:kill() end
        luring.queue_exit(ring)
        drive.close(socket)
    end)

    local function address() return {
        family = luring.AF_INET, addr = HOME, port = tonumber(server:wait("bound to port (%d+)\n")),
    } end

    it("sends back what comes, however large", function()
        local sizes = { 1, 0, 1000, 65507, 17 }
        server = program.start("udp_echo.lua", "0", tostring(#sizes))
        local to = address()
        for _, size in ipairs(sizes) do
            local data = ("x"):rep(size)
            assert.equal(size, (drive.one(ring, "sendto", socket, data, 0, to)))
            local res, message = drive.one(ring, "recvmsg", socket, { size = 65535, name = true }, 0)
            assert.equal(size, res)
            assert.is_true(message.data == data)
            assert.equal(to.port, message.addr.port)
        end
        local result = server:finish()
        assert.equal(0, result.status, result.errors)
        assert.equal("", result.errors)
    end)

    it("answers each of many clients", function()
        server = program.start("udp_echo.lua", "0", "200")
        local to, others = address(), {}
        for i = 1, 20 do
            others[i] = luring.udp_bind { family = luring.AF_INET, addr = HOME, port = 0 }
        end
        for round = 1, 10 do
            for i, fd in ipairs(others) do drive.one(ring, "sendto", fd, i .. ":" .. round, 0, to) end
            for i, fd in ipairs(others) do
                assert.equal(i .. ":" .. round, (select(2, drive.one(ring, "recv", fd, 100, 0))))
            end
        end
        drive.close((unpack or table.unpack)(others))
        assert.equal(0, server:finish().status)
    end)

    it("says in one line that its port is taken, or what is no port", function()
        local port = tostring(luring.getsockname(socket).port)
        local result = child.shell(child.example("udp_echo.lua", port))
        assert.equal(("udp_echo.lua: port %s: %s\n"):format(port, luring.strerror(luring.EADDRINUSE)), result.output)
        assert.equal(1, result.status)
        for _, wrong in ipairs { "x", "70000", "-1" } do
            result = child.shell(child.example("udp_echo.lua", wrong))
            assert.equal(1, result.status)
            assert.truthy(result.output:find("^udp_echo.lua: [^\n]*\n$"), result.output)
        end
    end)
end)
