local luring = require "luring"
local drive = require "drive"
local program = require "program"

describe("the example http_get.lua", function()
    local ring, listener, port, get
    before_each(function()
        ring = luring.queue_init(16, 0)
        listener = luring.tcp_listen { family = luring.AF_INET, addr = "127.0.0.1", port = 0 }
        port = luring.getsockname(listener).port
    end)
    after_each(function()
        if get then get:kill() end
        luring.queue_exit(ring)
        drive.close(listener)
    end)

    local function url(path) return ("http://127.0.0.1:%d%s"):format(port, path or "") end

    -- Starts it, and takes its request.
    local function asked(...)
        get = program.start("http_get.lua", ...)
        local connection = drive.one(ring, "accept", listener, 0)
        local request = ""
        while not request:find("\r\n\r\n", 1, true) do
            local res, data = drive.one(ring, "recv", connection, 65536, 0)
            assert(res > 0, res)
            request = request .. data
        end
        return connection, request
    end

    local function answer(connection, text)
        assert.equal(#text, (drive.one(ring, "send", connection, text, luring.MSG_WAITALL)))
        drive.close(connection)
        return get:finish()
    end

    it("asks for a document and writes it", function()
        local connection, request = asked(url "/a/document?of=it")
        assert.equal(("GET /a/document?of=it HTTP/1.0\r\nHost: 127.0.0.1:%d\r\nConnection: close\r\n\r\n"):format(port),
            request)
        local body = ("0123456789\0\r\n\r\n"):rep(100000)
        local result = answer(connection, ("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"):format(#body) .. body)
        assert.is_true(result.output == body)
        assert.equal("", result.errors)
        assert.equal(0, result.status)
    end)

    it("takes an answer in pieces", function()
        local connection, request = asked(url())
        assert.equal("GET / ", request:sub(1, 6))
        for piece in ("HTTP/1.0 200 OK\nServer: none\n\nte"):gmatch(".") do
            drive.one(ring, "send", connection, piece, 0)
        end
        local result = answer(connection, "xt\n")
        assert.equal("text\n", result.output)
        assert.equal(0, result.status)
    end)

    it("waits no longer than it is told to", function()
        -- For an answer, for the rest of it, and for a connection.
        local connection = asked(url(), "0.3")
        local result = get:finish()
        assert.equal(("http_get.lua: %s: no answer within 0.3 s\n"):format(url()), result.errors)
        assert.equal(1, result.status)
        drive.close(connection)

        connection = asked(url(), "0.3")
        drive.one(ring, "send", connection, "HTTP/1.0 200 OK\r\n\r\nbegun", 0)
        result = get:finish()
        assert.equal(("http_get.lua: %s: no answer within 0.3 s\n"):format(url()), result.errors)
        assert.equal("", result.output)
        assert.equal(1, result.status)
        drive.close(connection)

        -- A listener whose queue is full answers nobody.
        local full = luring.tcp_listen({ family = luring.AF_INET, addr = "127.0.0.1", port = 0 }, 0)
        local address = luring.getsockname(full)
        local waiting = luring.tcp_connect(address)
        local where = "http://127.0.0.1:" .. address.port
        get = program.start("http_get.lua", where, "0.3")
        result = get:finish()
        assert.equal(("http_get.lua: %s: no answer within 0.3 s\n"):format(where), result.errors)
        assert.equal(1, result.status)
        drive.close(waiting, full)
    end)

    it("waits no longer than that for an answer of which there is always more", function()
        local connection = asked(url(), "0.3")
        drive.one(ring, "send", connection, "HTTP/1.0 404 Not Found\r\n\r\n", 0)
        local senders = {}
        for i = 1, 3 do
            senders[i] = { luring.posix_spawn {
                "timeout", "3", "dd", "if=/dev/zero", "bs=1M", "status=none", stdout = connection, stderr = connection,
            } }
        end
        local result = answer(connection, "")
        for _, sender in ipairs(senders) do
            drive.one(ring, "poll_add", sender[2], luring.POLLIN)
            luring.waitid_now(luring.P_PIDFD, sender[2])
            drive.close(sender[2])
        end
        assert.same({ ("http_get.lua: %s: no answer within 0.3 s\n"):format(url()), 1 },
            { result.errors, result.status })
    end)

    it("takes a number of seconds that makes sense", function()
        for _, seconds in ipairs { "x", "0", "-1", "nan", "1e300" } do
            get = program.start("http_get.lua", url(), seconds)
            local result = get:finish()
            assert.same({ "http_get.lua: SECONDS is a number, not " .. seconds .. " (see --help)\n", 1 },
                { result.errors, result.status })
        end
    end)

    it("fails in one line, whatever is wrong", function()
        for _, case in ipairs {
            { "HTTP/1.1 404 Not Found\r\n\r\ntext", "404 Not Found" },
            { "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\ntext", "4 of 100 bytes came" },
            { "SSH-2.0\r\n", "this is no HTTP answer" },
            { "", "this is no HTTP answer" },
        } do
            local result = answer(asked(url()), case[1])
            assert.equal(("http_get.lua: %s: %s\n"):format(url(), case[2]), result.errors)
            assert.equal("", result.output)
            assert.equal(1, result.status)
        end
        drive.close(listener)
        for where, why in pairs {
            [url()] = url() .. ": " .. luring.strerror(luring.ECONNREFUSED),
            ["http://1.2/"] = "http://1.2/: this is no address",
            ["ftp://127.0.0.1/"] = "what is the URL? (see --help)",
            ["http://127.0.0.1/a b"] = "what is the URL? (see --help)",
        } do
            get = program.start("http_get.lua", where)
            local result = get:finish()
            assert.equal("http_get.lua: " .. why .. "\n", result.errors)
            assert.equal(1, result.status)
        end
    end)
end)
