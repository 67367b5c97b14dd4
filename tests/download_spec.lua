local luring = require "luring"
local co = require "luring.co"
local child = require "child"

local QUICK = 60 -- seconds within which whatever is waited for has come

-- Runs it in a folder: its exit status, and what it wrote.
local function download(folder, ...)
    local command = { "sh", "-c", "cd " .. child.quote(folder) .. " && exec " .. child.example("download.lua", ...) }
    command.timeout = QUICK
    return co.capture(command)
end

local function in_folder(f)
    local folder = os.tmpname()
    os.remove(folder)
    assert.equal(0, child.shell("mkdir " .. folder).status)
    co.run(f, folder)
    assert.equal(0, child.shell("rm -r " .. folder).status)
end

-- Serves connections by a list of functions, one after the other. Each gets the request.
local function scripted(answers)
    local server = assert(co.listen("127.0.0.1", 0))
    local _, port = server:address()
    local requests = {}
    co.background(function()
        for place = 1, #answers do
            local client = assert(server:accept())
            local lines = {}
            local line = client:line()
            while line and line ~= "" do
                lines[#lines + 1] = line
                line = client:line()
            end
            requests[place] = lines
            answers[place](client, lines)
            client:close()
        end
    end)
    return ("http://127.0.0.1:%d"):format(port), requests
end

local function header(lines, name)
    for _, line in ipairs(lines) do
        local value = line:match("^" .. name .. ": (.*)$")
        if value then return value end
    end
end

local function text(...)
    local words = { ... }
    return function(client) client:write((unpack or table.unpack)(words)) end
end

describe("the example download.lua", function()
    it("fetches files from a server, several at once", function()
        in_folder(function(folder)
            child.shell(("cd %s && mkdir site to && head -c 3000000 /dev/urandom >site/a.bin && echo b >'site/b c'"
                .. " && : >site/empty"):format(folder))
            local command = child.example("http_server.lua", "--port", "0", folder .. "/site")
            local server = assert(co.process { "sh", "-c", "exec " .. command, stdout = "pipe" })
            local port = server.stdout:settimeout(QUICK):line():match(":(%d+)/ serves")
            local base = "http://127.0.0.1:" .. port
            local got = download(folder, "-n", "2", "-o", "to", base .. "/a.bin", base .. "/b%20c", base .. "/empty")
            assert.equal("", got.stderr)
            assert.truthy(got.ok)
            local lines = {}
            for line in got.stdout:gmatch("[^\n]+") do lines[#lines + 1] = line end
            table.sort(lines)
            assert.same({ "to/a.bin: 3000000 bytes", "to/b c: 2 bytes", "to/empty: 0 bytes" }, lines)
            assert.same({ status = 0, output = "" }, child.shell(("cd %s && diff -r site to"):format(folder)))

            -- What has come before is not asked for again.
            child.shell(("cd %s/to && head -c 1000000 a.bin >a.bin.part && rm a.bin"):format(folder))
            local whole = download(folder, "-o", "to", base .. "/a.bin")
            assert.equal("to/a.bin: 3000000 bytes\n", whole.stdout)
            assert.same({ status = 0, output = "" }, child.shell(("cd %s && diff -r site to"):format(folder)))
            server:kill("TERM")
            server:wait()
        end)
    end)

    it("asks for the rest when the connection is lost", function()
        in_folder(function(folder)
            local url, requests = scripted {
                text("HTTP/1.1 200 OK\r\nETag: \"one\"\r\nContent-Length: 10\r\n\r\n0123"),
                text("HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 4-9/10\r\nContent-Length: 6\r\n\r\n45"),
                text("HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 6-9/10\r\nContent-Length: 4\r\n\r\n6789"),
            }
            local got = download(folder, url .. "/digits")
            assert.same({ "./digits: 10 bytes\n", "" }, { got.stdout, got.stderr })
            assert.equal("0123456789", co.read_file(folder .. "/digits"))
            assert.is_nil(header(requests[1], "Range"))
            assert.same({ "bytes=4-", "\"one\"" }, { header(requests[2], "Range"), header(requests[2], "If%-Range") })
            assert.equal("bytes=6-", header(requests[3], "Range"))
            assert.equal("digits\n", child.shell("ls " .. folder).output)
        end)
    end)

    it("asks for the rest when it gets less than it has asked for", function()
        in_folder(function(folder)
            local url, requests = scripted {
                text("HTTP/1.1 200 OK\r\nETag: \"one\"\r\nContent-Length: 10\r\n\r\n0123"),
                text("HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 4-5/10\r\nContent-Length: 2\r\n\r\n45"),
                text("HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 6-9/10\r\nContent-Length: 4\r\n\r\n6789"),
            }
            local got = download(folder, url .. "/digits")
            assert.same({ "./digits: 10 bytes\n", "" }, { got.stdout, got.stderr })
            assert.equal("bytes=6-", header(requests[3], "Range"))
            assert.equal("0123456789", co.read_file(folder .. "/digits"))
        end)
    end)

    it("goes on in a later run, and begins anew where the document has changed", function()
        in_folder(function(folder)
            local half = "HTTP/1.1 200 OK\r\nETag: \"one\"\r\nContent-Length: 10\r\n\r\n01234"
            local url, requests = scripted {
                text(half),
                text("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
                text("HTTP/1.1 200 OK\r\nETag: \"two\"\r\nContent-Length: 3\r\n\r\nabc"),
            }
            local got = download(folder, url .. "/it")
            assert.same({ false, "download.lua: " .. url .. "/it: the server answers 404\n" },
                { got.ok or false, got.stderr })
            assert.equal("01234", co.read_file(folder .. "/it.part"))
            got = download(folder, url .. "/it")
            assert.equal("./it: 3 bytes\n", got.stdout)
            assert.equal("bytes=5-", header(requests[3], "Range"))
            assert.equal("abc", co.read_file(folder .. "/it"))
            assert.equal("it\n", child.shell("ls " .. folder).output)
        end)
    end)

    it("follows where it is led to, and takes an answer in chunks", function()
        in_folder(function(folder)
            local url, requests = scripted {
                text("HTTP/1.1 302 Found\r\nLocation: /there?x=1\r\nContent-Length: 0\r\n\r\n"),
                function(client, lines)
                    client:write("HTTP/1.1 307 Moved\r\nLocation: //", header(lines, "Host"), "/again\r\n\r\n")
                end,
                text("HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n",
                    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                    "3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n"),
            }
            local got = download(folder, url .. "/here")
            assert.same({ "./here: 13 bytes\n", "" }, { got.stdout, got.stderr })
            assert.equal("GET /there?x=1 HTTP/1.1", requests[2][1])
            assert.equal("GET /again HTTP/1.1", requests[3][1])
            assert.equal("abc0123456789", co.read_file(folder .. "/here"))
        end)
    end)

    it("asks again when an answer is in no chunks, though it says so", function()
        in_folder(function(folder)
            local chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            local url = scripted {
                text(chunked, "what?\r\n"), text(chunked, "\r\n"), text(chunked, "3\r\nabc\r\n0\r\n\r\n"),
            }
            local got = download(folder, url .. "/it")
            assert.same({ "./it: 3 bytes\n", "" }, { got.stdout, got.stderr })
        end)
    end)

    it("loses no time with blanks in an answer", function()
        in_folder(function(folder)
            local blanks = ("X: a%sb\r\n"):format((" "):rep(60000))
            local url = scripted {
                text("HTTP/1.1 200 OK\r\n", blanks:rep(5), "Content-Length: \t 1 \t\r\nEmpty: \r\n\r\nx"),
            }
            local began = co.now()
            assert.equal("./it: 1 bytes\n", download(folder, url .. "/it").stdout)
            assert.is_true(co.now() - began < 20) -- it would be more than a minute
        end)
    end)

    it("writes into its folder alone, whatever the URL says", function()
        in_folder(function(folder)
            local url = scripted { text("HTTP/1.0 200 OK\r\n\r\nx") }
            assert.equal(0, child.shell("mkdir " .. folder .. "/to").status)
            local got = download(folder, "-o", "to", url .. "/..%2f..%2fout")
            assert.equal("to/index.html: 1 bytes\n", got.stdout)
            assert.equal("index.html\n", child.shell("ls " .. folder .. "/to").output)
        end)
    end)

    it("shows on a terminal how far it is", function()
        if child.shell("command -v script").status ~= 0 then return pending("there is no script(1)") end
        in_folder(function(folder)
            local seen = co.event()
            local url = scripted { function(client)
                client:write("HTTP/1.1 200 OK\r\nContent-Length: 103\r\n\r\n", ("x"):rep(42))
                seen:wait()
                client:write(("x"):rep(61))
            end }
            local command = child.example("download.lua", url .. "/it")
            local p = assert(co.process { "script", "-qec", "cd " .. folder .. " && " .. command, "/dev/null",
                stdout = "pipe", stdin = "pipe" })
            local shown = ""
            p.stdout:settimeout(QUICK)
            while not shown:find("it 40%%") do shown = shown .. assert(p.stdout:read()) end
            seen:set()
            while not shown:find("./it: 103 bytes", 1, true) do shown = shown .. assert(p.stdout:read()) end
            p:wait()
        end)
    end)

    it("says in one line what it can't do", function()
        for words, message in pairs {
            [""] = "which URL? (see --help)",
            ["https://127.0.0.1/"] = "https://127.0.0.1/: not a URL that begins with http://",
            ["http://a:99999/"] = "http://a:99999/: no host and port",
            ["-n 0 http://a/"] = "-n takes a number, not 0 (see --help)",
            ["http://a/x http://b/x"] = "http://b/x: its name is that of http://a/x too",
            ["http://a/x http://b/x.part"] = "http://b/x.part: its name is that of http://a/x too",
            ["http://a/x.part.tag http://b/x"] = "http://b/x: its name is that of http://a/x.part.tag too",
            ["-o /nowhere http://127.0.0.1:1/x"] =
                "http://127.0.0.1:1/x: /nowhere/x.part: " .. luring.strerror(luring.ENOENT),
        } do
            local result = child.shell(child.example("download.lua") .. " " .. words)
            assert.same({ 1, "download.lua: " .. message .. "\n" }, { result.status, result.output })
        end
    end)
end)
