-- The example tls.lua, with openssl's own client and server.

local luring = require "luring"
local co = require "luring.co"
local child = require "child"

local QUICK = 40 -- seconds within which whatever is waited for has come
local BIG = {}
for n = 1, 200000 do BIG[n] = ("%09d\n"):format(n) end
BIG = table.concat(BIG)

describe("the example tls.lua", function()
    local example = child.root .. "/examples/tls.lua"
    local folder

    it("says in one line what it can't do", function()
        local function says(message, ...)
            local result = child.shell(child.command(...))
            assert.same({ 1, "tls.lua: " .. message .. "\n" }, { result.status, result.output })
        end
        says("-t takes a number, not x (see --help)", example, "-t", "x", "https://a/")
        says("there is no LuaSec for this Lua (Debian's package lua-sec)",
            "-e", "package.preload.ssl = error", example, "https://a/")
        if not pcall(require, "ssl") then return end
        says("which URL? It begins with https:// (see --help)", example)
        says("which URL? It begins with https:// (see --help)", example, "http://a/")
        says("https://a:65536/: a port is a number up to 65535", example, "https://a:65536/")
        says("which CERTIFICATE and KEY? (see --help)", example, "--serve", "x")
        says("PORT is a number up to 65535, not 65536 (see --help)", example, "--serve", "x", "x", "65536")
    end)

    -- Debian has it for all Luas but the newest, and LuaJIT takes 5.1's.
    for what, there in pairs {
        ["LuaSec is not installed for this Lua (Debian's package lua-sec)"] = pcall(require, "ssl"),
        ["openssl is not installed"] = child.shell("command -v openssl").status == 0,
    } do
        if not there then
            it("is tried", function()
                if os.getenv("LURING_TEST_REQUIRE_PEERS") == "1" and _VERSION ~= "Lua 5.5" then error(what) end
                pending(what)
            end)
            return
        end
    end

    setup(function()
        folder = os.tmpname()
        os.remove(folder)
        local result = child.shell(([[set -e; mkdir %s; cd %s
            make() {
                openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
                    -keyout $1.key -out $1.crt -subj /CN=localhost -addext "subjectAltName=$2"
            }
            make good DNS:localhost,IP:127.0.0.1; make other DNS:elsewhere.example]]):format(folder, folder))
        assert(result.status == 0, result.output)
        co.run(function() assert(co.write_file(folder .. "/big", BIG)) end)
    end)

    teardown(function() child.shell("rm -rf " .. folder) end)

    -- Starts a program in the folder, with pipes.
    local function start(command)
        local p = assert(co.process { "sh", "-c", "cd " .. folder .. " && exec " .. command,
            stdin = "pipe", stdout = "pipe", stderr = "pipe" })
        for _, name in ipairs { "stdin", "stdout", "stderr" } do p[name]:settimeout(QUICK, QUICK) end
        return p
    end

    -- openssl's server, which takes no more than its options say, and its port.
    local function openssl_server(options, certificate)
        local server = assert(co.listen("127.0.0.1", 0))
        local _, port = server:address()
        server:close()
        certificate = certificate or "good"
        local p = start(("openssl s_server -quiet -accept 127.0.0.1:%d -cert %s.crt -key %s.key %s"):format(
            port, certificate, certificate, options or ""))
        -- A connection would count as one of those that it takes.
        local listens = ("0100007F:%04X 00000000:0000 0A"):format(port)
        assert(co.timeout(QUICK, function()
            while not child.contents("/proc/net/tcp"):find(listens, 1, true) do co.sleep(0.01) end
            return true
        end))
        return port, p
    end

    -- Runs the example to its end.
    local function fetch(...)
        local command = { "sh", "-c", "cd " .. folder .. " && exec " .. child.example("tls.lua", ...), timeout = QUICK }
        local result = assert(co.capture(command))
        return result
    end

    local function refused(message, url, ...)
        local words = { ... }
        words[#words + 1] = url
        local result = fetch((unpack or table.unpack)(words))
        assert.same({ "tls.lua: " .. url .. ": " .. message .. "\n", 1 }, { result.stderr, result.status })
        return result.stdout
    end

    local function answer(server, text)
        assert(server.stdin:write(text))
        assert(server.stdin:close())
    end

    -- What a server got up to the end of a request.
    local function request(server)
        local lines = {}
        repeat
            local line = assert(server.stdout:line(100000))
            lines[#lines + 1] = line
        until line == ""
        return lines
    end

    it("fetches a page, by any TLS that is safe", function()
        co.run(function()
            for _, options in ipairs { "-tls1_2", "-tls1_3" } do
                local port, server = openssl_server("-WWW " .. options)
                for _, host in ipairs { "localhost", "LOCALHOST", "127.0.0.1" } do
                    local result = fetch("-a", "good.crt", ("https://%s:%d/big"):format(host, port))
                    assert.same({ "", 0 }, { result.stderr, result.status })
                    assert.is_true(result.stdout == BIG)
                end
                server:kill("TERM")
                server:wait()
            end
            local port = openssl_server("-WWW -tls1_1 -cipher ALL:@SECLEVEL=0")
            refused("tlsv1 alert protocol version", ("https://localhost:%d/big"):format(port), "-a", "good.crt")
        end)
    end)

    it("asks for much, and is told the end", function()
        co.run(function()
            local port, server = openssl_server("-naccept 1")
            local path = "/" .. ("long"):rep(15000)
            local got = co.spawn(fetch, "-a", "good.crt", ("https://localhost:%d%s"):format(port, path))
            local lines = request(server)
            assert.is_true(lines[1] == "GET " .. path .. " HTTP/1.0")
            assert.equal(("Host: localhost:%d"):format(port), lines[2])
            answer(server, "HTTP/1.0 200 OK\r\n\r\n" .. BIG) -- whose end close_notify tells
            local result = got:join()
            assert.same({ "", 0 }, { result.stderr, result.status })
            assert.is_true(result.stdout == BIG)
        end)
    end)

    it("refuses who is not the one that was asked for", function()
        co.run(function()
            local port, server = openssl_server()
            refused("certificate verify failed", ("https://localhost:%d/"):format(port), "-a", "other.crt")
            refused("certificate verify failed", ("https://localhost:%d/"):format(port))
            -- It is told.
            local told = ""
            while not told:find("unknown ca", 1, true) do told = told .. assert(server.stderr:read()) end
            port, server = openssl_server(nil, "other")
            refused("its certificate is for another name", ("https://localhost:%d/"):format(port), "-a", "other.crt")
            refused("its certificate is for another name", ("https://127.0.0.1:%d/"):format(port), "-a", "other.crt")
            -- Nothing was asked of it.
            server:kill("TERM")
            assert.equal("", server.stdout:read_all() or "")
            local absent = fetch("-a", "absent.crt", "https://localhost/")
            assert.truthy(absent.stderr:find("^tls.lua: absent.crt: [^\n]+\n$"), absent.stderr)
        end)
    end)

    it("knows which names a certificate has", function()
        local text = child.contents(example)
        local chunk = text:match("\n(local function is_address.-\n)%-%- Calls") -- and what it is for
            .. text:match("\n(local function is_for.-\nend\n)") .. "return is_for"
        local is_for = (loadstring or load)(chunk)()
        local certificate = { extensions = function()
            return { ["2.5.29.17"] = {
                dNSName = { "one.example", "*.Two.example", "*", "*.", "t*.three.example", "10.0.0.1" },
                iPAddress = { "127.0.0.1", "::1" },
            } }
        end }
        for host, expected in pairs {
            ["one.example"] = true, ["ONE.example"] = true, ["a.one.example"] = false, ["one.example.org"] = false,
            ["a.two.example"] = true, ["two.example"] = false, ["a.b.two.example"] = false, [".two.example"] = false,
            ["ten.three.example"] = false, ["localhost"] = false, ["127.0.0.1"] = true, ["::1"] = true,
            ["10.0.0.1"] = false, ["127.0.0.2"] = false,
        } do
            assert.equal(expected, is_for(certificate, host), host)
        end
        assert.is_false(is_for({ extensions = function() return {} end }, "localhost"))
    end)

    it("takes a connection that was cut for no end", function()
        co.run(function()
            local port, server = openssl_server()
            local url = ("https://localhost:%d/"):format(port)
            local p = start(child.example("tls.lua", "-a", "good.crt", url))
            request(server)
            assert(server.stdin:write("HTTP/1.0 200 OK\r\n\r\nhalf of it"))
            assert.equal("half of it", p.stdout:read_exactly(10))
            server:kill("KILL")
            assert.equal("tls.lua: " .. url .. ": the connection was cut", p.stderr:line())
            assert.same({ nil, "exit", 1 }, { p:wait() })

            port, server = openssl_server("-naccept 1")
            url = ("https://localhost:%d/"):format(port)
            local got = co.spawn(refused, "half an answer", url, "-a", "good.crt")
            request(server)
            answer(server, "HTTP/1.0 200 OK\r\nContent-Length: 100\r\n\r\nhalf of it")
            assert.equal("half of it", got:join())

            local listener = assert(co.listen("127.0.0.1", 0))
            url = ("https://localhost:%d/"):format(select(2, listener:address()))
            got = co.spawn(refused, "the connection was cut", url)
            local client = assert(listener:accept())
            client:read()
            client:close()
            got:join()
        end)
    end)

    it("waits no longer than it is told to", function()
        co.run(function()
            local silent = assert(co.listen("127.0.0.1", 0))
            refused("timed out", ("https://localhost:%d/"):format(select(2, silent:address())), "-t", "0.2")
            local port = openssl_server()
            refused("timed out", ("https://localhost:%d/"):format(port), "-t", "0.4", "-a", "good.crt")
        end)
    end)

    -- The example as a server, and its port.
    local function serve(...)
        local words = { ... }
        for _, word in ipairs { "--serve", "good.crt", "good.key" } do words[#words + 1] = word end
        local p = start(child.example("tls.lua", (unpack or table.unpack)(words)))
        return p, tonumber(assert(p.stdout:line()):match("^listening on port (%d+)$"))
    end

    local function client(port)
        return start(("openssl s_client -quiet -no_ign_eof -CAfile good.crt -verify_return_error "
            .. "-verify_hostname localhost -connect 127.0.0.1:%d"):format(port))
    end

    local function ends_well(server)
        server:kill("TERM")
        assert.same({ true, "exit", 0 }, { server:wait() })
        return server.stderr:read_all() or ""
    end

    local function descriptors(server)
        local count = 0
        for _ in pairs(luring.readdir(("/proc/%d/fd"):format(server.pid))) do count = count + 1 end
        return count
    end

    it("serves lines", function()
        co.run(function()
            local server, port = serve()
            local text = ("with words\r\n"):rep(50000)
            local expected = ("WITH WORDS\n"):rep(50000)
            local function converse()
                local peer = client(port)
                co.background(function() peer.stdin:write(text) end)
                local got = assert(peer.stdout:read_exactly(#expected))
                assert.is_true(got == expected)
                peer.stdin:close() -- it says that this is all
                assert.same({ true, "exit", 0 }, { peer:wait() })
                return true
            end
            assert(co.all { converse, converse, converse })
            assert.equal("", ends_well(server))
        end)
    end)

    it("says what was wrong with a client, and gives everything back", function()
        co.run(function()
            local server, port = serve()
            local function says(message)
                assert.equal("tls.lua: a client: " .. message, server.stderr:line())
            end

            local peer = client(port)
            assert(peer.stdin:write("one\nhalf"))
            assert.equal("ONE", peer.stdout:line())
            local before = descriptors(server) -- with one client
            peer:kill("KILL")
            says("the connection was cut")

            peer = client(port)
            assert(peer.stdin:write("one\nhalf"))
            assert.equal("ONE", peer.stdout:line())
            peer.stdin:close()
            says("half a line")

            peer = client(port)
            peer.stdin:write(("x"):rep(200000))
            says("line too long")

            local plain = assert(co.connect("127.0.0.1", port))
            plain:write("GET / HTTP/1.0\r\n\r\n")
            says("http request")

            peer = start(("openssl s_client -verify_return_error -connect 127.0.0.1:%d"):format(port))
            says("tlsv1 alert unknown ca")
            peer:wait()

            -- One that never reads what it asked for, and goes.
            peer = client(port)
            co.timeout(0.5, function() while peer.stdin:write(("x\n"):rep(20000)) do co.sleep(0) end end)
            peer:kill("KILL")
            assert.truthy(server.stderr:line():find("^tls.lua: a client: "))

            assert(co.timeout(QUICK, function()
                while descriptors(server) >= before do co.sleep(0.01) end
                return true
            end))
            assert.equal("", ends_well(server))
        end)
    end)

    it("gives up who is silent", function()
        co.run(function()
            local server, port = serve("-t", "0.2")
            local plain = assert(co.connect("127.0.0.1", port))
            assert.equal("tls.lua: a client: timed out", server.stderr:line())
            assert.is_nil(plain:read())
            local peer = client(port)
            assert.equal("tls.lua: a client: timed out", server.stderr:line())
            peer:wait()
            assert.equal("", ends_well(server))
        end)
    end)

    it("ends although a client takes nothing", function()
        co.run(function()
            local server, port = serve("-t", "1")
            local peer = client(port)
            co.timeout(0.5, function() while peer.stdin:write(("x\n"):rep(20000)) do co.sleep(0) end end)
            ends_well(server)
        end)
    end)

    it("ends a conversation as it ends", function()
        co.run(function()
            local server, port = serve()
            local peer = client(port)
            assert(peer.stdin:write("one\n"))
            assert.equal("ONE", peer.stdout:line())
            assert.equal("", ends_well(server))
            assert.same({ true, "exit", 0 }, { peer:wait() }) -- of a connection that is cut it would complain
            assert.is_nil(peer.stdout:read())
        end)
    end)
end)
