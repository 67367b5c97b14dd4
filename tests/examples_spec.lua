local luring = require "luring"
local child = require "child"

-- All of them, with arguments.
local EXAMPLES = {
    cat = "-",
    chat = "0",
    checksum = "/dev/null",
    count_cqueues = ".",
    download = "http://127.0.0.1:1/",
    echo = "",
    echo_clients = "1",
    echo_server = "0",
    http_get = "http://127.0.0.1:1/",
    http_server = ".",
    jobs = "-",
    log_luv = "/dev/null",
    store = "journal",
    tail = "/etc/passwd",
    tcp_proxy = "127.0.0.1:1",
    tls = "https://127.0.0.1:1/",
    udp_echo = "0",
    write_read = "/nowhere/file",
}

describe("every example", function()
    local refuse = child.compile("refuse.c", "refuse")

    it("is known here", function()
        for file in pairs(luring.readdir(child.root .. "/examples")) do
            -- These take two arguments, and are told of in their own specs.
            local own = file == "tree_copy.lua" or file == "watch.lua"
            assert.is_true(own or EXAMPLES[file:match("^(.*)%.lua$")] ~= nil, file)
        end
    end)

    for name, argument in pairs(EXAMPLES) do
        local file = name .. ".lua"

        it(("says how it is used: %s --help"):format(file), function()
            local result = child.shell(child.example(file, "--help"))
            assert.equal(0, result.status, result.output)
            assert.equal("Usage: lua " .. file, result.output:match("^Usage: lua [%w_.]+"))
        end)

        it(("says in one line that io_uring is refused: %s"):format(file), function()
            local result = child.shell(("%s io_uring_setup %d %s"):format(
                child.quote(refuse), luring.EPERM, child.example(file, argument)))
            local said = file .. ": could not initialise queue: " .. luring.strerror(luring.EPERM)
            assert.equal(said, result.output:sub(1, #said))
            assert.truthy(result.output:find("^[^\n]*\n$"), result.output)
            assert.equal(1, result.status)
        end)
    end
end)

describe("the example write_read.lua", function()
    it("writes a file and reads it", function()
        local result = child.shell(child.example "write_read.lua")
        assert.equal("wrote 18 bytes\nread 18 bytes: written by luring\n", result.output)
        assert.equal(0, result.status)
    end)

    it("keeps a file that it was given", function()
        local path = os.tmpname()
        local result = child.shell(child.example("write_read.lua", path))
        assert.equal(0, result.status, result.output)
        assert.equal("written by luring\n", child.contents(path))
        os.remove(path)
    end)

    it("says in one line what can't be opened, or written", function()
        for path, errno in pairs { ["/nowhere/file"] = luring.ENOENT, ["/dev/full"] = luring.ENOSPC } do
            local result = child.shell(child.example("write_read.lua", path))
            assert.equal(("write_read.lua: %s: %s\n"):format(path, luring.strerror(errno)), result.output)
            assert.equal(1, result.status)
        end
    end)
end)

describe("the example echo.lua", function()
    it("talks to itself", function()
        local result = child.shell(child.example "echo.lua")
        assert.equal(
            "server: listening\nserver: got luring\nclient: got Hello, luring!\n", result.output)
        assert.equal(0, result.status)
    end)
end)

describe("README.md", function()
    it("starts with two examples, and prints what they print", function()
        local text = child.contents(child.root .. "/README.md")
        local tried = 0
        for example, rest in text:gmatch("\n```lua\n(.-)```\n\nprints\n()") do
            local output = text:match("^\n```\n(.-)```", rest)
            tried = tried + 1
            local path = os.tmpname()
            local file = io.open(path, "w")
            file:write(example)
            file:close()
            local result = child.shell(("cd $(mktemp -d); %s; status=$?; rm -r \"$PWD\"; exit $status"):format(
                child.command(path)))
            os.remove(path)
            assert.equal(output, result.output)
            assert.equal(0, result.status)
        end
        assert.equal(2, tried)
    end)
end)
