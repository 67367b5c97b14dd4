local co = require "luring.co"
local luring = require "luring"
local child = require "child"

local unpack = table.unpack or unpack -- luacheck: ignore 143
local QUICK = 60 -- seconds within which whatever is waited for has come

-- A folder with something of everything.
local function make_folder()
    local path = os.tmpname()
    local script = [[
        rm "$1" && mkdir "$1" && cd "$1" && printf 'some text\n' >a.txt && : >empty && ln -s a.txt inside
        mkdir site list && echo '<h1>hello</h1>' >site/index.html && echo . >list/.hidden
        echo odd >'list/a&b <c>%%.txt'
        mkfifo pipe && ln -s "$1/../etc/passwd" absolute && ln -s ../../../../../../etc/passwd out && ln -s .. up
        mkdir list/folder && head -c 3000000 /dev/urandom >large.bin && echo locked >locked && chmod 0 locked
        touch -d '2001-02-03 04:05:06 UTC' a.txt && touch -d '2024-02-29 23:59:59 UTC' empty]]
    assert(os.execute(("sh -ec '%s' - %s"):format((script:gsub("'", "'\\''"):gsub("%%%%", "%%")), path)))
    return path
end

-- Runs `f(connect, server, port)` in a task beside a server of the folder; `server` is its process.
local function with_server(folder, options, f)
    co.run(function()
        local command = child.example("http_server.lua", "--port", "0", folder)
        local server = assert(co.process { "sh", "-c", "exec " .. command .. " " .. options, stdout = "pipe" })
        local said = assert(server.stdout:settimeout(QUICK):line())
        local port = assert(tonumber(said:match("^http://127%.0%.0%.1:(%d+)/ serves ")), said)
        local function connect()
            return assert(co.connect("127.0.0.1", port)):settimeout(QUICK, QUICK)
        end
        f(connect, server, port)
        if server:kill("TERM") then server:wait() end
    end)
end

-- How many descriptors a process has open: no more than `enough`, if it comes to that within ten seconds.
local function descriptors(pid, enough)
    local open
    for _ = 1, 200 do
        open = 0
        for _ in pairs(luring.readdir("/proc/" .. pid .. "/fd")) do open = open + 1 end
        if open <= enough then break end
        co.sleep(0.05)
    end
    return open
end

-- Reads an answer: { status =, headers =, body =, head = }.
local function answer(client, no_body)
    local first = assert(client:line())
    local got = { status = tonumber(first:match("^HTTP/1%.1 (%d%d%d) %u")), headers = {} }
    assert(got.status, first)
    while true do
        local line = assert(client:line())
        if line == "" then break end
        local name, value = line:match("^([%w-]+): (.*)$")
        got.headers[assert(name, line):lower()] = value
    end
    local length = tonumber(got.headers["content-length"] or 0)
    if not no_body and length > 0 then got.body = assert(client:read_exactly(length)) end
    return got
end

-- Asks for a target on a connection.
local function ask(client, target, fields, method)
    client:write(method or "GET", " ", target, " HTTP/1.1\r\nHost: test\r\n", fields or "", "\r\n")
    return answer(client, method == "HEAD")
end

local function is_closed(client)
    local data, message = client:read()
    return data == nil and message == nil
end

describe("the example http_server.lua", function()
    local folder
    setup(function() folder = make_folder() end)
    teardown(function() os.execute("rm -r " .. folder) end)

    it("sends files, many of them on one connection", function()
        with_server(folder, "", function(connect)
            local client = connect()
            local got = ask(client, "/a.txt")
            assert.equal(200, got.status)
            assert.equal("some text\n", got.body)
            assert.equal("10", got.headers["content-length"])
            assert.equal("text/plain; charset=utf-8", got.headers["content-type"])
            assert.equal("Sat, 03 Feb 2001 04:05:06 GMT", got.headers["last-modified"])
            assert.truthy(got.headers.date:find("^%a%a%a, %d%d %a%a%a %d%d%d%d %d%d:%d%d:%d%d GMT$"))
            assert.equal("keep-alive", got.headers.connection)
            got = ask(client, "/empty")
            assert.equal("0", got.headers["content-length"])
            assert.equal("application/octet-stream", got.headers["content-type"])
            assert.equal(child.contents(folder .. "/large.bin"), ask(client, "/large.bin").body)
            assert.equal("some text\n", ask(client, "/%61%2Etxt?what#ever").body)
            assert.equal("some text\n", ask(client, "http://other/a.txt").body)
            assert.equal("some text\n", ask(client, "/inside").body)
            assert.equal("some text\n", ask(client, "/list/folder/../../a.txt").body)
        end)
    end)

    it("answers requests in a row, however they are cut", function()
        with_server(folder, "", function(connect)
            local client = connect()
            local request = "\r\nGET /a.txt HTTP/1.1\r\nhost:test \r\n\r\n"
            client:write((request):rep(50))
            for _ = 1, 50 do assert.equal("some text\n", answer(client).body) end
            for place = 1, #request do
                client:write(request:sub(place, place))
                co.sleep(0)
            end
            assert.equal("some text\n", answer(client).body)
            client:write("GET /a.txt HTTP/1.1\nHost: test\n\n") -- newlines alone
            assert.equal("some text\n", answer(client).body)
        end)
    end)

    it("sends the head alone for HEAD", function()
        with_server(folder, "", function(connect)
            local client = connect()
            for target, length in pairs { ["/a.txt"] = "10", ["/large.bin"] = "3000000", ["/none"] = "14" } do
                assert.equal(length, ask(client, target, "", "HEAD").headers["content-length"])
            end
            assert.equal("some text\n", ask(client, "/a.txt").body)
        end)
    end)

    it("lets nothing out of its folder", function()
        with_server(folder, "", function(connect)
            local client = connect()
            for _, target in ipairs {
                "/../../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd", "/%2Fetc/passwd", "/..", "/out",
                "/absolute", "/up/", "/up", "/site/../../etc/passwd", "/list/%2e%2e%2f%2e%2e%2fetc/passwd", "/pipe",
                "/none", "/a.txt/", "/a.txt/more", "/" .. ("x"):rep(300), "/" .. ("x/"):rep(3000),
            } do
                assert.equal(404, ask(client, target).status, target)
            end
        end)
    end)

    it("says what it may not read", function()
        local file = io.open(folder .. "/locked")
        if file then
            file:close()
            return pending "this user may read everything"
        end
        with_server(folder, "", function(connect) assert.equal(403, ask(connect(), "/locked").status) end)
    end)

    it("sends parts", function()
        with_server(folder, "", function(connect)
            local client = connect()
            for range, expected in pairs {
                ["0-0"] = "s|0-0", ["5-8"] = "text|5-8", ["5-"] = "text\n|5-9", ["-5"] = "text\n|5-9",
                ["0-99999999999999999999"] = "some text\n|0-9", ["-99999999999999999999"] = "some text\n|0-9",
            } do
                local got = ask(client, "/a.txt", "Range: bytes=" .. range .. "\r\n")
                assert.equal(206, got.status)
                local body, where = expected:match("^(.*)|(.*)$")
                assert.equal(body, got.body)
                assert.equal("bytes " .. where .. "/10", got.headers["content-range"])
            end
            for _, range in ipairs { "bytes=10-", "bytes=-0", "bytes=99999999999999999999-" } do
                local got = ask(client, "/a.txt", "Range: " .. range .. "\r\n")
                assert.equal(416, got.status, range)
                assert.equal("bytes */10", got.headers["content-range"])
            end
            for _, range in ipairs { "bytes=3-2", "bytes=-", "bytes=0-1,3-4", "lines=1-2", "bytes=0x1-2" } do
                assert.equal(200, ask(client, "/a.txt", "Range: " .. range .. "\r\n").status, range)
            end
            local got = ask(client, "/large.bin", "Range: bytes=100000-2000000\r\n")
            assert.equal(child.contents(folder .. "/large.bin"):sub(100001, 2000001), got.body)
            local tag = got.headers.etag
            for only, status in pairs { [tag] = 206, [got.headers["last-modified"]] = 206, ['"x"'] = 200 } do
                local fields = "Range: bytes=1-2\r\nIf-Range: " .. only .. "\r\n"
                assert.equal(status, ask(client, "/large.bin", fields).status, only)
            end
            assert.equal(416, ask(client, "/empty", "Range: bytes=0-\r\n").status)
        end)
    end)

    it("knows what the client has already", function()
        with_server(folder, "", function(connect)
            local client = connect()
            local tag = ask(client, "/a.txt").headers.etag
            local same, earlier = "Sat, 03 Feb 2001 04:05:06 GMT", "Sat, 03 Feb 2001 04:05:05 GMT"
            for _, case in ipairs {
                { 304, "If-None-Match: " .. tag }, { 304, "If-None-Match: *" }, { 200, 'If-None-Match: "x"' },
                { 304, 'If-None-Match: "x", W/' .. tag }, { 304, "If-Modified-Since: " .. same },
                { 304, "If-Modified-Since: Fri, 29 Feb 2008 00:00:00 GMT" }, { 200, "If-Modified-Since: " .. earlier },
                { 200, "If-Modified-Since: yesterday" }, { 200, 'If-None-Match: "x"\r\nIf-Modified-Since: ' .. same },
                { 200, "If-Match: " .. tag }, { 412, 'If-Match: "x"' }, { 200, "If-Match: *" },
                { 412, "If-Unmodified-Since: " .. earlier }, { 200, "If-Unmodified-Since: " .. same },
            } do
                local got = ask(client, "/a.txt", case[2] .. "\r\n")
                assert.equal(case[1], got.status, case[2])
                if case[1] == 304 then
                    assert.is_nil(got.headers["content-length"])
                    assert.equal(tag, got.headers.etag)
                end
            end
            local leap = "If-Modified-Since: Thu, 29 Feb 2024 23:59:5"
            assert.equal(304, ask(client, "/empty", leap .. "9 GMT\r\n").status)
            assert.equal(200, ask(client, "/empty", leap .. "8 GMT\r\n").status)
        end)
    end)

    it("shows folders, or their index.html", function()
        with_server(folder, "", function(connect)
            local client = connect()
            assert.equal("<h1>hello</h1>\n", ask(client, "/site/").body)
            local got = ask(client, "/site?a=b")
            assert.equal(301, got.status)
            assert.equal("/site/", got.headers.location)
            assert.equal("/list/folder/", ask(client, "//list/folder").headers.location)
            got = ask(client, "/list/")
            assert.equal("text/html; charset=utf-8", got.headers["content-type"])
            local link = '<a href="./a%26b%20%3Cc%3E%25.txt">a&amp;b &lt;c&gt;%.txt</a>'
            assert.truthy(got.body:find(link, 1, true), got.body)
            assert.truthy(got.body:find('<a href="./folder/">folder/</a>', 1, true))
            assert.truthy(got.body:find('<a href="./../">', 1, true))
            assert.falsy(got.body:find("hidden", 1, true))
            assert.equal("odd\n", ask(client, "/list/a%26b%20%3Cc%3E%25.txt").body)
            assert.falsy(ask(client, "/").body:find("../", 1, true))
        end)
    end)

    it("refuses what is no request, and closes the connection then", function()
        with_server(folder, "", function(connect)
            for _, case in ipairs {
                { 400, "hello\r\n\r\n" }, { 400, "GET /\r\n\r\n" }, { 505, "GET / HTTP/2.0\r\n\r\n" },
                { 400, "GET / HTTP/1.1\r\n\r\n" }, { 400, "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" },
                { 400, "GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n" }, { 400, "GET / HTTP/1.1\r\nHost : a\r\n\r\n" },
                { 400, "GET / HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n" },
                { 400, "GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n" },
                { 431, "GET / HTTP/1.1\r\nHost: a\r\nX: " .. ("x"):rep(100000) },
                { 414, "GET /" .. ("x"):rep(100000) .. " HTTP/1.1\r\n" },
                { 405, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\n" .. ("x"):rep(9e6) },
                { 200, "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" },
                { 400, "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\na" },
                { 400, "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 1\r\n\r\na" },
                { 400, "GET / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n" },
                { 200, "GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n" },
                { 200, "GET / HTTP/1.1\r\nHost: a\r\nConnection: Close\r\n\r\n" }, { 200, "GET / HTTP/1.0\r\n\r\n" },
            } do
                local client = connect()
                -- What it would not read, it reads nevertheless, so that the answer arrives.
                if case[1] == 405 then assert(client:write(case[2])) else client:write(case[2]) end
                local got = answer(client)
                assert.equal(case[1], got.status, case[2]:sub(1, 60))
                assert.equal("close", got.headers.connection)
                assert.is_true(is_closed(client))
                client:close()
            end
            local client = connect()
            for _, target in ipairs { "/%", "/%z1", "/%00", "*", "a.txt" } do
                assert.equal(400, ask(client, target).status, target)
            end
            local got = ask(client, "/a.txt", "", "DELETE")
            assert.equal(405, got.status)
            assert.equal("GET, HEAD", got.headers.allow)
            client:write("GET /a.txt HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            assert.equal("some text\n", answer(client).body)
            assert.equal("some text\n", ask(client, "/a.txt").body)
        end)
    end)

    it("loses no time with blanks in a request", function()
        with_server(folder, "", function(connect)
            local client, began = connect(), os.time()
            for _ = 1, 20 do
                local fields = "X:a" .. (" "):rep(15000) .. "b \t\r\n"
                assert.equal(200, ask(client, "/a.txt", fields).status)
            end
            assert.equal("text", ask(client, "/a.txt", "Range:  bytes=5-8 \t \r\n").body)
            assert.is_true(os.time() - began < 10) -- it would be half a minute
        end)
    end)

    it("closes what says nothing, and refuses what says it too slowly", function()
        with_server(folder, "--timeout 1", function(connect, server)
            local first = connect()
            ask(first, "/a.txt")
            first:close()
            co.sleep(0.2)
            local without_clients = descriptors(server.pid, math.huge)
            local idle, slow, reader = connect(), connect(), connect()
            reader:setopt(co.SOL_SOCKET, co.SO_RCVBUF, 4096)
            for _ = 1, 20 do reader:write("GET /large.bin HTTP/1.1\r\nHost: a\r\n\r\n") end
            co.background(function()
                while slow:write("G") do co.sleep(0.05) end -- never a second's silence
            end)
            assert.is_true(is_closed(idle))
            assert.equal(408, answer(slow).status)
            -- The one who doesn't read has lost its connection too.
            assert.is_true(descriptors(server.pid, without_clients) <= without_clients)
            assert.equal(200, ask(connect(), "/a.txt").status)
        end)
    end)

    it("keeps files open for as long as it is told to, and sends what they were", function()
        local own = make_folder()
        with_server(own, "--cache 1", function(connect, server)
            local client = connect()
            ask(client, "/none")
            local before = descriptors(server.pid, math.huge)
            local function write(name, text) assert(co.write_file(own .. "/" .. name, text, { atomic = true })) end
            write("b.txt", "one\n")
            for i = 1, 20 do write("many" .. i, "many\n") end
            local large = ("0123456789abcdef"):rep(2 ^ 20) -- more than sockets hold
            write("large", large)
            assert.equal("one\n", ask(client, "/b.txt").body)
            write("b.txt", "another\n")
            local got = ask(client, "/b.txt")
            assert.equal("one\n", got.body)
            assert.equal("ne", ask(client, "/b.txt", "Range: bytes=1-2\r\n").body)
            assert.equal(304, ask(client, "/b.txt", "If-None-Match: " .. got.headers.etag .. "\r\n").status)
            for _ = 1, 3 do
                for i = 1, 20 do assert.equal("many\n", ask(client, "/many" .. i).body) end
            end
            assert.is_true(descriptors(server.pid, math.huge) >= before + 20)
            -- One that is being sent when its time is over is sent to its end.
            local reader = connect()
            reader:setopt(co.SOL_SOCKET, co.SO_RCVBUF, 262144)
            reader:write("GET /large HTTP/1.0\r\n\r\n")
            co.sleep(2)
            assert.equal("another\n", ask(client, "/b.txt").body)
            assert.is_true(reader:read_all(2 ^ 25):match("\r\n\r\n(.*)$") == large)
            reader:close()
            assert.is_true(descriptors(server.pid, before) <= before)
        end)
        os.execute("rm -r " .. own)
    end)

    it("keeps no more files open than leave it descriptors for connections", function()
        local own = make_folder()
        assert.equal(0, child.shell(("cd %s && seq 1100 | xargs touch"):format(own)).status)
        with_server(own, "--cache 1000", function(connect, server)
            local client = connect()
            for number = 1, 1100 do assert.equal(200, ask(client, "/" .. number).status) end
            assert.is_true(descriptors(server.pid, 500) <= 500)
        end)
        os.execute("rm -r " .. own)
    end)

    it("survives clients that leave in the middle", function()
        with_server(folder, "", function(connect, server)
            for _ = 1, 20 do
                local client = connect()
                client:write("GET /large.bin HTTP/1.1\r\nHost: a\r\n\r\n")
                client:read()
                client:close()
                connect():write("GET /a"):close()
            end
            assert.equal("some text\n", ask(connect(), "/a.txt").body)
            assert.is_true(descriptors(server.pid, 20) <= 20)
        end)
    end)

    it("sends to the end what it has begun, at SIGTERM", function()
        with_server(folder, "", function(connect, server, port)
            local idle, busy = connect(), connect()
            assert.equal(200, ask(idle, "/a.txt").status)
            busy:setopt(co.SOL_SOCKET, co.SO_RCVBUF, 262144)
            busy:write("GET /large.bin HTTP/1.1\r\nHost: a\r\n\r\n")
            busy:peek(1)
            server:kill("TERM")
            assert.is_true(is_closed(idle))
            assert.equal(child.contents(folder .. "/large.bin"), answer(busy).body)
            busy:close()
            assert.is_true((server:wait()))
            assert.is_nil((co.connect("127.0.0.1", port)))
        end)
    end)

    it("shares its port among processes, which all end with it", function()
        local function others_of(server)
            local of = "/proc/" .. server.pid .. "/task/" .. server.pid .. "/children"
            return child.contents(of)
        end
        for _, signal in ipairs { "TERM", "KILL" } do
            with_server(folder, "--processes 3", function(connect, server, port)
                local there, others = pcall(others_of, server)
                -- The others may take a moment to listen: each one has its own socket.
                for _ = 1, 60 do
                    local client = connect()
                    assert.equal("some text\n", ask(client, "/a.txt").body)
                    client:close()
                end
                if there then
                    local _, count = others:gsub("%d+", "")
                    assert.equal(2, count)
                end
                server:kill(signal)
                server:wait()
                -- Nobody listens any more.
                local still
                for _ = 1, 200 do
                    still = co.connect("127.0.0.1", port)
                    if not still then break end
                    still:close()
                    co.sleep(0.05)
                end
                assert.is_nil(still)
            end)
        end
    end)

    it("does what curl asks for", function()
        if child.shell("command -v curl").status ~= 0 then return pending "curl is not installed" end
        with_server(folder, "", function(_, _, port)
            local url = "http://127.0.0.1:" .. port
            local function curl(...)
                return assert(co.capture { "curl", "-sS", "--max-time", tostring(QUICK), ... }).stdout
            end
            assert.equal("some text\nsome text\n", curl(url .. "/a.txt", url .. "/inside"))
            assert.equal("text", curl("-r", "5-8", url .. "/a.txt"))
            assert.equal("<h1>hello</h1>\n", curl("-L", url .. "/site"))
            assert.truthy(curl("-I", url .. "/a.txt"):find("^HTTP/1.1 200 OK\r\n"))
            local status = { "-o", "/dev/null", "-w", "%{http_code}" }
            assert.equal("304", curl("-z", "Wed, 01 Jan 2020 00:00:00 GMT", url .. "/a.txt", unpack(status)))
            assert.equal("200", curl("-z", "Sat, 01 Jan 2000 00:00:00 GMT", url .. "/a.txt", unpack(status)))
            assert.equal("404", curl("--path-as-is", url .. "/../etc/passwd", unpack(status)))
            assert.equal("405", curl("-d", ("x"):rep(10000), url .. "/", unpack(status)))
            assert.equal("200", curl("--http1.0", url .. "/a.txt", unpack(status)))
            local copy = os.tmpname()
            curl("-o", copy, url .. "/large.bin")
            assert.equal(child.contents(folder .. "/large.bin"), child.contents(copy))
            local file = io.open(copy, "wb")
            file:write(child.contents(folder .. "/large.bin"):sub(1, 1234567))
            file:close()
            curl("-C", "-", "-o", copy, url .. "/large.bin") -- goes on where it ended
            assert.equal(child.contents(folder .. "/large.bin"), child.contents(copy))
            os.remove(copy)
        end)
    end)

    it("says in one line what it can't do", function()
        local listener = luring.tcp_listen { family = luring.AF_INET, addr = "127.0.0.1", port = 0 }
        local taken = luring.getsockname(listener).port
        for words, message in pairs {
            ["--port " .. taken] = "port " .. taken .. ": 127.0.0.1: " .. luring.strerror(luring.EADDRINUSE),
            ["--port http"] = "--port is a number from 0 to 65535, not http (see --help)",
            ["--timeout 0"] = "--timeout is a number from 1 to 1000000, not 0 (see --help)",
            ["--processes"] = "--processes of what? (see --help)",
            ["--what 1"] = "there is no option --what (see --help)",
            ["--port 0 /nowhere"] = "/nowhere: " .. luring.strerror(luring.ENOENT),
        } do
            local result = child.shell(child.example("http_server.lua") .. " " .. words)
            assert.equal("http_server.lua: " .. message .. "\n", result.output)
            assert.equal(1, result.status)
        end
        local result = child.shell(child.example("http_server.lua") .. " --port 0 --host no.such.name.invalid")
        assert.matches("^http_server.lua: port 0: no.such.name.invalid: [^\n]*\n$", result.output)
        assert.equal(1, result.status)
        luring.close_fd(listener)
    end)
end)
