-- Callbacks within callbacks, and values that can be called.

local luring = require "luring"
local drive = require "drive"
local child = require "child"

describe("callbacks that nest", function()
    it("end with Lua's own error, not the process", function()
        local result = child.run [[
            local luring = require "luring"
            local ring = luring.queue_init(4, 0)
            local from, to = luring.pipe2()
            assert(luring.write(ring, to, "x", -1))
            assert(luring.read(ring, from, 10, -1, function() luring.do_cqes(ring) end))
            luring.submit_and_wait(ring, 2)
            local ok, message = pcall(luring.do_cqes, ring)
            print(ok, tostring(message):find("overflow", 1, true) ~= nil
                or tostring(message):find("error in error", 1, true) ~= nil)
        ]]
        assert.same({ status = 0, output = "false\ttrue\n" }, result)
    end)
end)

describe("what can be called", function()
    local ring
    before_each(function() ring = luring.queue_init(8, 0) end)
    after_each(function() luring.queue_exit(ring) end)

    it("is called, a table or a string, each its own", function()
        local calls = {}
        local callable = setmetatable({}, { __call = function(_, cqe)
            luring.cqe_seen(ring, cqe)
            calls[#calls + 1] = "table"
        end })
        local strings = getmetatable("")
        strings.__call = function(text, cqe)
            luring.cqe_seen(ring, cqe)
            calls[#calls + 1] = text
        end
        local from, to = luring.pipe2()
        assert(luring.write(ring, to, "x", -1, callable))
        drive.turn(ring)
        assert(luring.write(ring, to, "x", -1, "a string"))
        drive.turn(ring)
        assert(luring.write(ring, to, "x", -1, "another"))
        drive.turn(ring)
        assert(luring.write(ring, to, "x", -1)) -- none
        drive.turn(ring)
        strings.__call = nil
        assert.same({ "table", "a string", "another" }, calls)
        assert.error_matches(function() luring.write(ring, to, "x", -1, "text") end, "function expected, got string")
        drive.close(from, to)
    end)
end)

describe("accepted connections", function()
    -- How many sockets this process has open.
    local function sockets() return drive.descriptors("^socket:") end

    local server, address
    before_each(function()
        server = luring.tcp_listen { family = luring.AF_INET, addr = "127.0.0.1", port = 0 }
        address = luring.getsockname(server)
    end)
    after_each(function() luring.close_fd(server) end)

    it("are closed when their ring ends before their callback", function()
        local before = sockets()
        for _ = 1, 3 do
            local ring = luring.queue_init(4, 0)
            assert(luring.accept(ring, server, 0, function() end))
            luring.submit(ring)
            local client = luring.tcp_connect(address)
            luring.submit_and_wait(ring, 1)
            luring.queue_exit(ring)
            luring.close_fd(client)
        end
        assert.equal(before, sockets())
    end)

    it("are closed when there is no callback", function()
        local before = sockets()
        local ring = luring.queue_init(4, 0)
        assert(luring.accept(ring, server, 0))
        luring.submit(ring)
        local client = luring.tcp_connect(address)
        drive.turn(ring)
        luring.close_fd(client)
        luring.queue_exit(ring)
        assert.equal(before, sockets())
    end)

    it("are the program's once a callback has got them, seen or not", function()
        local ring = luring.queue_init(4, 0)
        local fd
        assert(luring.accept(ring, server, 0, function(_, res) fd = res error "not seen" end))
        luring.submit(ring)
        local client = luring.tcp_connect(address)
        luring.submit_and_wait(ring, 1)
        assert.is_false(pcall(luring.do_cqes, ring))
        luring.queue_exit(ring)
        assert.equal("table", type(luring.getsockname(fd)))
        drive.close(client, fd)
    end)
end)
