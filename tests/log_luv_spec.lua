local co = require "luring.co"
local luring = require "luring"
local child = require "child"
local program = require "program"

describe("the example log_luv.lua", function()
    local function says(message, ...)
        local result = child.shell(child.example("log_luv.lua", ...))
        assert.same({ 1, "log_luv.lua: " .. message .. "\n" }, { result.status, result.output })
    end

    it("says in one line what it can't do", function()
        says("which FILE? (see --help)")
        says("PORT is a number up to 65535 (see --help)", "/dev/null", "65536")
        says("/nowhere/file: " .. luring.strerror(luring.ENOENT), "/nowhere/file")
    end)

    if not pcall(require, "luv") then
        it("writes", function()
            says("needs luv (Debian's package lua-luv)", "/dev/null")
            pending("luv is not installed for this Lua")
        end)
        return
    end

    local path, server, port
    local function start(file)
        server = program.start("log_luv.lua", file)
        port = tonumber(server:wait "listening on port (%d+)\n")
    end
    before_each(function() path = os.tmpname() end)
    after_each(function()
        if server then server:kill() end
        os.remove(path)
    end)

    local function connect() return assert(co.connect("127.0.0.1", port)) end

    it("has in its file what it says it keeps, and all that has come when it is told to end", function()
        start(path)
        co.run(function()
            local clients = {}
            for i = 1, 20 do
                clients[i] = co.spawn(function()
                    local client = connect()
                    for n = 1, 20 do
                        client:write("client ", i, " line ", n, "\n")
                        assert.equal("kept", client:line())
                        local line = ("\nclient %d line %d\n"):format(i, n)
                        assert.truthy(("\n" .. child.contents(path)):find(line, 1, true), line)
                    end
                    -- Those that it has not been told of yet are told all the same.
                    for n = 21, 200 do client:write("client ", i, " line ", n, "\n") end
                    client:write("no line")
                    client:shutdown()
                    assert.equal(("kept\n"):rep(180), client:read_all())
                end)
            end
            for _, task in ipairs(clients) do task:join() end
            local client = connect()
            client:write(("last\n"):rep(1000), "half a line")
            assert.equal("kept", client:line())
            server:signal(luring.SIGTERM)
            local told = 1
            while client:line() do told = told + 1 end
            local result = server:finish()
            assert.same({ 0, "" }, { result.status, result.errors })
            local text = child.contents(path)
            assert.equal(told, select(2, text:gsub("last\n", "")))
            assert.is_nil(text:find("no line", 1, true) or text:find("half", 1, true))
            local of, lines = {}, 0
            for i, n in text:gmatch("client (%d+) line (%d+)\n") do
                assert.equal((of[i] or 0) + 1, tonumber(n))
                of[i] = tonumber(n)
                lines = lines + 1
            end
            assert.equal(4000, lines)
        end)
    end)

    it("goes on when clients go early, or say nothing but one long line", function()
        start(path)
        local before = server:sockets()
        co.run(function()
            for _ = 1, 20 do
                local client = connect()
                client:write(("x\n"):rep(1000))
                client:close() -- the answers are met by a reset
            end
            local long = connect()
            long:write(("x"):rep(100000))
            assert.equal("", long:read_all() or "") -- its end, or a reset
            local client = connect()
            client:write "still here\n"
            assert.equal("kept", client:line())
            client:close()
        end)
        assert.equal(before, server:sockets_left(before))
    end)

    it("ends though a client does not take what it is told", function()
        start(path)
        co.run(function()
            -- It is to be told more than the sockets have room for.
            local client = connect()
            co.timeout(5, function()
                while client:write(("\n"):rep(100000)) do end -- luacheck: ignore 542
            end)
            server:signal(luring.SIGTERM)
            local result = server:finish()
            assert.same({ 0, "" }, { result.status, result.errors })
            client:close()
        end)
    end)

    it("says that the disk is full, or its port taken", function()
        start "/dev/full"
        says(("port %d: EADDRINUSE: address already in use"):format(port), path, tostring(port))
        co.run(function()
            local client = connect()
            client:write "line\n"
            assert.is_nil((client:line()))
        end)
        local result = server:finish()
        assert.same({ 1, "log_luv.lua: /dev/full: write: " .. luring.strerror(luring.ENOSPC) .. "\n" },
            { result.status, result.errors })
    end)
end)
