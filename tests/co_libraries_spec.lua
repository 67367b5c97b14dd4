-- Libraries that were written for LuaSocket, on tasks: its own HTTP client, and a client of Redis,
-- each with the real server.

local co = require "luring.co"
local socket = require "luring.co.socket"
local child = require "child"

local REQUIRED = os.getenv("LURING_TEST_REQUIRE_PEERS") == "1"
local PATIENCE = 20 -- seconds

-- What is missing here makes its specs pending, or fail where everything has to be there.
local function missing(what)
    it("is there", function()
        if REQUIRED then error(what) end
        pending(what)
    end)
end

-- Loads libraries that find ours for LuaSocket. Redis's is one file for all Luas, and Debian has it
-- for three.
local function load(...)
    local path = package.path
    package.path = path .. ";/usr/share/lua/5.3/?.lua"
    package.loaded.socket = socket
    local libraries = {}
    for place, name in ipairs { ... } do
        local found, library = pcall(require, name)
        libraries[place] = found and library or nil
    end
    package.path = path
    return (unpack or table.unpack)(libraries, 1, select("#", ...))
end

local function path_of(program)
    local result = child.shell("PATH=$PATH:/usr/sbin:/usr/local/sbin command -v " .. program)
    return result.status == 0 and result.output:match("^[^\n]+")
end

local function free_port()
    local server = assert(co.listen("127.0.0.1", 0))
    local _, port = server:address()
    server:close()
    return port
end

-- Runs `f(port)` in a task beside a server, which `command(port, folder)` starts.
local function beside(command, f)
    local folder = os.tmpname()
    os.remove(folder)
    assert(child.shell("mkdir -p " .. folder .. "/www").status == 0)
    local ok, why = pcall(co.run, function()
        local port = free_port()
        local output = assert(co.open(folder .. "/output", "w"))
        local program = command(port, folder)
        program.stdin, program.stdout, program.stderr = "pipe", output:getfd(), output:getfd()
        local server = assert(co.process(program))
        local answers = co.timeout(PATIENCE, function()
            repeat
                co.sleep(0.01)
                local client = co.connect("127.0.0.1", port)
            until client
            return true
        end)
        if not answers then error("no answer: " .. assert(co.read_file(folder .. "/output"))) end
        assert(co.timeout(2 * PATIENCE, function()
            f(port)
            return true
        end))
        server:kill("TERM")
        server:wait()
    end)
    child.shell("rm -rf " .. folder)
    if not ok then error(why, 0) end
end

describe("LuaSocket's HTTP client", function()
    local http, ltn12, url
    do
        local mime = load("mime")
        -- A part of it is in C, which is needed for passwords, and no Lua 5.5 of Debian has.
        if not mime then package.loaded.mime = {} end
        http, ltn12, url = load("socket.http", "ltn12", "socket.url")
    end
    local nginx = path_of("nginx")
    if not http then return missing("LuaSocket is not installed for this Lua (Debian's package lua-socket)") end
    if not nginx then return missing("nginx is not installed (Debian's package nginx-light)") end

    local TEXT = ("0123456789abcde\n"):rep(20000)

    local CONFIG = [[
daemon off;
master_process off;
error_log stderr;
pid FOLDER/pid;
events {}
http {
    access_log off;
    default_type text/plain;
    client_body_temp_path FOLDER/body;
    proxy_temp_path FOLDER/proxy;
    fastcgi_temp_path FOLDER/fastcgi;
    uwsgi_temp_path FOLDER/uwsgi;
    scgi_temp_path FOLDER/scgi;
    server {
        listen 127.0.0.1:PORT;
        root FOLDER/www;
        location /chunked/ { alias FOLDER/www/; ssi on; ssi_types *; }
        location /moved { return 302 /text; }
        location /slow/ { alias FOLDER/www/; limit_rate 320000; }
        location /post { proxy_pass http://127.0.0.1:PORT/text; proxy_method GET; add_header Body $request_body; }
    }
}
]]

    local function with_nginx(f)
        beside(function(port, folder)
            local config = CONFIG:gsub("PORT", ("%d"):format(port)):gsub("FOLDER", folder)
            assert(co.write_file(folder .. "/nginx.conf", config))
            assert(co.write_file(folder .. "/www/text", TEXT))
            return { nginx, "-p", folder, "-c", folder .. "/nginx.conf" }
        end, function(port)
            f(("http://127.0.0.1:%d"):format(port), port)
        end)
    end

    it("fetches, of a known length, in chunks, and to where it is sent", function()
        with_nginx(function(base)
            local body, code, headers, status = http.request(base .. "/text")
            assert.is_true(body == TEXT)
            assert.same({ 200, "HTTP/1.1 200 OK", tostring(#TEXT) }, { code, status, headers["content-length"] })
            body, code, headers = http.request(base .. "/chunked/text")
            assert.is_true(body == TEXT)
            assert.same({ 200, "chunked" }, { code, headers["transfer-encoding"] })
            body, code, headers = http.request(base .. "/moved")
            assert.is_true(body == TEXT)
            assert.equal(200, code)
            assert.equal("/text", url.parse(headers.location).path)
            body, code = http.request(base .. "/absent")
            assert.equal(404, code)
            assert.truthy(body:find("404 Not Found", 1, true))
        end)
    end)

    it("sends a body, of a known length and in chunks", function()
        with_nginx(function(base)
            local _, code, headers = http.request(base .. "/post", "of a known length")
            assert.same({ 200, "of a known length" }, { code, headers.body })
            local parts = {}
            _, code, headers = http.request {
                url = base .. "/post", method = "PUT",
                source = ltn12.source.string("in chunks"), sink = ltn12.sink.table(parts),
            }
            assert.same({ 200, "in chunks" }, { code, headers.body })
            assert.is_true(table.concat(parts) == TEXT)
        end)
    end)

    it("lets the other tasks run meanwhile", function()
        with_nginx(function(base)
            local turns, fetched = 0, 0
            local function fetch() -- it takes a second
                local body = http.request(base .. "/slow/text")
                assert.is_true(body == TEXT)
                fetched = fetched + 1
                return true
            end
            co.background(function()
                while co.sleep(0.01) do turns = turns + 1 end
            end)
            local before = co.now()
            co.all { fetch, fetch, fetch, fetch }
            assert.equal(4, fetched)
            assert.is_true(turns > 5)
            assert.is_true(co.now() - before < 3.5)
        end)
    end)

    it("says what went wrong", function()
        co.run(function()
            assert.same({ nil, "connection refused" }, { http.request(("http://127.0.0.1:%d/"):format(free_port())) })
            local server = assert(co.listen("127.0.0.1", 0))
            local _, port = server:address()
            co.background(function()
                server:accept():close()
                local silent = server:accept()
                co.sleep(PATIENCE)
                silent:close()
            end)
            assert.same({ nil, "closed" }, { http.request(("http://127.0.0.1:%d/"):format(port)) })
            local patience = http.TIMEOUT
            http.TIMEOUT = 0.02
            local _, why = http.request(("http://127.0.0.1:%d/"):format(port))
            http.TIMEOUT = patience
            assert.truthy(why == "timeout" or why == 408, why) -- as its release has it
        end)
    end)
end)

describe("redis-lua", function()
    local redis = load("redis")
    local program = path_of("redis-server")
    if not redis then return missing("redis-lua is not installed (Debian's package lua-redis)") end
    if not program then return missing("redis-server is not installed (Debian's package redis-server)") end

    local function with_redis(f)
        beside(function(port, folder)
            return {
                program, "--port", ("%d"):format(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
                "--dir", folder,
            }
        end, f)
    end

    it("speaks with a server", function()
        with_redis(function(port)
            local client = redis.connect("127.0.0.1", port)
            assert.is_true(client:ping())
            local binary = ("\0\r\n\255 "):rep(50000)
            assert.is_true(client:set("key", binary))
            assert.is_true(client:get("key") == binary)
            assert.is_nil(client:get("absent"))
            for n = 1, 10 do assert.equal(n, client:rpush("list", "item " .. n)) end
            assert.same({ "item 9", "item 10" }, client:lrange("list", 8, -1))
            if _VERSION == "Lua 5.1" then -- later ones refuse how it builds its list
                local replies = client:pipeline(function(p)
                    for n = 1, 100 do p:incrby("sum", n) end
                    p:get("sum")
                end)
                assert.equal("5050", replies[101])
            end
            local ok, why = co.pcall(client.incr, client, "list")
            assert.is_false(ok)
            assert.truthy(tostring(why):find("WRONGTYPE", 1, true))
            assert.is_true(client:quit())
        end)
    end)

    it("waits as a task does, on a socket that the program has made", function()
        with_redis(function(port)
            local function connect()
                local s = assert(socket.connect("127.0.0.1", port))
                s:settimeout(PATIENCE)
                return redis.connect { socket = s }
            end
            local one, other = connect(), connect()
            local waiting = co.spawn(function() return one:blpop("queue", PATIENCE) end)
            co.sleep(0.02)
            assert.equal("waiting", waiting:status())
            other:rpush("queue", "job")
            assert.same({ "queue", "job" }, waiting:join())
        end)
    end)
end)
