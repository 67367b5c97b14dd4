local luring = require "luring"
local child = require "child"
local drive = require "drive"
local program = require "program"

local function at(port) return { family = luring.AF_INET, addr = "127.0.0.1", port = port } end

describe("the example tcp_proxy.lua", function()
    local ring, listener, proxy, port
    before_each(function()
        ring = luring.queue_init(64, 0)
        listener = luring.tcp_listen(at(0))
    end)
    after_each(function()
        if proxy then proxy:kill() end
        luring.queue_exit(ring)
        drive.close(listener)
    end)

    -- Starts a proxy for `clients`, whose target is `listener`.
    local function start(clients, ...)
        local target = "127.0.0.1:" .. luring.getsockname(listener).port
        proxy = program.start("tcp_proxy.lua", target, "0", tostring(clients), ...)
        port = tonumber(proxy:wait("listening on port (%d+)\n"))
    end

    -- A client's connection to the proxy, and the proxy's to its target.
    local function pair()
        local client = luring.tcp_connect(at(port))
        assert(client >= 0, client)
        return client, (drive.one(ring, "accept", listener, 0))
    end

    local function send(fd, data) assert.equal(#data, (drive.one(ring, "send", fd, data, 0))) end

    local function receive(fd) return (select(2, drive.one(ring, "recv", fd, 65536, 0))) end

    local function ends_well()
        local result = proxy:finish()
        assert.equal("", result.errors)
        assert.equal(0, result.status)
    end

    it("passes on what is sent, and the end of it", function()
        start(1)
        local client, server = pair()
        send(client, "a question")
        assert.equal("a question", receive(server))
        luring.shutdown_fd(client, luring.SHUT_WR)
        assert.equal("", receive(server))
        -- The other direction goes on.
        for i = 1, 3 do
            send(server, "answer " .. i)
            assert.equal("answer " .. i, receive(client))
        end
        drive.close(server)
        assert.equal("", receive(client))
        drive.close(client)
        ends_well()
    end)

    it("passes much on, unchanged", function()
        start(1)
        local client, server = pair()
        local data = {}
        for i = 1, 500000 do data[i] = ("%08x"):format(i) end
        data = table.concat(data)
        local sent
        luring.send(ring, client, data, luring.MSG_WAITALL, function(cqe, res)
            luring.cqe_seen(ring, cqe)
            sent = res
            luring.shutdown_fd(client, luring.SHUT_WR)
        end)
        local got = {}
        repeat got[#got + 1] = receive(server) until got[#got] == ""
        assert.equal(#data, sent)
        assert.is_true(table.concat(got) == data)
        drive.close(client, server)
        ends_well()
    end)

    it("gives everything back: a hundred clients come and go", function()
        start(101)
        local inherited = proxy:sockets() - 1 -- and its listener
        for i = 1, 100 do
            local client, server = pair()
            send(client, "x")
            assert.equal("x", receive(server))
            if i % 3 == 0 then send(client, "unread") end
            -- By turns it is the client that leaves first, or its peer, with data unread.
            if i % 2 == 0 then client, server = server, client end
            drive.close(client)
            drive.one(ring, "recv", server, 65536, 0)
            drive.close(server)
        end
        local client, server = pair()
        send(client, "the last")
        assert.equal("the last", receive(server))
        -- And no listener, since no client is awaited any more.
        assert.equal(inherited + 2, proxy:sockets_left(inherited + 2))
        drive.close(client, server)
        ends_well()
    end)

    it("lets nobody wait for those who don't read", function()
        start(4, "2") -- buffers
        local idle, data = {}, ("x"):rep(10000000)
        for i = 1, 3 do
            idle[2 * i - 1], idle[2 * i] = pair()
            luring.send(ring, idle[2 * i - 1], data, luring.MSG_WAITALL)
            luring.submit(ring)
            receive(idle[2 * i])
        end
        local client, server = pair()
        send(client, "a question")
        assert.equal("a question", receive(server))
        luring.queue_exit(ring)
        for _, fd in ipairs(idle) do drive.close(fd) end
        drive.close(client, server)
        ends_well()
    end)

    it("closes a client whose target refuses it", function()
        start(1)
        drive.close(listener)
        local client = luring.tcp_connect(at(port))
        assert.equal("", receive(client))
        drive.close(client)
        local result = proxy:finish()
        assert.truthy(result.errors:find("^tcp_proxy.lua: 127.0.0.1:%d+: " .. luring.strerror(luring.ECONNREFUSED)))
        assert.equal(0, result.status)
    end)

    it("says in one line what is wrong with its ports", function()
        local taken = tostring(luring.getsockname(listener).port)
        for _, case in ipairs {
            { "what are the ports" }, { "what are the ports", "x" }, { "what are the ports", "1.2.3.4:1", "x" },
            { luring.strerror(luring.EADDRINUSE), "127.0.0.1:1", taken }, { "", "127.0.0.1:1", "70000" },
            { "999.1.1.1:1", "999.1.1.1:1" }, { "127.0.0.1:70000", "127.0.0.1:70000" },
        } do
            local result = child.shell(child.example("tcp_proxy.lua", case[2], case[3]))
            assert.equal(1, result.status)
            assert.truthy(result.output:find("^tcp_proxy.lua: [^\n]*\n$"), result.output)
            assert.truthy(result.output:find(case[1], 1, true), result.output)
        end
    end)
end)
